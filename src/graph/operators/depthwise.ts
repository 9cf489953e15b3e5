/**
 * Depthwise convolutions on feature maps [T, B, C, H, W] and their gradients. Cross-correlation, as everywhere in this field.
 */

import { concat, slice, sum } from '../arrange.js';
import { asMap, type Expr, expr, mapExpr, type OpOf } from '../expr.js';
import { channelSum } from '../features.js';
import type { Emitter } from '../lowering/emitter.js';
import { mapSize, need, type Shape } from '../shape.js';
import {
  cropped,
  imageShape,
  images,
  interleaveFrames,
  kernelGradientPads,
  outputPadding,
  pickFrames,
  spatialAttributes,
  sumOf,
} from './images.js';
import { type Sliding, seeingTaps, slidingOf, slidShape, type Triple, tapPicks, withoutTaps } from './window.js';

/**
 * Zero padding of half the kernel. weight [C * e, kt, kh, kw]: input channel c gives output channels c*e .. c*e + e - 1. Tap k of the
 * kt in time sees the frame k - (kt - 1) / 2 - lag after the result's: with lag 0 as many before as after, with (kt - 1) / 2 none after.
 * -> [T, B, C * e, ceil(H / stride), ceil(W / stride)]
 */
export function depthwise(x: Expr, weight: Expr, stride: number, bias?: Expr, lag = 0): Expr {
  const [, kt = 0, kh = 0, kw = 0] = weight.shape;
  need(kt % 2 === 1 && Number.isInteger(lag), `depthwise: weight, lag ${lag}`, weight.shape, x.shape);
  return slidDepthwise(x, weight, slidingOf(x.shape, [kt, kh, kw], [1, stride, stride], 'half', lag), bias);
}

/** The same with any stride and padding. */
export function slidDepthwise(x: Expr, weight: Expr, sliding: Sliding, bias?: Expr, unseenTaps = 0): Expr {
  const { frames, channels } = mapSize(x.shape, 'depthwise');
  const [out = 0, kt = 0, kh = 0, kw = 0] = weight.shape;
  need(weight.shape.length === 4 && out % channels === 0, 'depthwise: weight', weight.shape, x.shape);
  const shape = slidShape(x.shape, out, [kt, kh, kw], sliding);
  const seeing = seeingTaps(kt, sliding, frames, shape[0] ?? 0);
  if (seeing.length < kt) {
    const kept = slice(weight, 1, seeing.from, seeing.from + seeing.length); // others see only padding
    return slidDepthwise(x, kept, withoutTaps(sliding, seeing.from, kt - seeing.length), bias, kt - seeing.length);
  }
  const map = asMap(x);
  return mapExpr({ kind: 'depthwise', ...sliding, unseenTaps }, bias ? [map, weight, bias] : [map, weight], shape, (dy) => [
    mapExpr({ kind: 'depthwiseInputGradient', ...sliding }, [dy, weight], x.shape),
    expr({ kind: 'depthwiseWeightGradient', ...sliding }, [dy, map], weight.shape),
    sum(channelSum(dy), [0], [out]),
  ]);
}

/**
 * Depthwise convolution whose taps in time are given one by one: tap k of weight [C * e, kt, kh, kw] sees maps[k], all of one shape
 * [T, B, C, H, W], and the results are added. For frames that come one at a time. -> as depthwise
 */
export function depthwiseTaps(maps: readonly Expr[], weight: Expr, stride: number, bias?: Expr): Expr {
  const [first] = maps;
  const from = first?.shape ?? [];
  const [out = 0, kt, kh = 0, kw = 0] = weight.shape;
  const { channels } = mapSize(from, 'depthwiseTaps');
  const alike = maps.every((map) => map.shape.join() === from.join());
  need(alike && kt === maps.length && out % channels === 0, 'depthwiseTaps: weight', weight.shape, from);
  const sliding = slidingOf(from, [1, kh, kw], [1, stride, stride], 'half');
  return tappedDepthwise(maps, weight, sliding, bias);
}

/** The same with any stride and padding in space. */
export function tappedDepthwise(taps: readonly Expr[], weight: Expr, sliding: Sliding, bias?: Expr): Expr {
  const maps = taps.map(asMap);
  const [out = 0, , kh = 0, kw = 0] = weight.shape;
  const shape = slidShape(maps[0]?.shape ?? [], out, [1, kh, kw], sliding);
  return mapExpr({ kind: 'depthwiseTaps', ...sliding }, [...maps, weight, ...(bias ? [bias] : [])], shape, (dy) => [
    ...maps.map((map, k) => mapExpr({ kind: 'depthwiseInputGradient', ...sliding }, [dy, slice(weight, 1, k, k + 1)], map.shape)),
    concat(
      maps.map((map) => expr({ kind: 'depthwiseWeightGradient', ...sliding }, [dy, map], [out, 1, kh, kw])),
      1,
    ),
    sum(channelSum(dy), [0], [out]),
  ]);
}

/** The kernel of one temporal tap, [C * e, 1, kh, kw]. */
function tap(e: Emitter, weight: string, [out = 0, , kh = 0, kw = 0]: Shape, k: number): string {
  return e.reshape(e.slice(weight, 1, k, k + 1), [out, 1, kh, kw]);
}

const kernelOf = ([, kt = 1, kh = 1, kw = 1]: Shape): Triple => [kt, kh, kw];

