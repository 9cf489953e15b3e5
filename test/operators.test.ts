/** Every operator on random shapes: value against float64 loops, gradient against central differences, standard and blocked. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constant, type Expr, filled, input, type OpKind } from '../src/graph/expr.js';
import { gradients } from '../src/graph/gradients.js';
import { gelu, hardSigmoid, hardSwish, silu } from '../src/graph/operators/activations.js';
import { add, div, mul, sub } from '../src/graph/operators/arithmetic.js';
import { selfAttention } from '../src/graph/operators/attention.js';
import { averagePool } from '../src/graph/operators/averagePool.js';
import { channelAffine, channelDot, channelSum, globalAverage } from '../src/graph/operators/channelAffine.js';
import { convolution } from '../src/graph/operators/convolution.js';
import { depthwise, depthwiseTaps } from '../src/graph/operators/depthwise.js';
import { channelLayerNorm, layerNorm } from '../src/graph/operators/layerNorm.js';
import { linear, matmul, mixRows } from '../src/graph/operators/matmul.js';
import { maxPool } from '../src/graph/operators/maxPool.js';
import { blockDiagonal, channelInnerProducts, pointwise } from '../src/graph/operators/pointwise.js';
import { broadcast, sum, sumAll } from '../src/graph/operators/reduction.js';
import { operatorNames } from '../src/graph/operators/registry.js';
import { regroup } from '../src/graph/operators/regroup.js';
import { reshape } from '../src/graph/operators/reshape.js';
import { shuffleChannels } from '../src/graph/operators/shuffleChannels.js';
import { concat, slice } from '../src/graph/operators/sliceConcat.js';
import { logSoftmax, softmax } from '../src/graph/operators/softmax.js';
import { spatialSoftmax } from '../src/graph/operators/spatialSoftmax.js';
import { squeezeExcite } from '../src/graph/operators/squeezeExcite.js';
import { softmaxTokens } from '../src/graph/operators/tokenSoftmax.js';
import { transpose } from '../src/graph/operators/transpose.js';
import { clip, erf, exp, log, relu, relu6, sigmoid, softplus, sqrt } from '../src/graph/operators/unary.js';
import { type Shape, sizeOf } from '../src/graph/shape.js';
import { Rng } from '../src/rng.js';
import { evaluate } from './support/evaluate.js';
import { blockOf, layouts } from './support/layouts.js';
import { runOnce } from './support/runOnce.js';

interface Case {
  readonly shapes: readonly Shape[];
  readonly make: (...x: Expr[]) => Expr;
  /** Away from kinks and poles. */
  readonly values?: (rng: Rng) => number;
  readonly fixed?: readonly number[];
}

const positive = (rng: Rng) => rng.uniform(0.5, 2);
/** Never within 0.05 of 0 or 1.5. */
const kinkFree = (rng: Rng) => rng.pick([-1, 1]) * rng.uniform(0.05, 1.4);

const map = (rng: Rng, channels = 1 + rng.integer(20)): number[] => [
  1 + rng.integer(3),
  1 + rng.integer(3),
  channels,
  2 + rng.integer(6),
  2 + rng.integer(6),
];
const rowsFor = (rng: Rng, m: readonly number[]): number[] => [rng.chance(0.5) ? 1 : (m[1] ?? 1), m[2] ?? 1];

