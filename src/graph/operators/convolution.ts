/**
 * Convolutions on feature maps [T, B, C, H, W] in space and time, dense or in groups. Those that are depthwise or only mix channels
 * have operators of their own, which are faster.
 */

import { reshape, sum } from '../arrange.js';
import { asMap, type Expr, expr, mapExpr, type OpOf } from '../expr.js';
import { channelSum, pointwise } from '../features.js';
import type { Emitter } from '../lowering/emitter.js';
import { mapSize, need, type Shape } from '../shape.js';
import { joinPhases, slidDepthwise, timePhases } from './depthwise.js';
import {
  cropped,
  imageShape,
  images,
  kernelGradientPads,
  outputPadding,
  pickFrames,
  spatialAttributes,
  sumOf,
} from './images.js';
import { asTriple, type FramePick, type Padding, slidingOf, slidShape, type Triple, tapPicks } from './window.js';

export interface ConvolutionOptions {
  /** A number is the stride in space. */
  readonly stride?: number | Triple;
  readonly groups?: number;
  /** How many frames the kernel looks back from its middle: (kt - 1) / 2 makes it causal. */
  readonly lag?: number;
  readonly padding?: Padding;
  /** [O] */
  readonly bias?: Expr | undefined;
}

/**
 * Cross-correlation with weight [O, C / groups, kt, kh, kw], zero padding of half the kernel unless asked otherwise.
 * -> [ceil(T / st), B, O, ceil(H / sh), ceil(W / sw)]
 */
export function convolution(x: Expr, weight: Expr, options: ConvolutionOptions = {}): Expr {
  const { groups = 1, lag = 0, padding = 'half', bias } = options;
  const { channels } = mapSize(x.shape, 'convolution');
  const [out = 0, into = 0, kt = 0, kh = 0, kw = 0] = weight.shape;
  const fits = weight.shape.length === 5 && into * groups === channels && out % groups === 0;
  need(fits, `convolution in ${groups} groups: weight`, weight.shape, x.shape);
  const stride = asTriple(options.stride ?? 1);
  const sliding = slidingOf(x.shape, [kt, kh, kw], stride, padding, lag);
  if (groups > 1 && into === 1) return slidDepthwise(x, reshape(weight, [out, kt, kh, kw]), sliding, bias);
  if (groups === 1 && [kt, kh, kw, ...stride].every((n) => n === 1) && lag === 0) return pointwise(x, reshape(weight, [out, into]), bias); // biome-ignore format: one line
  const shape = slidShape(x.shape, out, [kt, kh, kw], sliding);
  const op = { ...sliding, groups };
  const map = asMap(x);
  return mapExpr({ kind: 'convolution', ...op }, bias ? [map, weight, bias] : [map, weight], shape, (dy) => [
    mapExpr({ kind: 'convolutionInputGradient', ...op }, [dy, weight], x.shape),
    expr({ kind: 'convolutionWeightGradient', ...op }, [dy, map], weight.shape),
    sum(channelSum(dy), [0], [out]),
  ]);
}

/** What taps in time see, their channels side by side: [images, taps * C, H, W]. */
function sideBySide(e: Emitter, x: string, shape: Shape, picks: readonly FramePick[]): string {
  const { clips } = mapSize(shape, 'convolution');
  const seen = picks.map((pick) => pickFrames(e, images(e, x, shape), pick, clips, imageShape(shape)));
  return seen.length === 1 && seen[0] ? seen[0] : e.node('Concat', seen, { axis: 1 });
}

/** Taps in time that are computed in one pass: all of them, or with groups each alone. */
const passes = (taps: readonly number[], groups: number): number[][] => (groups === 1 ? [[...taps]] : taps.map((tap) => [tap]));

/** The kernels [O, I, n, kh, kw] of some taps in time. */
const tapsOf = (e: Emitter, weight: string, kt: number, taps: readonly number[]): string =>
  taps.length === kt ? weight : e.node('Gather', [weight, e.integers(taps)], { axis: 2 });

