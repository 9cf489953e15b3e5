/**
 * Operators on feature maps [T, B, C, H, W] (T frames, B clips, C channels): the few from which every layer that is not a spatial
 * convolution is made, chosen so that they are closed under differentiation and each is one pass over memory when lowered.
 */

import { reshape, sum, transpose } from './arrange.js';
import { add, mul, sub } from './elementwise.js';
import { asMap, constant, type Expr, expr, filled, mapExpr } from './expr.js';
import { mapSize, need } from './shape.js';

/** scale * x + shift with scale and shift [1, C] (one for all clips) or [B, C]. Chains of them are merged into one. */
export function scaleShift(map: Expr, scale: Expr, shift: Expr = filled(0, scale.shape)): Expr {
  const x = asMap(map);
  const { clips, channels } = mapSize(x.shape, 'scaleShift');
  const [inner, innerScale, innerShift] = x.inputs;
  if (x.op.kind === 'scaleShift' && inner && innerScale && innerShift) {
    return scaleShift(inner, mul(innerScale, scale), add(mul(innerShift, scale), shift));
  }
  const rows = Math.max(scale.shape[0] ?? 0, shift.shape[0] ?? 0);
  const fits = (v: Expr) => v.shape.length === 2 && v.shape[1] === channels && (v.shape[0] === 1 || v.shape[0] === clips);
  need(fits(scale) && fits(shift), `scaleShift: ${rows} rows for [B|1, C] = [${clips}, ${channels}]`, scale.shape, shift.shape);
  return mapExpr({ kind: 'scaleShift' }, [x, scale, shift], x.shape, (dy) => [
    scaleShift(dy, scale),
    overClips(channelDot(dy, x), scale),
    overClips(channelSum(dy), shift),
  ]);
}

/** Sums [B, C] over clips where the operand had one row for all of them. */
const overClips = (perClip: Expr, like: Expr): Expr => (like.shape[0] === 1 ? sum(perClip, [0]) : perClip);

/** Sum over frames and positions, [B, C]. */
export function channelSum(map: Expr): Expr {
  const x = asMap(map);
  const { clips, channels } = mapSize(x.shape, 'channelSum');
  return expr({ kind: 'channelSum' }, [x], [clips, channels], (dy) => [scaleShift(x, filled(0, dy.shape), dy)]);
}

/** Sum over frames and positions of x * y, [B, C]. */
export function channelDot(a: Expr, b: Expr): Expr {
  const [x, y] = [asMap(a), asMap(b)];
  const { clips, channels } = mapSize(x.shape, 'channelDot');
  need(x.shape.join() === y.shape.join(), 'channelDot: maps differ', x.shape, y.shape);
  return expr({ kind: 'channelDot' }, [x, y], [clips, channels], (dy) => [scaleShift(y, dy), scaleShift(x, dy)]);
}

/**
 * A 1x1 convolution: weight [O, C], or [B, O, C] with one matrix a clip; bias [O] if any. With groups the weight is [O, C / groups], or
 * already [.., O, C] with zeros outside each group. -> [T, B, O, H, W]
 */
export function pointwise(map: Expr, kernel: Expr, bias?: Expr, groups = 1): Expr {
  const narrow = kernel.shape.length === 2 && kernel.shape[1] !== map.shape[2];
  const weight = narrow ? blockDiagonal(kernel, groups) : kernel;
  const x = asMap(map);
  const { frames, clips, channels, height, width } = mapSize(x.shape, 'pointwise');
  const perClip = weight.shape.length === 3;
  const [out = 0, into = 0] = weight.shape.slice(-2);
  need(into === channels && (!perClip || weight.shape[0] === clips), 'pointwise: weight', weight.shape, x.shape);
  const flipped = transpose(weight, perClip ? [0, 2, 1] : [1, 0]);
  const inputs = bias ? [x, weight, bias] : [x, weight];
  return mapExpr({ kind: 'pointwise', perClip, groups }, inputs, [frames, clips, out, height, width], (dy) => [
    pointwise(dy, flipped, undefined, groups),
    gram(dy, x, perClip, groups),
    sum(channelSum(dy), [0], [out]),
  ]);
}