const cases: Record<string, (rng: Rng) => Case> = {
  add: (rng) => ({ shapes: [[2, 3, 4], rng.pick([[2, 3, 4], [4], [3, 1], []])], make: add }),
  sub: (rng) => ({ shapes: [rng.pick([[3, 4], [4]]), [3, 4]], make: sub }),
  mul: (rng) => ({ shapes: [[2, 3, 4], rng.pick([[1, 3, 1], [2, 3, 4], [1]])], make: mul }),
  div: (rng) => ({ shapes: [[2, 3], rng.pick([[2, 3], [3], [2, 1]])], make: div, values: positive }),
  relu: () => ({ shapes: [[5, 7]], make: relu, values: kinkFree }),
  exp: () => ({ shapes: [[5, 3]], make: exp }),
  log: () => ({ shapes: [[5, 3]], make: log, values: positive }),
  sqrt: () => ({ shapes: [[5, 3]], make: sqrt, values: positive }),
  erf: () => ({ shapes: [[5, 3]], make: erf }),
  sigmoid: () => ({ shapes: [[5, 3]], make: sigmoid }),
  softplus: () => ({ shapes: [[5, 3]], make: (x) => softplus(mul(x, 8)) }),
  'activations of a map': (rng) => ({ shapes: [map(rng)], make: rng.pick([sigmoid, silu, gelu, erf, softplus]) }),
  gelu: () => ({ shapes: [[5, 3]], make: gelu }),
  clip: () => ({ shapes: [[5, 7]], make: (x) => clip(x, 0, 1.45), values: kinkFree }),
  relu6: () => ({ shapes: [[5, 7]], make: (x) => relu6(mul(x, 8)), values: (rng) => rng.pick([-1, 0.3, 0.6, 0.9, 1.3]) }),
  hardSigmoid: () => ({ shapes: [[30]], make: (x) => hardSigmoid(mul(x, 4)), values: kinkFree }),
  hardSwish: () => ({ shapes: [[30]], make: (x) => hardSwish(mul(x, 4)), values: kinkFree }),
  sum: (rng) => ({ shapes: [[2, 3, 4]], make: (x) => sum(x, rng.pick([[0], [1, 2], [0, 1, 2]])) }),
  reshape: () => ({ shapes: [[2, 6]], make: (x) => reshape(x, [3, 4]) }),
  broadcast: () => ({ shapes: [[2, 1, 3]], make: (x) => broadcast(x, [2, 4, 3]) }),
  transpose: (rng) => ({ shapes: [[2, 3, 4]], make: (x) => transpose(x, rng.shuffle([0, 1, 2])) }),
  slice: (rng) => ({ shapes: [[2, 5, 3]], make: (x) => slice(x, 1, rng.integer(3), 3 + rng.integer(3)) }),
  concat: () => ({
    shapes: [
      [2, 1, 3],
      [2, 4, 3],
    ],
    make: (a, b) => concat([a, b], 1),
  }),
  matmul: (rng) => matmulCase(rng),
  linear: () => ({ shapes: [[2, 3, 4], [5, 4], [5]], make: linear }),
  softmax: () => ({ shapes: [[3, 5]], make: softmax }),
  logSoftmax: () => ({ shapes: [[3, 5]], make: logSoftmax }),
  layerNorm: () => ({ shapes: [[2, 3, 6], [6], [6]], make: (x, scale, shift) => layerNorm(x, scale, shift) }),
  channelAffine: (rng) => {
    const m = map(rng);
    return { shapes: [m, rowsFor(rng, m), rowsFor(rng, m)], make: channelAffine };
  },
  'channelAffine of channelAffine': (rng) => {
    const m = map(rng);
    const twice = (x: Expr, a: Expr, b: Expr, c: Expr) => channelAffine(channelAffine(x, a, b), c);
    return { shapes: [m, rowsFor(rng, m), rowsFor(rng, m), rowsFor(rng, m)], make: twice };
  },
  'relu of channelAffine': (rng) => {
    const m = map(rng);
    const make = (x: Expr, s: Expr) => relu(channelAffine(x, s, constant(new Float32Array(sizeOf(s.shape)).fill(0.01), s.shape)));
    return { shapes: [m, rowsFor(rng, m)], make, values: kinkFree };
  },
  'channelAffine plus map': (rng) => {
    const m = map(rng);
    return { shapes: [m, rowsFor(rng, m), m], make: (x, s, y) => add(y, channelAffine(x, s)) };
  },
  channelSum: (rng) => ({ shapes: [map(rng)], make: channelSum }),
  channelDot: (rng) => {
    const m = map(rng);
    return { shapes: [m, m], make: channelDot };
  },
  'channelDot with itself': (rng) => ({ shapes: [map(rng)], make: (x) => channelDot(x, x) }),
  pointwise: (rng) => {
    const m = map(rng);
    const out = 1 + rng.integer(20);
    const weight = rng.chance(0.5) ? [out, m[2] ?? 1] : [m[1] ?? 1, out, m[2] ?? 1];
    return { shapes: [m, weight, [out]], make: (x, w, b) => pointwise(x, w, b) };
  },
  'pointwise in groups': (rng) => {
    const groups = 2 + rng.integer(3);
    const m = map(rng, groups * (1 + rng.integer(6)));
    const out = groups * (1 + rng.integer(6));
    return { shapes: [m, [out, (m[2] ?? 1) / groups]], make: (x, w) => pointwise(x, w, undefined, groups) };
  },
  mixRows: () => ({ shapes: [[3, 4]], make: (x) => mixRows([1, 0, -1, 0.5, 0.5, 0], x) }),
  'pointwise plus map': (rng) => {
    const m = map(rng);
    const to = [...m];
    to[2] = 1 + rng.integer(20);
    const weight = rng.chance(0.5) ? [to[2], m[2] ?? 1] : [m[1] ?? 1, to[2], m[2] ?? 1];
    return { shapes: [m, weight, to], make: (x, w, y) => add(pointwise(x, w), y) };
  },
  channelInnerProducts: (rng) => {
    const m = map(rng);
    const other = [...m];
    other[2] = 1 + rng.integer(20);
    const perClip = rng.chance(0.5);
    return { shapes: [m, other], make: (y, x) => channelInnerProducts(y, x, perClip) };
  },
  spatialSoftmax: (rng) => ({ shapes: [map(rng)], make: spatialSoftmax }),
  softmaxTokens: (rng) => {
    const heads = 1 + rng.integer(3);
    return { shapes: [map(rng, heads * (1 + rng.integer(6)))], make: (x) => softmaxTokens(x, heads) };
  },
  shuffleChannels: (rng) => ({ shapes: [map(rng, 12)], make: (x) => shuffleChannels(x, rng.pick([2, 3, 4])) }),
  regroup: (rng) => {
    const m = map(rng);
    const make = (x: Expr, s: Expr) => regroup(channelAffine(regroup(x, 1), s), m[0] ?? 1);
    return { shapes: [m, [(m[0] ?? 1) * (m[1] ?? 1), m[2] ?? 1]], make };
  },
  'regroup between scales, of a convolution': (rng) => {
    const m = map(rng);
    const [t = 1, b = 1, c = 1] = m;
    const make = (x: Expr, w: Expr, s: Expr, p: Expr) => channelAffine(regroup(channelAffine(depthwise(x, w, 1), s), 1), p);
    return { shapes: [m, [2 * c, 3, 3, 3], [1, 2 * c], [t * b, 2 * c]], make };
  },
  'depthwise that looks back': (rng) => {
    const m = [1 + rng.integer(4), ...map(rng).slice(1)];
    const out = (m[2] ?? 1) * rng.pick([1, 3]);
    const stride = 1 + rng.integer(2);
    return { shapes: [m, [out, 3, 3, 3], [out]], make: (x, w, b) => depthwise(x, w, stride, b, 1) };
  },
  depthwiseTaps: (rng) => {
    const m = map(rng);
    const out = (m[2] ?? 1) * (1 + rng.integer(3));
    const stride = 1 + rng.integer(2);
    return {
      shapes: [m, m, m, [out, 3, 3, 3], [out]],
      make: (a, b, c, w, bias) => depthwiseTaps([a, b, c], w ?? a, stride, bias),
    };
  },
  'channels last': (rng) => ({
    shapes: [map(rng), [3]],
    make: (x, s) => transpose(channelAffine(x, add(filled(0.5, [1, x.shape[2] ?? 1]), sum(s, [0]))), [0, 1, 3, 4, 2]),
  }),
  globalAverage: (rng) => ({ shapes: [map(rng)], make: globalAverage }),
  blockDiagonal: () => ({ shapes: [[6, 2]], make: (w) => blockDiagonal(w, 3) }),
  depthwise: (rng) => depthwiseCase(rng, 1),
  'depthwise, expanding': (rng) => depthwiseCase(rng, 2 + rng.integer(3)),
  'depthwise, expanding, then scaled and mixed': (rng) => expandedChain(rng),
  'depthwise, any kernel and stride': (rng) => {
    const m = [1 + rng.integer(6), ...map(rng).slice(1)];
    const channels = m[2] ?? 1;
    const out = channels * rng.pick([1, 2]);
    return { ...convolutionCase(rng, m, out, channels, rng.pick([3, 5, 7])), values: (r) => r.uniform(-1, 1) };
  },
  'convolution of a picture': (rng) => convolutionCase(rng, map(rng, 3), 1 + rng.integer(12), 1, 3),
  'convolution, dense': (rng) => {
    const m = [1 + rng.integer(6), 1 + rng.integer(2), 1 + rng.integer(20), 3 + rng.integer(6), 3 + rng.integer(6)];
    return { ...convolutionCase(rng, m, 1 + rng.integer(20), 1, rng.pick([1, 3, 5])), values: (r) => r.uniform(-0.5, 0.5) };
  },
  'convolution in groups': (rng) => {
    const [groups, each] = [2 + rng.integer(2), rng.pick([2, 3, 8, 16])];
    const m = [1 + rng.integer(4), 1 + rng.integer(2), groups * each, 3 + rng.integer(4), 3 + rng.integer(4)];
    const out = groups * rng.pick([1, 5, 8, 16]);
    return { ...convolutionCase(rng, m, out, groups, rng.pick([1, 2, 3])), values: (r) => r.uniform(-0.5, 0.5) };
  },
  averagePool: (rng) => {
    const m = [1 + rng.integer(4), 1 + rng.integer(2), 1 + rng.integer(20), 3 + rng.integer(4), 3 + rng.integer(4)];
    const kernel = [1 + rng.integer(m[0] === 1 ? 1 : 2), 2 + rng.integer(2), 2 + rng.integer(2)] as const;
    const padding = rng.pick(['none', 'same', 'half'] as const);
    const options = { stride: rng.pick([kernel, 1, [1, 2, 1] as const]), padding, countPadding: rng.chance(0.5) };
    return { shapes: [m], make: (x) => averagePool(x, kernel, options) };
  },
  squeezeExcite: (rng) => {
    const m = map(rng);
    const [c, r] = [m[2] ?? 1, 1 + rng.integer(6)];
    const make = (x: Expr, w: Expr, b: Expr, v: Expr, a: Expr) =>
      squeezeExcite(x, { weight: w, bias: b }, { weight: v, bias: a }, { activation: silu });
    return { shapes: [m, [r, c], [r], [c, r], [c]], make };
  },
  channelLayerNorm: (rng) => {
    const m = map(rng, 2 + rng.integer(20));
    return { shapes: [m, [m[2] ?? 1], [m[2] ?? 1]], make: (x, scale, shift) => channelLayerNorm(x, scale, shift) };
  },
  selfAttention: (rng) => {
    const [heads, each, tokens] = [1 + rng.integer(3), 2 + rng.integer(3), 2 + rng.integer(4)];
    const d = heads * each;
    const make = (x: Expr, w: Expr, b: Expr, v: Expr, a: Expr) =>
      selfAttention(x, { weight: w, bias: b }, { weight: v, bias: a }, heads);
    return { shapes: [[2, tokens, d], [3 * d, d], [3 * d], [d, d], [d]], make, values: (r) => r.uniform(-1, 1) };
  },
  maxPool: (rng) => {
    const m = [1 + rng.integer(4), 1 + rng.integer(2), 1 + rng.integer(20), 3 + rng.integer(4), 3 + rng.integer(4)];
    const kernel = [1 + rng.integer(m[0] === 1 ? 1 : 2), 2 + rng.integer(2), 2 + rng.integer(2)] as const;
    const options = { stride: rng.pick([kernel, 1, [1, 2, 1] as const]), padding: rng.pick(['none', 'same'] as const) };
    return { shapes: [m], make: (x) => maxPool(x, kernel, options) };
  },
  'convolution, scaled, with an activation': (rng) => {
    const m = map(rng, 4 + rng.integer(12));
    const make = (x: Expr, w: Expr, s: Expr) => exp(channelAffine(convolution(x, w, { stride: [2, 1, 2] }), s));
    return { shapes: [m, [9, m[2] ?? 1, 3, 3, 1], [1, 9]], make, values: (r) => r.uniform(-0.3, 0.3) };
  },
};

