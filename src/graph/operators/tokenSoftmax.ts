/** Softmax at each position over the M channels of each head; channels are [heads * M]. */

import { asMap, constant, type Expr, mapExpr } from '../expr.js';
import type { Activation, BlockedLayout, BlockedMap } from '../lowering/blockedLayout.js';
import { mapSize, need } from '../shape.js';
import { mul, sub } from './arithmetic.js';
import { operator } from './operator.js';
import { pointwise } from './pointwise.js';

declare module '../expr.js' {
  interface Ops {
    softmaxTokens: { readonly heads: number };
  }
}

export function softmaxTokens(x: Expr, heads: number): Expr {
  const { channels } = mapSize(x.shape, 'softmaxTokens');
  need(channels % heads === 0, `softmaxTokens: ${heads} heads`, x.shape);
  const y: Expr = mapExpr({ kind: 'softmaxTokens', heads }, [asMap(x)], x.shape, (dy) => {
    const flow = mul(dy, y);
    return [sub(flow, mul(y, pointwise(flow, sameHead(channels, heads))))];
  });
  return y;
}

/** [C, C] with 1 where two channels belong to the same head. */
function sameHead(channels: number, heads: number): Expr {
  const each = channels / heads;
  const at = (i: number) => (Math.floor(Math.floor(i / channels) / each) === Math.floor((i % channels) / each) ? 1 : 0);
  return constant(
    Float32Array.from({ length: channels * channels }, (_, i) => at(i)),
    [channels, channels],
  );
}

export const softmaxTokensOperator = operator('softmaxTokens', {
  emit: (e, { op, shape }, [x = '']) => {
    const { frames, clips, channels, height, width } = mapSize(shape, op.kind);
    const grouped = e.reshape(x, [frames * clips * op.heads, channels / op.heads, height * width]);
    return e.reshape(e.node('Softmax', [grouped], { axis: 1 }), shape);
  },
  nchwc: {
    emit: (c, node) => {
      const x = c.mapWith(node.inputs[0] ?? node, 1);
      const each = x.size.channels / node.op.heads;
      const centring = (o: number, i: number) => (o === i ? 1 : 0) - 1 / each;
      const centred = headConv(c.layout, x, each, centring, { low: -80, high: 80 });
      const exps = c.e.node('Exp', [centred]);
      const totals = headConv(c.layout, { ...x, name: exps }, each, () => 1);
      return { ...x, name: c.e.node('Div', [exps, totals]) };
    },
  },
  reach: 'position',
});

/**
 * 1x1 Conv by a constant matrix that mixes a head's used lanes. Scores are relative to the head's mean, clamped to +-80 against
 * overflow; beyond 80 float32 gives 0 anyway.
 */
function headConv(
  layout: BlockedLayout,
  x: BlockedMap,
  each: number,
  entry: (o: number, i: number) => number,
  activation?: Activation,
): string {
  const lanes = layout.width(x.lanes);
  const data = new Float32Array(lanes * lanes);
  for (let o = 0; o < lanes; o++) {
    for (let i = 0; i < lanes; i++) {
      const used = o < x.size.channels && i < x.size.channels;
      const same = Math.floor(o / each) === Math.floor(i / each);
      data[o * lanes + i] = used ? (same ? entry(o, i) : 0) : o === i ? 1 : 0;
    }
  }
  const kernel = layout.matrixKernel(layout.e.floats(data, [lanes, lanes]), 1, lanes, lanes);
  return layout.conv([x.name, kernel], [1, 1], 1, activation ? { activation } : {});
}
