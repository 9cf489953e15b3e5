/** Reference operators in float64 loops, written from the definitions, independent of ONNX. */

import { type Expr, topologicalOrder } from '../../src/graph/expr.js';
import { type Shape, sizeOf } from '../../src/graph/shape.js';

export type Values = ReadonlyMap<string, Float64Array | Float32Array>;

/** Evaluates the roots for the named inputs. */
export function evaluate(roots: readonly Expr[], inputs: Values): Float64Array[] {
  const known = new Map<Expr, Float64Array>();
  for (const node of topologicalOrder(roots))
    known.set(
      node,
      evaluateNode(node, (x) => known.get(x) ?? new Float64Array(), inputs),
    );
  return roots.map((root) => known.get(root) ?? new Float64Array());
}

function evaluateNode(node: Expr, value: (x: Expr) => Float64Array, inputs: Values): Float64Array {
  const { op, shape } = node;
  const [a, b, c] = node.inputs;
  const x = a ? value(a) : new Float64Array();
  const y = b ? value(b) : new Float64Array();
  const xs = a?.shape ?? [];
  const ys = b?.shape ?? [];
  const third = c ? value(c) : undefined;
  switch (op.kind) {
    case 'input':
    case 'state':
      return Float64Array.from(inputs.get(op.name) ?? []);
    case 'constant':
      return Float64Array.from(op.data);
    case 'add':
      return broadcasting(shape, x, xs, y, ys, (p, q) => p + q);
    case 'sub':
      return broadcasting(shape, x, xs, y, ys, (p, q) => p - q);
    case 'mul':
      return broadcasting(shape, x, xs, y, ys, (p, q) => p * q);
    case 'div':
      return broadcasting(shape, x, xs, y, ys, (p, q) => p / q);
    case 'relu':
      return x.map((v) => Math.max(v, 0));
    case 'step':
      return x.map((v) => (v > 0 ? 1 : 0));
    case 'exp':
      return x.map(Math.exp);
    case 'log':
      return x.map(Math.log);
    case 'sqrt':
      return x.map(Math.sqrt);
    case 'erf':
      return x.map(erf);
    case 'sigmoid':
      return x.map((v) => 1 / (1 + Math.exp(-v)));
    case 'softplus':
      return x.map((v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))));
    case 'clip':
      return x.map((v) => Math.min(Math.max(v, op.low), op.high));
    case 'sum':
      return sumInto(
        x,
        xs,
        xs.map((n, i) => (op.axes.includes(i) ? 1 : n)),
      );
    case 'reshape':
      return x;
    case 'broadcast':
      return broadcasting(shape, x, xs, new Float64Array(1), [], (p) => p);
    case 'transpose':
      return build(shape, (at) => valueAt(x, xs, xs.map((_, axis) => at[op.order.indexOf(axis)] ?? 0))); // biome-ignore format: one line
    case 'slice':
      return build(shape, (at) => valueAt(x, xs, at.map((p, i) => (i === op.axis ? p + op.start : p)))); // biome-ignore format: one line
    case 'concat':
      return concatenate(node, value, op.axis);
    case 'matmul':
      return product(x, xs, op.transposeA, y, ys, op.transposeB, shape);
    case 'softmax':
      return alongLast(x, xs, softmaxOf);
    case 'logSoftmax':
      return alongLast(x, xs, (row) => softmaxOf(row).map(Math.log));
    case 'layerNorm':
      return alongLast(x, xs, (row) => normalise(row, op.epsilon).map((v, i) => v * (y[i] ?? NaN) + (third?.[i] ?? NaN)));
    case 'channelAffine':
      return build(shape, (at) => {
        const row = (v: Float64Array, s: Shape) => v[(s[0] === 1 ? 0 : (at[1] ?? 0)) * (s[1] ?? 0) + (at[2] ?? 0)] ?? NaN;
        return valueAt(x, xs, at) * row(y, ys) + row(third ?? y, c?.shape ?? []);
      });
    case 'channelSum':
      return sumInto(x, xs, [1, xs[1] ?? 0, xs[2] ?? 0, 1, 1]);
    case 'channelDot':
      return sumInto(
        x.map((v, i) => v * (y[i] ?? NaN)),
        xs,
        [1, xs[1] ?? 0, xs[2] ?? 0, 1, 1],
      );
    case 'pointwise':
      return build(shape, (at) => {
        const [t = 0, clip = 0, o = 0, h = 0, w = 0] = at;
        let total = third?.[o] ?? 0;
        for (let i = 0; i < (xs[2] ?? 0); i++) {
          const weight = op.perClip ? y[offset(ys, [clip, o, i])] : y[offset(ys, [o, i])];
          total += (weight ?? NaN) * (x[offset(xs, [t, clip, i, h, w])] ?? NaN);
        }
        return total;
      });
    case 'channelInnerProducts':
      return channelInnerProductsOf(x, xs, y, ys, op.perClip, shape);
    case 'spatialSoftmax':
      return groupedSoftmax(x, shape, (at) => [at[1], at[2]].join());
    case 'softmaxTokens':
      return groupedSoftmax(x, shape, (at) =>
        [at[0], at[1], Math.floor(((at[2] ?? 0) * op.heads) / (shape[2] ?? 1)), at[3], at[4]].join(),
      );
    case 'shuffleChannels':
      return build(shape, (at) => {
        const [t = 0, clip = 0, p = 0, h = 0, w = 0] = at;
        const each = (shape[2] ?? 0) / op.groups;
        return x[offset(xs, [t, clip, (p % op.groups) * each + Math.floor(p / op.groups), h, w])] ?? NaN;
      });
    case 'regroup':
      return x;
    case 'maxPool':
      return build(shape, (at) => largest(x, xs, at, op));
    case 'featureMap':
      return x;
    case 'depthwiseTaps':
      return tapped(node, value, op);
    case 'depthwise':
      return scatter(depthwiseTerms(xs, ys, shape, op), shape, (term) => (x[term.x] ?? NaN) * (y[term.w] ?? NaN), 'y', third);
    case 'depthwiseInputGradient':
      return scatter(depthwiseTerms(shape, ys, xs, op), shape, (term) => (x[term.y] ?? NaN) * (y[term.w] ?? NaN), 'x');
    case 'depthwiseWeightGradient':
      return scatter(depthwiseTerms(ys, shape, xs, op), shape, (term) => (x[term.y] ?? NaN) * (y[term.x] ?? NaN), 'w');
    case 'convolution':
      return scatter(convolutionTerms(xs, ys, shape, op), shape, (term) => (x[term.x] ?? NaN) * (y[term.w] ?? NaN), 'y', third);
    case 'convolutionInputGradient':
      return scatter(convolutionTerms(shape, ys, xs, op), shape, (term) => (x[term.y] ?? NaN) * (y[term.w] ?? NaN), 'x');
    case 'convolutionWeightGradient':
      return scatter(convolutionTerms(ys, shape, xs, op), shape, (term) => (x[term.y] ?? NaN) * (y[term.x] ?? NaN), 'w');
  }
}