function convolutionCase(rng: Rng, m: readonly number[], out: number, groups: number, longest: number): Case {
  const into = (m[2] ?? 1) / groups;
  const sizes = [m[0] ?? 1, m[3] ?? 1, m[4] ?? 1];
  const padding = rng.pick(['half', 'half', 'same', 'none'] as const);
  const kernel = sizes.map((size) => {
    const fitting = padding === 'none' ? Math.min(longest, size) : longest;
    return padding === 'half' ? 2 * rng.integer(Math.ceil(fitting / 2)) + 1 : 1 + rng.integer(fitting);
  });
  if (padding === 'same') kernel[0] = 1;
  const stride = [1 + rng.integer(2), 1 + rng.integer(2), 1 + rng.integer(3)] as const;
  const lag = padding === 'half' ? rng.integer(2) * (((kernel[0] ?? 1) - 1) / 2) : 0;
  const make = (x: Expr, w: Expr, bias?: Expr) => convolution(x, w, { stride, groups, padding, lag, bias });
  return { shapes: [m, [out, into, ...kernel], ...(rng.chance(0.5) ? [[out]] : [])], make };
}

function matmulCase(rng: Rng): Case {
  const [transposeA, transposeB] = [rng.chance(0.5), rng.chance(0.5)];
  const lead = rng.pick([[], [2], [2, 3]]);
  const turned = (shape: number[], swap: boolean) => [...lead, ...(swap ? shape.reverse() : shape)];
  return {
    shapes: [turned([3, 4], transposeA), turned([4, 5], transposeB)],
    make: (a, b) => matmul(a, b, { transposeA, transposeB }),
  };
}

