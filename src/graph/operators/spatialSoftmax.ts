/** Softmax over all frames and positions of a clip, separately for each channel. */

import { asMap, type Expr, filled, mapExpr } from '../expr.js';
import type { BlockedLayout, BlockedMap } from '../lowering/blockedLayout.js';
import type { Emitter } from '../lowering/emitter.js';
import { mapSize } from '../shape.js';
import { mul } from './arithmetic.js';
import { channelAffine, channelDot } from './channelAffine.js';
import { type Node, operator } from './operator.js';

declare module '../expr.js' {
  interface Ops {
    spatialSoftmax: object;
  }
}

export function spatialSoftmax(x: Expr): Expr {
  const y: Expr = mapExpr({ kind: 'spatialSoftmax' }, [asMap(x)], x.shape, (dy) => {
    const total = channelDot(dy, y); // [B, C]
    return [mul(y, channelAffine(dy, filled(1, total.shape), mul(total, -1)))];
  });
  return y;
}

export const spatialSoftmaxOperator = operator('spatialSoftmax', {
  emit: emitStandard,
  nchwc: {
    emit: (c, node) => {
      const { e, layout } = c;
      const x = c.mapWith(node.inputs[0] ?? node, 1);
      const { exps, total, view } = raised(layout, x);
      const all = view[1];
      const scale = e.reshape(e.node('Reciprocal', [total]), [all, 1, 1, 1]);
      const y = layout.conv([e.reshape(exps, view), scale], [1, 1], all);
      return { ...x, name: e.reshape(e.hasShape(y, view), layout.nominal(x)) };
    },
  },
  reach: 'clip',
});

function emitStandard(e: Emitter, { shape }: Node, [x = '']: readonly string[]): string {
  const { frames, clips, channels, height, width } = mapSize(shape, 'spatialSoftmax');
  const rows = e.transpose(e.reshape(x, [frames, clips * channels, height * width]), [1, 0, 2]);
  const y = e.node('Softmax', [e.reshape(rows, [clips * channels, frames * height * width])], { axis: -1 });
  return e.reshape(e.transpose(e.reshape(y, [clips * channels, frames, height * width]), [1, 0, 2]), shape);
}

/** The softmax in two factors: a map of exponentials and what to multiply with, [B, C, 1]. */
export function exponentials(layout: BlockedLayout, x: BlockedMap): { exps: BlockedMap; scale: string } {
  const { e } = layout;
  const { exps, total } = raised(layout, x);
  const { clips, channels } = x.size;
  const totals = layout.fromLanes(e.reshape(total, [clips, layout.width(x.lanes)]), [clips], x.lanes);
  const scale = e.reshape(e.node('Reciprocal', [totals]), [clips, channels, 1]);
  return { exps: { ...x, name: e.reshape(exps, layout.nominal(x)) }, scale };
}

interface Raised {
  readonly exps: string;
  readonly total: string;
  readonly view: readonly [number, number, number, number];
}

/** exp(x - its largest value over frames and positions), and the sums of these, [1, B * lanes]. */
function raised(layout: BlockedLayout, x: BlockedMap): Raised {
  const { e } = layout;
  const { frames, clips, height, width } = x.size;
  const all = clips * layout.width(x.lanes);
  const view = [frames, all, 1, height * width] as const;
  const peaks = e.reshape(layout.globalPool('GlobalMaxPool', x.name), [frames, all]);
  const peak = e.node('ReduceMax', [peaks], { axes: [0], keepdims: 0 });
  const ones = e.filled(1, [all, 1, 1, 1]);
  const lowered = layout.conv([e.reshape(x.name, view), ones], [1, 1], all, { bias: e.node('Neg', [peak]) });
  const exps = e.node('Exp', [lowered]);
  return { exps, total: layout.sumOfRows(layout.globalPool('GlobalAveragePool', exps), frames, all, height * width), view };
}
