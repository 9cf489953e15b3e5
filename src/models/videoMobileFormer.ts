/**
 * Video Mobile-Former (Wang et al. 2022, arXiv 2208.12257): Mobile-Former (Chen et al., CVPR 2022, arXiv 2108.05895) on clips. A
 * light 3-D CNN and a Transformer with few global tokens for the whole clip run side by side, joined in every block by a bridge of
 * cross-attention in each direction. With one frame it is the image network. The paper's code is not public; this follows the
 * structure of Mobile-Former as published, whose exact parameter counts it reproduces.
 *
 * Shapes: features x [T, B, C, H, W], tokens z [B, M, d]. Every convolution is followed by batch norm and has no bias.
 */

import { concat, reshape, slice, sum, transpose } from '../graph/arrange.js';
import { convolution, depthwise } from '../graph/convolution.js';
import { add, gelu, hardSigmoid, hardSwish, mul, relu, relu6, sub } from '../graph/elementwise.js';
import { constant, type Expr } from '../graph/expr.js';
import {
  blockDiagonal,
  globalAverage,
  gram,
  pointwise,
  scaleShift,
  shuffleChannels,
  softmaxPositions,
  softmaxTokens,
} from '../graph/features.js';
import { matmul, softmax } from '../graph/linear.js';
import { mapSize } from '../graph/shape.js';
import type { BlockConfig, NetworkConfig } from './config.js';
import type { ConvSpec, Layers } from './layers.js';

/** What the network computes on the way, by the names used in its tests and in visualisations. */
export type Intermediates = Map<string, Expr>;

export interface ForwardOptions {
  /** Filled with named intermediates when given. */
  readonly keep?: Intermediates;
  /** Multiplied onto the head's hidden layer [B, F] in training: 0 or 1 / (1 - p). */
  readonly dropout?: Expr;
}

/** clip [T, B, 3, H, W], normalised -> logits [B, classes]. */
export function videoMobileFormer(layers: Layers, config: NetworkConfig, clip: Expr, options: ForwardOptions = {}): Expr {
  const keep = (name: string, value: Expr): Expr => {
    options.keep?.set(name, value);
    return value;
  };
  const { clips } = mapSize(clip.shape, 'clip');
  let x = keep('stem', relu6(stem(layers.in('stem'), config.stem, clip)));
  let z = tokens(layers, config, clips);
  config.blocks.forEach((block, i) => {
    [x, z] = runBlock(layers.in(`blocks.${i}`), block, config.groups, x, z);
    keep(`blocks.${i}.features`, x);
    keep(`blocks.${i}.tokens`, z);
  });
  z = keep('bridge.tokens', mobileToFormer(layers.in('bridge'), x, z));
  const pooled = keep('pooled', globalAverage(relu6(headConv(layers.in('head'), config.groups, x)))); // [B, 6C]
  const hidden = keep('hidden', headHidden(layers.in('head'), config.head, pooled, z)); // [B, F]
  const kept = options.dropout ? mul(hidden, options.dropout) : hidden;
  return keep('logits', layers.in('head').linear('fc2', kept, config.classes));
}

/** The learned token table, the same for every clip. -> [B, M, d] */
function tokens(layers: Layers, config: NetworkConfig, clips: number): Expr {
  const table = layers.weight('tokens', [config.tokens, config.tokenDim], { normal: 1 }, false);
  const zero = constant(new Float32Array(clips), [clips, 1, 1]);
  return add(reshape(table, [1, config.tokens, config.tokenDim]), zero);
}

/** 1x3x3, stride 2 in space. */
function stem(layers: Layers, out: number, clip: Expr): Expr {
  const weight = layers.weight('conv.weight', [out, 3, 1, 3, 3], { normal: Math.sqrt(2 / (9 * out)) }, true);
  return layers.normalised('bn', out, (scale, bias) => {
    const kernel = reshape(weight, [out, 3, 3, 3]);
    return convolution(clip, scale ? mul(kernel, reshape(scale, [out, 1, 1, 1])) : kernel, 2, bias);
  });
}