function depthwiseCase(rng: Rng, expand: number): Case {
  const m = map(rng);
  const stride = 1 + rng.integer(2);
  const out = (m[2] ?? 1) * expand;
  return { shapes: [m, [out, rng.pick([1, 3]), 3, 3], [out]], make: (x, w, b) => depthwise(x, w, stride, b) };
}

function expandedChain(rng: Rng): Case {
  const m = map(rng);
  const stride = 1 + rng.integer(2);
  const out = (m[2] ?? 1) * 3;
  const make = (x: Expr, w: Expr, scale: Expr, mix: Expr): Expr => {
    const hidden = depthwise(x, w, stride);
    const statistics = sum(channelDot(hidden, hidden), [0]);
    const active = add(channelAffine(hidden, scale), exp(channelAffine(hidden, mul(statistics, 0.01))));
    return add(pointwise(active, mix), sumAll(channelSum(active)));
  };
  return { shapes: [m, [out, rng.pick([1, 3]), 3, 3], [m[1] ?? 1, out], [5, out]], make, values: (r) => r.uniform(-0.4, 0.4) };
}

for (const [name, make] of Object.entries(cases)) {
  for (const layout of layouts) {
    test(`${name}, ${layout}: value and gradient`, async (t) => {
      const block = await blockOf(t, layout);
      if (block === undefined) return;
      for (let round = 0; round < 4; round++) await check(make(new Rng([name, round])), new Rng([name, round, 'values']), block);
    });
  }
}

