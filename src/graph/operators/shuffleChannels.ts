/** ShuffleNet's channel shuffle: channels seen as [groups, C / groups], transposed. */

import { asMap, type Expr, mapExpr } from '../expr.js';
import { mapSize, need } from '../shape.js';
import { operator } from './operator.js';

declare module '../expr.js' {
  interface Ops {
    shuffleChannels: { readonly groups: number };
  }
}

export function shuffleChannels(x: Expr, groups: number): Expr {
  const { channels } = mapSize(x.shape, 'shuffleChannels');
  need(channels % groups === 0, `shuffleChannels: ${groups} groups`, x.shape);
  if (groups === 1) return x;
  return mapExpr({ kind: 'shuffleChannels', groups }, [asMap(x)], x.shape, (dy) => [shuffleChannels(dy, channels / groups)]);
}

export const shuffleChannelsOperator = operator('shuffleChannels', {
  emit: (e, { op, shape }, [x = '']) => {
    const { frames, clips, channels, height, width } = mapSize(shape, op.kind);
    const grouped = e.reshape(x, [frames * clips, op.groups, channels / op.groups, height * width]);
    return e.reshape(e.transpose(grouped, [0, 2, 1, 3]), shape);
  },
  reach: 'position',
});