interface Term {
  readonly x: number;
  readonly w: number;
  readonly y: number;
  readonly channel: number;
}

/** Kernels slide over zeros beyond the edges. */
interface Slide {
  readonly stride: readonly number[];
  readonly pads: readonly number[];
}

const taps = ([t = 0, h = 0, w = 0]: readonly number[], [dt = 0, dh = 0, dw = 0]: readonly number[], { stride, pads }: Slide) =>
  [t * (stride[0] ?? 1) + dt, h * (stride[1] ?? 1) + dh, w * (stride[2] ?? 1) + dw].map((p, i) => p - (pads[i] ?? 0));

function largest(x: Float64Array, xs: Shape, at: readonly number[], slide: Slide & { kernel: Shape }): number {
  const [t = 0, clip = 0, c = 0, h = 0, w = 0] = at;
  const seen = [...positions(slide.kernel)].flatMap((d) => {
    const [frame = 0, row = 0, column = 0] = taps([t, h, w], d, slide);
    const place = [frame, clip, c, row, column];
    return inside(place, xs) ? [valueAt(x, xs, place)] : [];
  });
  return Math.max(...seen);
}

function* depthwiseTerms(xs: Shape, [out = 0, ...kernel]: Shape, ys: Shape, slide: Slide): Generator<Term> {
  yield* convolutionTerms(xs, [out, 1, ...kernel], ys, { ...slide, groups: xs[2] ?? 1 });
}