async function check({ shapes, make, values = (rng) => rng.normal(), fixed = [] }: Case, rng: Rng, block: number): Promise<void> {
  const inputs = new Map(shapes.map((shape, i) => [`x${i}`, Float32Array.from({ length: sizeOf(shape) }, () => values(rng))]));
  const operands = shapes.map((shape, i) => input(`x${i}`, shape));
  const y = make(...operands);
  const weights = constant(
    Float32Array.from({ length: sizeOf(y.shape) }, () => rng.normal()),
    y.shape,
  );
  const loss = sumAll(mul(y, weights));
  const trained = operands.filter((_, i) => !fixed.includes(i));
  const slopes = gradients(loss, trained);
  const outputs = { y, ...Object.fromEntries(slopes.map((slope, i) => [`d${i}`, slope])) };
  const got = await runOnce(outputs, inputs, block);
  close(got['y'] ?? new Float32Array(), evaluate([y], inputs)[0] ?? new Float64Array(), 2e-5, 'value');
  trained.forEach((operand, i) => {
    const where = operand.op.kind === 'input' ? operand.op.name : '';
    close(got[`d${i}`] ?? new Float32Array(), differences(loss, inputs, where, rng), 2e-4, `gradient for ${where}`);
  });
}

function differences(loss: Expr, inputs: ReadonlyMap<string, Float32Array>, name: string, rng: Rng): Float64Array {
  const x = Float64Array.from(inputs.get(name) ?? []);
  const out = new Float64Array(x.length).fill(NaN);
  const at = (i: number, by: number) => {
    const moved = Float64Array.from(x);
    moved[i] = (moved[i] ?? 0) + by;
    return evaluate([loss], new Map<string, Float64Array | Float32Array>([...inputs, [name, moved]]))[0]?.[0] ?? NaN;
  };
  for (const i of rng.shuffle([...x.keys()]).slice(0, 8)) out[i] = (at(i, 1e-5) - at(i, -1e-5)) / 2e-5;
  return out;
}