/** 3x3 (1x3x3 or 3x3x3) depthwise convolution with channel multiplier, and batch norm. */
function depthwiseNorm(layers: Layers, x: Expr, { expand = 1, temporal, stride = 1 }: ConvSpec): Expr {
  const out = mapSize(x.shape, 'depthwise').channels * expand;
  const weight = layers.weight('conv.weight', [out, 1, temporal, 3, 3], { normal: Math.sqrt(2 / (temporal * 9 * out)) }, true);
  return layers.normalised('bn', out, (scale, bias) => {
    const kernel = reshape(weight, [out, temporal, 3, 3]);
    return depthwise(x, scale ? mul(kernel, reshape(scale, [out, 1, 1, 1])) : kernel, stride, bias);
  });
}

/** 1x1x1 convolution, in groups or not, and batch norm. */
function pointwiseNorm(layers: Layers, x: Expr, out: number, groups: number): Expr {
  const { channels } = mapSize(x.shape, 'pointwise');
  const weight = layers.weight('conv.weight', [out, channels / groups, 1, 1, 1], { normal: Math.sqrt(2 / out) }, true);
  return layers.normalised('bn', out, (scale, bias) => {
    const matrix = blockDiagonal(reshape(weight, [out, channels / groups]), groups);
    return pointwise(x, scale ? mul(matrix, reshape(scale, [out, 1])) : matrix, bias);
  });
}

function runBlock(layers: Layers, block: BlockConfig, groups: number, x: Expr, z: Expr): [Expr, Expr] {
  if (block.kind === 'lite') return [liteBlock(layers, block, groups, x), z];
  const informed = former(layers.in('former'), mobileToFormer(layers.in('mobile_to_former'), x, z));
  const y =
    block.kind === 'mf' ? mobileBlock(layers, block, groups, x, informed) : mobileDownBlock(layers, block, groups, x, informed);
  return [formerToMobile(layers.in('former_to_mobile'), y, informed), informed];
}

/** bneck-lite: expanding depthwise, ReLU6, pointwise; a skip where shapes allow. Tokens pass by. */
function liteBlock(layers: Layers, block: BlockConfig & { kind: 'lite' }, groups: number, x: Expr): Expr {
  const { channels } = mapSize(x.shape, 'lite');
  const wide = relu6(depthwiseNorm(layers.in('conv1'), x, block));
  const y = pointwiseNorm(layers.in('conv2'), shuffleChannels(wide, groups > 1 ? channels : 1), block.out, groups);
  return block.stride === 1 && channels === block.out ? add(x, y) : y;
}

/** Stride 1: pointwise, dynamic ReLU, depthwise, dynamic ReLU, pointwise; a skip where widths allow. */
function mobileBlock(layers: Layers, block: BlockConfig & { kind: 'mf' }, groups: number, x: Expr, z: Expr): Expr {
  const { channels } = mapSize(x.shape, 'mf');
  const wide = shuffleChannels(pointwiseNorm(layers.in('conv1'), x, channels * block.expand, groups), groups);
  const mixed = depthwiseNorm(layers.in('conv2'), dynamicRelu(layers.in('act1'), wide, z), { temporal: block.temporal });
  const narrow = pointwiseNorm(layers.in('conv3'), dynamicRelu(layers.in('act2'), mixed, z), block.out, groups);
  const y = shuffleChannels(narrow, groups);
  return channels === block.out ? add(x, y) : y;
}

/** Stride 2: two pairs of expanding depthwise and pointwise, the second with a skip of its own. */
function mobileDownBlock(layers: Layers, block: BlockConfig & { kind: 'down' }, groups: number, x: Expr, z: Expr): Expr {
  const { channels } = mapSize(x.shape, 'down');
  const { temporal, expand, expand2, out } = block;
  const wide = depthwiseNorm(layers.in('conv1'), x, { expand, temporal, stride: 2 });
  const first = dynamicRelu(layers.in('act1'), shuffleChannels(wide, groups > 1 ? channels : 1), z);
  const u = pointwiseNorm(layers.in('conv2'), first, out, groups);
  const wider = depthwiseNorm(layers.in('conv3'), u, { expand: expand2, temporal });
  const second = dynamicRelu(layers.in('act2'), shuffleChannels(wider, groups > 1 ? out : 1), z);
  return add(u, pointwiseNorm(layers.in('conv4'), second, out, groups));
}