export function emitConvolution(e: Emitter, op: OpOf<'convolution'>, { inputs, shape }: Expr, names: readonly string[]): string {
  const [x = '', weight = '', ...bias] = names;
  const [from = [], [out = 0, into = 0, kt = 1, kh = 1, kw = 1] = []] = inputs.map((operand) => operand.shape);
  const attributes = { ...(op.groups > 1 && { group: op.groups }), ...spatialAttributes([kh, kw], op) };
  const picks = tapPicks(kt, op, shape[0] ?? 0);
  const parts = passes([...picks.keys()], op.groups).map((taps, i) => {
    const kernels = tapsOf(e, weight, kt, taps);
    const kernel = taps.length === 1 ? kernels : e.transpose(kernels, [0, 2, 1, 3, 4]);
    const seen = sideBySide(e, x, from, taps.flatMap((tap) => picks[tap] ?? [])); // biome-ignore format: one line
    return e.node('Conv', [seen, e.reshape(kernel, [out, taps.length * into, kh, kw]), ...(i === 0 ? bias : [])], attributes);
  });
  return e.reshape(sumOf(e, parts), shape);
}

export function emitConvolutionInputGradient(
  e: Emitter,
  op: OpOf<'convolutionInputGradient'>,
  { inputs, shape }: Expr,
  [dy = '', weight = '']: readonly string[],
): string {
  const [from = [], [out = 0, into = 0, kt = 1, kh = 1, kw = 1] = []] = inputs.map((operand) => operand.shape);
  const [big, small] = [mapSize(shape, op.kind), mapSize(from, op.kind)];
  const attributes = {
    group: op.groups,
    ...spatialAttributes([kh, kw], op),
    output_padding: outputPadding(big, small, [kh, kw], op),
  };
  const phases = timePhases(kt, op, big.frames).map((phase) => {
    const parts = passes([...phase.keys()], op.groups).map((some) => {
      const reached = some.flatMap((i) => phase[i] ?? []);
      const kernels = tapsOf(e, weight, kt, reached.map(({ tap }) => tap)); // biome-ignore format: one line
      const kernel = reached.length === 1 ? kernels : e.transpose(kernels, [2, 0, 1, 3, 4]);
      const seen = sideBySide(e, dy, from, reached.map(({ pick }) => pick)); // biome-ignore format: one line
      return e.node('ConvTranspose', [seen, e.reshape(kernel, [reached.length * out, into, kh, kw])], attributes);
    });
    return phase.length > 0 ? sumOf(e, parts) : undefined;
  });
  return e.reshape(joinPhases(e, phases, shape, op), shape);
}

/** dW [O, C / g, kt, kh, kw]: images become the channels of a convolution of x (C / g images in g groups) by dy (O kernels). */
export function emitConvolutionWeightGradient(
  e: Emitter,
  op: OpOf<'convolutionWeightGradient'>,
  { inputs, shape }: Expr,
  [dy = '', x = '']: readonly string[],
): string {
  const [dyShape = [], xShape = []] = inputs.map((operand) => operand.shape);
  const [out = 0, into = 0, kt = 1, kh = 1, kw = 1] = shape;
  const [big, small] = [mapSize(xShape, op.kind), mapSize(dyShape, op.kind)];
  const count = small.frames * small.clips;
  const kernel = e.transpose(images(e, dy, dyShape), [1, 0, 2, 3]); // [O, T*B, h, w]
  const picks = tapPicks(kt, op, small.frames);
  const parts = passes([...picks.keys()], op.groups).map((taps) => {
    const rows = taps.length * into;
    const seen = sideBySide(e, x, xShape, taps.flatMap((tap) => picks[tap] ?? [])); // biome-ignore format: one line
    const grouped = e.reshape(seen, [count, op.groups, rows, big.height * big.width]);
    const left = e.reshape(op.groups === 1 ? e.transpose(seen, [1, 0, 2, 3]) : e.transpose(grouped, [2, 1, 0, 3]), [
      rows,
      op.groups * count,
      big.height,
      big.width,
    ]);
    const shown = cropped(e, left, kernelGradientPads(big, small, [kh, kw], op));
    const dots = e.node('Conv', [shown.x, kernel], {
      ...(op.groups > 1 && { group: op.groups }),
      kernel_shape: [small.height, small.width],
      dilations: [op.stride[1], op.stride[2]],
      pads: shown.pads,
    }); // [taps * C / g, O, kh, kw]
    return e.transpose(e.reshape(dots, [taps.length, into, out, kh, kw]), [2, 1, 0, 3, 4]);
  });
  return parts.length === 1 && parts[0] ? parts[0] : e.node('Concat', parts, { axis: 2 });
}