function close(got: Float32Array, expected: Float64Array, bound: number, what: string): void {
  assert.equal(got.length, expected.length, `${what}: length`);
  const looked = [...expected.keys()].filter((i) => !Number.isNaN(expected[i]));
  assert.ok(looked.length > 0, `${what}: nothing compared`);
  const largest = Math.max(1, ...looked.map((i) => Math.abs(expected[i] ?? NaN)));
  for (const i of looked) {
    const error = Math.abs((got[i] ?? NaN) - (expected[i] ?? NaN)) / largest;
    assert.ok(error <= bound, `${what}[${i}]: got ${got[i]}, expected ${expected[i]}`);
  }
}

test('every kind of operator is among the cases', () => {
  const rng = new Rng(['coverage']);
  const seen = new Set<OpKind>();
  for (const make of Object.values(cases)) {
    for (let round = 0; round < 4; round++) {
      const { shapes, make: build, fixed = [] } = make(rng);
      const operands = shapes.map((shape, i) => input(`x${i}`, shape));
      const loss = sumAll(build(...operands));
      const trained = operands.filter((_, i) => !fixed.includes(i));
      const stack = [loss, ...gradients(loss, trained)];
      for (let node = stack.pop(); node; node = stack.pop()) {
        seen.add(node.op.kind);
        stack.push(...node.inputs);
      }
    }
  }
  const all = operatorNames.filter((name) => name !== 'state');
  assert.deepEqual([...seen].sort(), all.toSorted());
});
