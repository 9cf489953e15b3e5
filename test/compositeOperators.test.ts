/** Operators made of others, against loops and known values that share nothing with them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Expr, input } from '../src/graph/expr.js';
import { gelu, hardSigmoid, hardSwish, silu } from '../src/graph/operators/activations.js';
import { attention, selfAttention } from '../src/graph/operators/attention.js';
import { averagePool } from '../src/graph/operators/averagePool.js';
import { squeezeExcite } from '../src/graph/operators/squeezeExcite.js';
import { slidingOf } from '../src/graph/operators/window.js';
import { type Shape, sizeOf } from '../src/graph/shape.js';
import { Rng } from '../src/rng.js';
import { evaluate } from './support/evaluate.js';

type Tensor = (...at: number[]) => number;

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Random tensors by name, as inputs of a graph and as functions of their indices. */
function drawn(shapes: Readonly<Record<string, Shape>>) {
  const rng = new Rng(['composite', ...Object.keys(shapes)]);
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const data = Float64Array.from({ length: sizeOf(shape) }, () => rng.normal());
    const at: Tensor = (...index) => data[index.reduce((sum, i, axis) => sum * (shape[axis] ?? 1) + i, 0)] ?? Number.NaN;
    return { name, data, at, expr: input(name, shape) };
  });
  const values = new Map(entries.map(({ name, data }) => [name, data]));
  return {
    tensors: entries.map(({ at }) => at),
    operands: entries.map(({ expr }) => expr),
    value: (y: Expr) => [...(evaluate([y], values)[0] ?? [])],
  };
}

function close(got: readonly number[], expected: readonly number[]): void {
  assert.equal(got.length, expected.length);
  got.forEach((value, i) => {
    assert.ok(Math.abs(value - (expected[i] ?? Number.NaN)) < 1e-5, `${i}: ${value}, expected ${expected[i]}`);
  });
}

test('activations have their known values', () => {
  const xs = Float64Array.of(-4, -1, 0, 0.5, 1, 2, 4);
  const of = (make: (x: Expr) => Expr) => [...(evaluate([make(input('x', [7]))], new Map([['x', xs]]))[0] ?? [])];
  close(
    of(silu),
    [...xs].map((x) => x / (1 + Math.exp(-x))),
  );
  close(of(gelu), [-0.000126685, -0.158655254, 0, 0.345731231, 0.841344746, 1.954499736, 3.999873315]);
  close(of(hardSigmoid), [0, 1 / 3, 0.5, 3.5 / 6, 4 / 6, 5 / 6, 1]);
  close(of(hardSwish), [0, -1 / 3, 0, 1.75 / 6, 4 / 6, 10 / 6, 4]);
});

/** softmax(q k^T / sqrt(d)) v for one head, [N][M] scores from functions of token and channel. */
function attended(q: Tensor, k: Tensor, v: Tensor, [queries, keys, width, out]: readonly number[]): number[] {
  return range(queries ?? 0).flatMap((n) => {
    const scores = range(keys ?? 0).map((m) => total(range(width ?? 0).map((d) => q(n, d) * k(m, d))) / Math.sqrt(width ?? 1));
    const weights = scores.map((score) => Math.exp(score) / total(scores.map(Math.exp)));
    return range(out ?? 0).map((e) => total(weights.map((weight, m) => weight * v(m, e))));
  });
}

test('attention weighs values by scaled products of queries and keys', () => {
  const { tensors, operands, value } = drawn({ q: [3, 4], k: [5, 4], v: [5, 2] });
  const [q, k, v] = operands as [Expr, Expr, Expr];
  close(value(attention(q, k, v)), attended(...(tensors as [Tensor, Tensor, Tensor]), [3, 5, 4, 2]));
});