export function emitDepthwise(e: Emitter, op: OpOf<'depthwise'>, { inputs, shape }: Expr, names: readonly string[]): string {
  const [x = '', weight = '', ...bias] = names;
  const [from = [], weights = []] = inputs.map((operand) => operand.shape);
  const { clips, channels } = mapSize(from, op.kind);
  const [kt, ...kernel] = kernelOf(weights);
  const attributes = { group: channels, ...spatialAttributes(kernel, op) };
  const picks = tapPicks(kt, op, shape[0] ?? 0);
  const biased = Math.max(0, picks.findIndex(({ first }) => first === 0)); // biome-ignore format: one line
  const parts = picks.map((pick, k) => {
    const operands = [pickFrames(e, images(e, x, from), pick, clips, imageShape(from)), tap(e, weight, weights, k)];
    return e.node('Conv', k === biased ? [...operands, ...bias] : operands, attributes);
  });
  return e.reshape(sumOf(e, parts), shape);
}

export function emitDepthwiseTaps(
  e: Emitter,
  op: OpOf<'depthwiseTaps'>,
  { inputs, shape }: Expr,
  names: readonly string[],
): string {
  const taps = inputs.filter(({ isMap }) => isMap).length;
  const [from, weight] = [inputs[0]?.shape ?? [], inputs[taps]?.shape ?? []];
  const { channels } = mapSize(from, op.kind);
  const attributes = { group: channels, ...spatialAttributes(kernelOf(weight).slice(1), op) };
  const bias = names.slice(taps + 1);
  const parts = names.slice(0, taps).map((x, k) => {
    const operands = [images(e, x, from), tap(e, names[taps] ?? '', weight, k)];
    return e.node('Conv', k === 0 ? [...operands, ...bias] : operands, attributes);
  });
  return e.reshape(sumOf(e, parts), shape);
}

export function emitDepthwiseInputGradient(
  e: Emitter,
  op: OpOf<'depthwiseInputGradient'>,
  { inputs, shape }: Expr,
  [dy = '', weight = '']: readonly string[],
): string {
  const [from = [], weights = []] = inputs.map((operand) => operand.shape);
  const big = mapSize(shape, op.kind);
  const small = mapSize(from, op.kind);
  const [kt, kh, kw] = kernelOf(weights);
  const attributes = {
    group: big.channels,
    ...spatialAttributes([kh, kw], op),
    output_padding: outputPadding(big, small, [kh, kw], op),
  };
  const flat = images(e, dy, from);
  const phases = timePhases(kt, op, big.frames).map((phase) => {
    const parts = phase.map(({ tap: k, pick }) => {
      const moved = pickFrames(e, flat, pick, big.clips, imageShape(from));
      return e.node('ConvTranspose', [moved, tap(e, weight, weights, k)], attributes);
    });
    return parts.length > 0 ? sumOf(e, parts) : undefined;
  });
  return e.reshape(joinPhases(e, phases, shape, op), shape);
}

/** For each phase of the input's frames, the taps that reach it and the frames of the output that they see there. */
export function timePhases(kt: number, { stride, pads }: Sliding, frames: number) {
  const [step, before] = [stride[0], pads[0]];
  const count = Math.ceil(frames / step);
  return Array.from({ length: step }, (_, phase) =>
    [...Array(kt).keys()]
      .filter((k) => (phase + before - k) % step === 0)
      .map((k) => ({ tap: k, pick: { first: (phase + before - k) / step, step: 1, count } })),
  );
}

/** The frames of each phase where they belong in a map of this shape; zeros for a phase that no tap reaches. */
export function joinPhases(e: Emitter, phases: readonly (string | undefined)[], shape: Shape, { stride }: Sliding): string {
  const { frames, clips } = mapSize(shape, 'gradient');
  const each = [Math.ceil(frames / stride[0]) * clips, ...imageShape(shape).slice(1)];
  return interleaveFrames(e, phases.map((phase) => phase ?? e.filled(0, each)), frames, clips, each); // biome-ignore format: one line
}

/** dW as a convolution of each image and channel by its own gradient, then summed over images. */
export function emitDepthwiseWeightGradient(
  e: Emitter,
  op: OpOf<'depthwiseWeightGradient'>,
  { inputs, shape }: Expr,
  [dy = '', x = '']: readonly string[],
): string {
  const [dyShape = [], xShape = []] = inputs.map((operand) => operand.shape);
  const big = mapSize(xShape, op.kind);
  const small = mapSize(dyShape, op.kind);
  const [kt, kh, kw] = kernelOf(shape);
  const count = small.frames * small.clips;
  const kernel = e.reshape(dy, [count * small.channels, 1, small.height, small.width]);
  const parts = tapPicks(kt, op, small.frames).map((pick) => {
    const moved = pickFrames(e, images(e, x, xShape), pick, big.clips, imageShape(xShape));
    const whole = e.reshape(moved, [1, count * big.channels, big.height, big.width]);
    const seen = cropped(e, whole, kernelGradientPads(big, small, [kh, kw], op));
    const dots = e.node('Conv', [seen.x, kernel], {
      group: count * big.channels,
      kernel_shape: [small.height, small.width],
      dilations: [op.stride[1], op.stride[2]],
      pads: seen.pads,
    });
    return e.reshape(e.sum(e.reshape(dots, [count, small.channels, kh, kw]), [0]), [small.channels, 1, kh, kw]);
  });
  return parts.length === 1 && parts[0] ? parts[0] : e.node('Concat', parts, { axis: 1 });
}