function tapped({ inputs, shape }: Expr, value: (x: Expr) => Float64Array, slide: Slide): Float64Array {
  const maps = inputs.filter((x) => x.shape.length === 5);
  const [weight, bias] = inputs.slice(maps.length);
  const [out = 0, count = 0, ...size] = weight?.shape ?? [];
  const area = sizeOf(size);
  const w = weight ? value(weight) : new Float64Array();
  const parts = maps.map((map, k) => {
    const kernel = Float64Array.from(
      { length: out * area },
      (_, i) => w[(Math.floor(i / area) * count + k) * area + (i % area)] ?? NaN,
    );
    const x = value(map);
    const terms = depthwiseTerms(map.shape, [out, 1, ...size], shape, slide);
    const wanted = k === 0 && bias ? value(bias) : undefined;
    return scatter(terms, shape, (term) => (x[term.x] ?? NaN) * (kernel[term.w] ?? NaN), 'y', wanted);
  });
  return parts.reduce((sum, part) => sum.map((v, i) => v + (part[i] ?? NaN)));
}

function* convolutionTerms(xs: Shape, ws: Shape, ys: Shape, slide: Slide & { groups: number }): Generator<Term> {
  const [out = 0, into = 0, ...kernel] = ws;
  for (const at of positions(ys)) {
    const [t = 0, clip = 0, o = 0, h = 0, w = 0] = at;
    const first = Math.floor(o / (out / slide.groups)) * into;
    for (const [i = 0, ...d] of positions([into, ...kernel])) {
      const [frame = 0, row = 0, column = 0] = taps([t, h, w], d, slide);
      const place = [frame, clip, first + i, row, column];
      if (inside(place, xs)) yield { x: offset(xs, place), w: offset(ws, [o, i, ...d]), y: offset(ys, at), channel: o };
    }
  }
}

function scatter(
  terms: Iterable<Term>,
  shape: Shape,
  product: (term: Term) => number,
  to: 'x' | 'w' | 'y',
  bias?: Float64Array,
): Float64Array {
  const out = bias ? build(shape, (at) => bias[at[2] ?? 0] ?? NaN) : new Float64Array(sizeOf(shape));
  for (const term of terms) out[term[to]] = (out[term[to]] ?? NaN) + product(term);
  return out;
}

const inside = (at: readonly number[], shape: Shape): boolean => at.every((p, i) => p >= 0 && p < (shape[i] ?? 0));
const offset = (shape: Shape, at: readonly number[]): number => shape.reduce((sum, n, i) => sum * n + (at[i] ?? 0), 0);

const valueAt = (x: Float64Array, shape: Shape, at: readonly number[]): number => x[offset(shape, at)] ?? NaN;

function* positions(shape: Shape): Generator<number[]> {
  const at = shape.map(() => 0);
  for (let count = sizeOf(shape); count > 0; count--) {
    yield [...at];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis] = ((at[axis] ?? 0) + 1) % (shape[axis] ?? 1);
      if (at[axis] !== 0) break;
    }
  }
}

function build(shape: Shape, element: (at: number[]) => number): Float64Array {
  return Float64Array.from(positions(shape), element);
}

function broadcasting(
  shape: Shape,
  x: Float64Array,
  xs: Shape,
  y: Float64Array,
  ys: Shape,
  f: (p: number, q: number) => number,
): Float64Array {
  const place = (s: Shape, at: number[]) =>
    offset(
      s,
      s.map((n, i) => (n === 1 ? 0 : (at[at.length - s.length + i] ?? 0))),
    );
  return build(shape, (at) => f(x[place(xs, at)] ?? NaN, y[place(ys, at)] ?? NaN));
}