/** max(a1 x, a2 x) with slopes per clip and channel computed from token 0: a1 in [0, 2], a2 in [-1, 1]. No intercepts. */
function dynamicRelu(layers: Layers, x: Expr, z: Expr): Expr {
  const { clips, channels } = mapSize(x.shape, 'dynamicRelu');
  const d = z.shape[2] ?? 0;
  const first = reshape(slice(z, 1, 0, 1), [clips, d]);
  const theta = hardSigmoid(layers.linear('fc2', relu(layers.linear('fc1', first, d / 4)), 2 * channels)); // [B, 2C]
  const a1 = mul(slice(theta, 1, 0, channels), 2);
  const a2 = sub(mul(slice(theta, 1, channels, 2 * channels), 2), 1);
  return add(scaleShift(x, a2), relu(scaleShift(x, sub(a1, a2)))); // = max(a1 x, a2 x)
}

/** Two heads of tokens side by side, each zero outside its own channels: t [B, M, C] -> [B, 2M, C]. */
function twoHeads(t: Expr): Expr {
  const [clips = 0, count = 0, channels = 0] = t.shape;
  return reshape(mul(reshape(t, [clips, 1, count, channels]), headMask(channels)), [clips, 2 * count, channels]);
}

/** [2, 1, C]: 1 where a channel belongs to the head. */
function headMask(channels: number): Expr {
  const own = Float32Array.from({ length: 2 * channels }, (_, i) =>
    i < channels ? Number(i < channels / 2) : Number(i >= channels * 1.5),
  );
  return constant(own, [2, 1, channels]);
}

/**
 * Mobile -> Former: tokens query the raw features of all T*H*W positions (keys = values = features, no projection), a gate
 * weighs what they found per token and channel, and a layer norm follows the residual.
 */
function mobileToFormer(layers: Layers, x: Expr, z: Expr): Expr {
  const { clips, channels } = mapSize(x.shape, 'mobileToFormer');
  const count = z.shape[1] ?? 0;
  const query = twoHeads(mul(layers.linear('query', z, channels), (channels / 2) ** -0.5));
  const attention = softmaxPositions(pointwise(x, query)); // [T, B, 2M, H, W]
  const seen = reshape(gram(attention, x, true), [clips, 2, count, channels]);
  const found = sum(mul(seen, headMask(channels)), [1], [clips, count, channels]);
  const gate = mul(hardSigmoid(layers.linear('gate', z, channels)), 2);
  return layers.norm('norm', add(z, layers.linear('out', mul(found, gate), z.shape[2] ?? 0)));
}

/** Self-attention with 4 heads over the tokens (only the query is projected), then a feed-forward of ratio 2; post-norm. */
function former(layers: Layers, z: Expr): Expr {
  const [clips = 0, count = 0, d = 0] = z.shape;
  const split = (t: Expr) => transpose(reshape(t, [clips, count, 4, d / 4]), [0, 2, 1, 3]); // [B, 4, M, d/4]
  const tokens = split(z);
  const scores = mul(matmul(split(layers.linear('query', z, d)), tokens, { transposeB: true }), (d / 4) ** -0.5);
  const merged = reshape(transpose(matmul(softmax(scores), tokens), [0, 2, 1, 3]), [clips, count, d]);
  const attended = layers.norm('norm1', add(z, layers.linear('out', merged, d)));
  const wide = gelu(layers.linear('ffn_in', attended, 2 * d));
  return layers.norm('norm2', add(attended, layers.linear('ffn_out', wide, d)));
}

/** Former -> Mobile: raw features query projected tokens; a plain residual. */
function formerToMobile(layers: Layers, x: Expr, z: Expr): Expr {
  const { channels } = mapSize(x.shape, 'formerToMobile');
  const key = twoHeads(mul(layers.linear('key', z, channels), (channels / 2) ** -0.5));
  const value = twoHeads(layers.linear('value', z, channels));
  const attention = softmaxTokens(pointwise(x, key), 2); // [T, B, 2M, H, W]
  return add(x, pointwise(attention, transpose(value, [0, 2, 1])));
}

function headConv(layers: Layers, groups: number, x: Expr): Expr {
  return pointwiseNorm(layers.in('conv'), shuffleChannels(x, groups), mapSize(x.shape, 'head').channels * 6, groups);
}

/** Pooled features and token 0 side by side, linear, batch norm over the batch, hard-swish. -> [B, F] */
function headHidden(layers: Layers, width: number, pooled: Expr, z: Expr): Expr {
  const [clips = 0, , d = 0] = z.shape;
  const both = concat([hardSwish(pooled), reshape(slice(z, 1, 0, 1), [clips, d])], 1);
  return hardSwish(layers.batchNorm('bn', layers.linear('fc1', both, width)));
}