test('self-attention attends head by head', () => {
  const [clips, tokens, width, heads] = [2, 3, 4, 2];
  const shapes = { x: [clips, tokens, width], w: [12, 4], b: [12], p: [4, 4], c: [4] };
  const { tensors, operands, value } = drawn(shapes);
  const [x, w, b, p, c] = tensors as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const [ex, ew, eb, ep, ec] = operands as [Expr, Expr, Expr, Expr, Expr];
  const expected = range(clips).flatMap((clip) => {
    const project = (row: number, n: number) => b(row) + total(range(width).map((i) => w(row, i) * x(clip, n, i)));
    const found = range(heads).map((head) => {
      const of =
        (which: number): Tensor =>
        (n = 0, d = 0) =>
          project(which * width + head * 2 + d, n);
      return attended(of(0), of(1), of(2), [tokens, tokens, 2, 2]);
    });
    return range(tokens).flatMap((n) =>
      range(width).map((o) => c(o) + total(range(width).map((i) => p(o, i) * (found[i >> 1]?.[n * 2 + (i & 1)] ?? 0)))),
    );
  });
  close(value(selfAttention(ex, { weight: ew, bias: eb }, { weight: ep, bias: ec }, heads)), expected);
});

test('squeeze-and-excitation gates channels by the mean of the clip', () => {
  const [T, B, C, H, W, r] = [2, 2, 3, 2, 2, 2];
  const { tensors, operands, value } = drawn({ x: [T, B, C, H, W], w: [r, C], b: [r], v: [C, r], a: [C] });
  const [x, w, b, v, a] = tensors as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const [ex, ew, eb, ev, ea] = operands as [Expr, Expr, Expr, Expr, Expr];
  const each = <Value>(make: (t: number, n: number, c: number, h: number, w: number) => Value): Value[] =>
    range(T * B * C * H * W).map((i) =>
      make(Math.floor(i / 24), Math.floor(i / 12) % 2, Math.floor(i / 4) % 3, (i >> 1) % 2, i % 2),
    );
  const mean = (n: number, c: number) =>
    total(each((t, m, k, h, col) => (m === n && k === c ? x(t, m, k, h, col) : 0))) / (T * H * W);
  const hidden = (n: number, j: number) => Math.max(0, b(j) + total(range(C).map((c) => w(j, c) * mean(n, c))));
  const gate = (n: number, c: number) => sigmoid(a(c) + total(range(r).map((j) => v(c, j) * hidden(n, j))));
  close(
    value(squeezeExcite(ex, { weight: ew, bias: eb }, { weight: ev, bias: ea })),
    each((t, n, c, h, col) => x(t, n, c, h, col) * gate(n, c)),
  );
});

for (const countPadding of [true, false]) {
  test(`average pooling, ${countPadding ? 'with' : 'without'} the cells beyond the edges`, () => {
    const { tensors, operands, value } = drawn({ x: [3, 1, 1, 5, 4] });
    const [x] = tensors as [Tensor];
    const [ex] = operands as [Expr];
    const expected = range(3).flatMap((t) =>
      range(3).flatMap((row) =>
        range(2).map((column) => {
          const inside = range(27)
            .map((i) => [t - 1 + Math.floor(i / 9), 2 * row - 1 + (Math.floor(i / 3) % 3), 2 * column - 1 + (i % 3)] as const)
            .filter(([f, h, w]) => f >= 0 && f < 3 && h >= 0 && h < 5 && w >= 0 && w < 4);
          return total(inside.map(([f, h, w]) => x(f, 0, 0, h, w))) / (countPadding ? 27 : inside.length);
        }),
      ),
    );
    close(value(averagePool(ex, [3, 3, 3], { stride: [1, 2, 2], padding: 'half', countPadding })), expected);
  });
}

test('"same" pads as TensorFlow does: the odd zero comes last', () => {
  const pads = (height: number, width: number) => slidingOf([1, 1, 1, height, width], [1, 3, 3], [1, 2, 2], 'same').pads;
  assert.deepEqual(pads(6, 5), [0, 0, 1, 0, 1, 1]);
  assert.deepEqual(pads(7, 8), [0, 1, 0, 0, 1, 1]);
});