/**
 * Products of channels summed over frames and positions: y [T,B,O,H,W], x [T,B,C,H,W] -> [O, C], or per clip [B, O, C]. With groups only
 * products within a group are wanted of the result.
 */
export function gram(left: Expr, right: Expr, perClip: boolean, groups = 1): Expr {
  const [y, x] = [asMap(left), asMap(right)];
  const a = mapSize(y.shape, 'gram');
  const b = mapSize(x.shape, 'gram');
  need(a.frames === b.frames && a.clips === b.clips && a.height === b.height, 'gram: maps differ', y.shape, x.shape);
  const shape = perClip ? [a.clips, a.channels, b.channels] : [a.channels, b.channels];
  return expr({ kind: 'gram', perClip, groups }, [y, x], shape, (dy) => [
    pointwise(x, dy),
    pointwise(y, transpose(dy, perClip ? [0, 2, 1] : [1, 0])),
  ]);
}

/** Softmax over all frames and positions of a clip, separately for each channel. */
export function softmaxPositions(x: Expr): Expr {
  const y: Expr = mapExpr({ kind: 'softmaxPositions' }, [asMap(x)], x.shape, (dy) => {
    const total = channelDot(dy, y); // [B, C]
    return [mul(y, scaleShift(dy, filled(1, total.shape), mul(total, -1)))];
  });
  return y;
}

/** Softmax at each position over the M channels of each head; channels are [heads * M]. */
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
export function sameHead(channels: number, heads: number): Expr {
  const each = channels / heads;
  const at = (i: number) => (Math.floor(Math.floor(i / channels) / each) === Math.floor((i % channels) / each) ? 1 : 0);
  return constant(
    Float32Array.from({ length: channels * channels }, (_, i) => at(i)),
    [channels, channels],
  );
}

/**
 * The same images, grouped into `frames` frames of clips: image t * B + b of [T, B, C, H, W] stays where it is. With one frame every
 * image is a clip of its own, which makes whatever works clip by clip work frame by frame. Costs nothing.
 */
export function regroup(map: Expr, frames: number): Expr {
  const x = asMap(map);
  const size = mapSize(x.shape, 'regroup');
  const images = size.frames * size.clips;
  need(images % frames === 0, `regroup: ${frames} frames`, x.shape);
  if (frames === size.frames) return x;
  const [inner, scale, shift] = x.inputs;
  // One scale for all clips does not care what a clip is: the two change places, so that scales on both sides become one.
  if (x.op.kind === 'scaleShift' && inner && scale && shift && scale.shape[0] === 1 && shift.shape[0] === 1)
    return scaleShift(regroup(inner, frames), scale, shift);
  const shape = [frames, images / frames, ...x.shape.slice(2)];
  return mapExpr({ kind: 'regroup' }, [x], shape, (dy) => [regroup(dy, size.frames)]);
}

/** ShuffleNet's channel shuffle: channels seen as [groups, C / groups], transposed. */
export function shuffleChannels(x: Expr, groups: number): Expr {
  const { channels } = mapSize(x.shape, 'shuffleChannels');
  need(channels % groups === 0, `shuffleChannels: ${groups} groups`, x.shape);
  if (groups === 1) return x;
  return mapExpr({ kind: 'shuffleChannels', groups }, [asMap(x)], x.shape, (dy) => [shuffleChannels(dy, channels / groups)]);
}

/** Mean over frames and positions, [B, C]. */
export function globalAverage(x: Expr): Expr {
  const { frames, height, width } = mapSize(x.shape, 'globalAverage');
  return mul(channelSum(x), 1 / (frames * height * width));
}

/** A block-diagonal matrix [O, I] from grouped weights [O, I / groups]: a grouped 1x1 convolution as a dense one. */
export function blockDiagonal(weight: Expr, groups: number): Expr {
  if (groups === 1) return weight;
  const [out = 0, into = 0] = weight.shape;
  const each = out / groups;
  const mask = Float32Array.from({ length: out * groups }, (_, i) =>
    Math.floor(Math.floor(i / groups) / each) === i % groups ? 1 : 0,
  );
  const wide = mul(reshape(weight, [out, 1, into]), constant(mask, [out, groups, 1])); // [O, groups, I / groups]
  return reshape(wide, [out, groups * into]);
}
