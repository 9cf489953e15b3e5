/**
 * Spatial and spatio-temporal convolutions on feature maps [T, B, C, H, W], without bias unless given, zero padding of half the
 * kernel in space and time, stride in space only. Cross-correlation, as everywhere in this field.
 */

import { concat, slice, sum } from './arrange.js';
import { type Expr, expr } from './expr.js';
import { channelSum } from './features.js';
import { mapSize, need, type Shape } from './shape.js';

const strided = (size: number, stride: number): number => Math.ceil(size / stride);

/**
 * Depthwise convolution. weight [C * e, kt, k, k]: input channel c gives output channels c*e .. c*e + e - 1; k = 3. Tap k of the kt
 * in time sees the frame k - (kt - 1) / 2 - lag after the result's: with lag 0 as many before as after, with (kt - 1) / 2 none after.
 * -> [T, B, C * e, ceil(H / stride), ceil(W / stride)]
 */
export function depthwise(x: Expr, weight: Expr, stride: number, bias?: Expr, lag = 0): Expr {
  const { frames, clips, channels, height, width } = mapSize(x.shape, 'depthwise');
  const [out = 0, kt = 0, k = 0, k2] = weight.shape;
  const first = (1 - kt) / 2 - lag; // where tap 0 looks
  const fits = weight.shape.length === 4 && out % channels === 0 && k === k2 && k === 3 && Number.isInteger(first);
  need(fits, `depthwise: weight, lag ${lag}`, weight.shape, x.shape);
  const inside = [...Array(kt).keys()].filter((tap) => Math.abs(first + tap) < frames);
  const [from = 0] = inside;
  if (inside.length < kt) {
    const kept = slice(weight, 1, from, from + inside.length); // others see only padding
    return depthwise(x, kept, stride, bias, -first - from + (1 - inside.length) / 2);
  }
  const shape = [frames, clips, out, strided(height, stride), strided(width, stride)];
  return expr({ kind: 'depthwise', stride, lag }, bias ? [x, weight, bias] : [x, weight], shape, (dy) => [
    depthwiseInputGradient(dy, weight, x.shape, stride, lag),
    depthwiseWeightGradient(dy, x, weight.shape, stride, lag),
    sum(channelSum(dy), [0], [out]),
  ]);
}

/**
 * Depthwise convolution whose taps in time are given one by one: tap k of weight [C * e, kt, 3, 3] sees maps[k], all of one shape
 * [T, B, C, H, W], and the results are added. For frames that come one at a time. -> as depthwise
 */
export function depthwiseTaps(maps: readonly Expr[], weight: Expr, stride: number, bias?: Expr): Expr {
  const [first] = maps;
  const [out = 0, kt, k] = weight.shape;
  const { frames, clips, channels, height, width } = mapSize(first?.shape ?? [], 'depthwiseTaps');
  const alike = maps.every((map) => map.shape.join() === first?.shape.join());
  need(alike && kt === maps.length && out % channels === 0 && k === 3, 'depthwiseTaps: weight', weight.shape, first?.shape ?? []);
  const shape = [frames, clips, out, strided(height, stride), strided(width, stride)];
  return expr({ kind: 'depthwiseTaps', stride }, [...maps, weight, ...(bias ? [bias] : [])], shape, (dy) => [
    ...maps.map((map, tap) => depthwiseInputGradient(dy, slice(weight, 1, tap, tap + 1), map.shape, stride, 0)),
    concat(
      maps.map((map) => depthwiseWeightGradient(dy, map, [out, 1, 3, 3], stride, 0)),
      1,
    ),
    sum(channelSum(dy), [0], [out]),
  ]);
}

function depthwiseInputGradient(dy: Expr, weight: Expr, shape: Shape, stride: number, lag: number): Expr {
  return expr({ kind: 'depthwiseInputGradient', stride, lag }, [dy, weight], shape);
}

function depthwiseWeightGradient(dy: Expr, x: Expr, shape: Shape, stride: number, lag: number): Expr {
  return expr({ kind: 'depthwiseWeightGradient', stride, lag }, [dy, x], shape);
}

/** Full convolution of each frame. weight [O, C, k, k]. -> [T, B, O, ceil(H / stride), ceil(W / stride)]. No gradient for x. */
export function convolution(x: Expr, weight: Expr, stride: number, bias?: Expr): Expr {
  const { frames, clips, channels, height, width } = mapSize(x.shape, 'convolution');
  const [out = 0, into, k = 0, k2] = weight.shape;
  need(weight.shape.length === 4 && into === channels && k === k2 && k === 3, 'convolution: weight', weight.shape, x.shape);
  const shape = [frames, clips, out, strided(height, stride), strided(width, stride)];
  return expr({ kind: 'convolution', stride }, bias ? [x, weight, bias] : [x, weight], shape, (dy) => [
    undefined,
    expr({ kind: 'convolutionWeightGradient', stride }, [dy, x], weight.shape),
    sum(channelSum(dy), [0], [out]),
  ]);
}