function sumInto(x: Float64Array, from: Shape, to: Shape): Float64Array {
  const out = new Float64Array(sizeOf(to));
  let i = 0;
  for (const at of positions(from)) {
    const place = offset(
      to,
      at.map((p, axis) => (to[axis] === 1 ? 0 : p)),
    );
    out[place] = (out[place] ?? NaN) + (x[i++] ?? NaN);
  }
  return out;
}

function concatenate(node: Expr, value: (x: Expr) => Float64Array, axis: number): Float64Array {
  return build(node.shape, (at) => {
    let p = at[axis] ?? 0;
    for (const part of node.inputs) {
      const size = part.shape[axis] ?? 0;
      if (p < size)
        return valueAt(value(part), part.shape, at.map((q, i) => (i === axis ? p : q))); // biome-ignore format: one line
      p -= size;
    }
    return NaN;
  });
}

function product(x: Float64Array, xs: Shape, tx: boolean, y: Float64Array, ys: Shape, ty: boolean, shape: Shape): Float64Array {
  const depth = xs.at(tx ? -2 : -1) ?? 0;
  return build(shape, (at) => {
    const lead = at.slice(0, -2);
    const [i = 0, j = 0] = at.slice(-2);
    let total = 0;
    for (let k = 0; k < depth; k++) {
      total +=
        (x[offset(xs, [...lead, ...(tx ? [k, i] : [i, k])])] ?? NaN) *
        (y[offset(ys, [...lead, ...(ty ? [j, k] : [k, j])])] ?? NaN);
    }
    return total;
  });
}

function alongLast(x: Float64Array, shape: Shape, f: (row: Float64Array) => Float64Array): Float64Array {
  const width = shape.at(-1) ?? 1;
  const out = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += width) out.set(f(x.slice(start, start + width)), start);
  return out;
}

function softmaxOf(row: Float64Array): Float64Array {
  const peak = Math.max(...row);
  const exps = row.map((v) => Math.exp(v - peak));
  const total = exps.reduce((s, v) => s + v, 0);
  return exps.map((v) => v / total);
}

function normalise(row: Float64Array, epsilon: number): Float64Array {
  const mean = row.reduce((s, v) => s + v, 0) / row.length;
  const variance = row.reduce((s, v) => s + (v - mean) ** 2, 0) / row.length;
  return row.map((v) => (v - mean) / Math.sqrt(variance + epsilon));
}

function groupedSoftmax(x: Float64Array, shape: Shape, groupOf: (at: number[]) => string): Float64Array {
  const groups = new Map<string, number[]>();
  let i = 0;
  for (const at of positions(shape)) {
    const key = groupOf(at);
    groups.set(key, [...(groups.get(key) ?? []), i++]);
  }
  const out = new Float64Array(x.length);
  for (const members of groups.values()) {
    const row = softmaxOf(Float64Array.from(members, (m) => x[m] ?? NaN));
    members.forEach((m, k) => {
      out[m] = row[k] ?? NaN;
    });
  }
  return out;
}

function channelInnerProductsOf(
  y: Float64Array,
  ys: Shape,
  x: Float64Array,
  xs: Shape,
  perClip: boolean,
  shape: Shape,
): Float64Array {
  const out = new Float64Array(sizeOf(shape));
  for (const [t = 0, clip = 0, o = 0, h = 0, w = 0] of positions(ys)) {
    for (let c = 0; c < (xs[2] ?? 0); c++) {
      const place = offset(shape, perClip ? [clip, o, c] : [o, c]);
      out[place] = (out[place] ?? NaN) + (y[offset(ys, [t, clip, o, h, w])] ?? NaN) * (x[offset(xs, [t, clip, c, h, w])] ?? NaN);
    }
  }
  return out;
}

/** erf: Taylor series for small, continued fraction for large arguments; error about 1e-15. */
function erf(x: number): number {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 3) {
    let term = z;
    let total = z;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total) && n < 200; n++) {
      term *= (-z * z) / n;
      total += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * total) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction));
}
