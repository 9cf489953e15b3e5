/**
 * Spatial and spatio-temporal convolutions on feature maps [T, B, C, H, W], without bias unless given, zero padding of half the
 * kernel in space and time, stride in space only. Cross-correlation, as everywhere in this field.
 */

import { slice, sum } from './arrange.js';
import { type Expr, expr } from './expr.js';
import { channelSum } from './features.js';
import { mapSize, need, type Shape } from './shape.js';

const strided = (size: number, stride: number): number => Math.ceil(size / stride);

/**
 * Depthwise convolution. weight [C * e, kt, k, k]: input channel c gives output channels c*e .. c*e + e - 1; kt and k odd.
 * -> [T, B, C * e, ceil(H / stride), ceil(W / stride)]
 */
export function depthwise(x: Expr, weight: Expr, stride: number, bias?: Expr): Expr {
  const { frames, clips, channels, height, width } = mapSize(x.shape, 'depthwise');
  const [out = 0, kt = 0, k = 0, k2] = weight.shape;
  need(
    weight.shape.length === 4 && out % channels === 0 && k === k2 && k === 3 && kt % 2 === 1,
    'depthwise: weight',
    weight.shape,
    x.shape,
  );
  if (frames <= (kt - 1) / 2) return depthwise(x, slice(weight, 1, (kt - 1) / 2, (kt + 1) / 2), stride, bias); // others see only padding
  const shape = [frames, clips, out, strided(height, stride), strided(width, stride)];
  return expr({ kind: 'depthwise', stride }, bias ? [x, weight, bias] : [x, weight], shape, (dy) => [
    depthwiseInputGradient(dy, weight, x.shape, stride),
    expr({ kind: 'depthwiseWeightGradient', stride }, [dy, x], weight.shape),
    sum(channelSum(dy), [0], [out]),
  ]);
}

function depthwiseInputGradient(dy: Expr, weight: Expr, shape: Shape, stride: number): Expr {
  return expr({ kind: 'depthwiseInputGradient', stride }, [dy, weight], shape);
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
