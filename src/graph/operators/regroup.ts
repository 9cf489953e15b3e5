import { asMap, type Expr, mapExpr } from '../expr.js';
import { mapSize, need } from '../shape.js';
import { channelAffine } from './channelAffine.js';
import { operator } from './operator.js';

declare module '../expr.js' {
  interface Ops {
    regroup: object;
  }
}

/**
 * Images grouped into `frames` frames of clips: image t * B + b of [T, B, C, H, W] stays where it is. With one frame every image
 * is a clip, so that what works per clip works per frame. Costs nothing.
 */
export function regroup(map: Expr, frames: number): Expr {
  const x = asMap(map);
  const size = mapSize(x.shape, 'regroup');
  const images = size.frames * size.clips;
  need(images % frames === 0, `regroup: ${frames} frames`, x.shape);
  if (frames === size.frames) return x;
  const [inner, scale, shift] = x.inputs;
  // A scale shared by all clips commutes, so that scales on both sides merge.
  if (x.op.kind === 'channelAffine' && inner && scale && shift && scale.shape[0] === 1 && shift.shape[0] === 1)
    return channelAffine(regroup(inner, frames), scale, shift);
  const shape = [frames, images / frames, ...x.shape.slice(2)];
  return mapExpr({ kind: 'regroup' }, [x], shape, (dy) => [regroup(dy, size.frames)]);
}

export const regroupOperator = operator('regroup', {
  emit: (e, { shape }, [x = '']) => e.reshape(x, shape),
  nchwc: {
    suits: (c, { inputs }) => inputs.every((x) => c.isNchwc(x)),
    emit: (c, node) => ({ ...c.map(node.inputs[0] ?? node), size: mapSize(node.shape, 'regroup') }),
  },
  sharesLanes: true,
});
