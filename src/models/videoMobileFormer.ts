/**
 * Video Mobile-Former (Wang et al. 2022, arXiv 2208.12257): Mobile-Former (Chen et al., CVPR 2022, arXiv 2108.05895) on clips. A
 * light 3-D CNN and a Transformer with few global tokens for the whole clip run side by side, joined in every block by a bridge of
 * cross-attention in each direction. With one frame it is the image network. The paper's code is not public; this follows the
 * structure of Mobile-Former as published, whose exact parameter counts it reproduces. How frames see each other, the whole clip or
 * only the past, is a rule of its own (time.ts); the layers and their parameters are the same.
 *
 * Shapes: features x [T, B, C, H, W]; tokens z in sets of M, one for each clip (S = B) or for each frame of each clip (S = T*B), as
 * rows [S*M, d].
 * Every convolution is followed by batch norm and has no bias.
 */

import { concat, reshape, slice, sum, transpose } from '../graph/arrange.js';
import { convolution } from '../graph/convolution.js';
import { add, gelu, hardSwish, clip as held, mul, relu, relu6, sub } from '../graph/elementwise.js';
import { constant, type Expr } from '../graph/expr.js';
import { blockDiagonal, pointwise, scaleShift, shuffleChannels, softmaxTokens } from '../graph/features.js';
import { matmul, softmax } from '../graph/linear.js';
import { mapSize } from '../graph/shape.js';
import type { BlockConfig, NetworkConfig } from './config.js';
import type { ConvSpec, Layers } from './layers.js';
import { linearReadout } from './linearReadout.js';
import { CausalClip, type Time, WholeClip } from './time.js';

/** What the network computes on the way, by the names used in its tests and in visualisations. */
export type Intermediates = Map<string, Expr>;

/** Sets of tokens, one after the other: rows [S*M, d] and M. */
interface Tokens {
  readonly rows: Expr;
  readonly each: number;
}

export interface ForwardOptions {
  /** Filled with named intermediates when given. */
  readonly keep?: Intermediates;
  /** Multiplied onto the head's hidden layer [B, F] in training: 0 or 1 / (1 - p). */
  readonly dropout?: Expr;
  /** What goes on instead of the stem's or a block's features, by their name in `keep`; for graphs that keep some from earlier runs. */
  readonly replace?: (name: string, value: Expr) => Expr;
  /** How frames see each other; by default as the configuration says, for a clip as a whole. */
  readonly time?: Time;
}

/** clip [T, B, 3, H, W], normalised -> logits [B, classes], or of as many sets of tokens as the rule of time wants. */
export function videoMobileFormer(layers: Layers, config: NetworkConfig, clip: Expr, options: ForwardOptions = {}): Expr {
  const keep = (name: string, value: Expr): Expr => {
    options.keep?.set(name, value);
    return value;
  };
  const { replace = (_, value) => value } = options;
  const time = options.time ?? timeOf(config, clip);
  let x = replace('stem', keep('stem', relu6(stem(layers.in('stem'), config.stem, clip))));
  let z = tokens(layers, config, time.sets(clip));
  config.blocks.forEach((block, i) => {
    [x, z] = runBlock(layers.in(`blocks.${i}`), time, block, config.groups, x, z);
    x = replace(`blocks.${i}.features`, keep(`blocks.${i}.features`, x));
    keep(`blocks.${i}.tokens`, z.rows);
  });
  z = mobileToFormer(layers.in('bridge'), time, x, { ...z, rows: time.wanted(z.rows) }); // S' sets
  keep('bridge.tokens', z.rows);
  const final = relu6(headConv(layers.in('head'), config.groups, x)); // [T, B, 6C, H, W]
  if (config.readout === 'linear') {
    const read = keep('readout', linearReadout(final, z.rows)); // [B, 18C + M*d]
    return keep('logits', layers.in('head').linear('linear', read, config.classes));
  }
  const pooled = keep('pooled', time.pool(final)); // [S', 6C]
  const hidden = keep('hidden', headHidden(layers.in('head'), config.head, pooled, z)); // [S', F]
  const kept = options.dropout ? mul(hidden, options.dropout) : hidden;
  return keep('logits', layers.in('head').linear('fc2', kept, config.classes));
}

/** The rule that a configuration asks for. The logits of a causal clip are those of its last frame, which has seen all of it. */
function timeOf(config: NetworkConfig, clip: Expr): Time {
  const { frames } = mapSize(clip.shape, 'clip');
  return config.causal ? new CausalClip(frames, config.frames, [frames - 1]) : new WholeClip();
}

/** The learned token table, the same for every set. */
function tokens(layers: Layers, config: NetworkConfig, sets: number): Tokens {
  const table = layers.weight('tokens', [config.tokens, config.tokenDim], { normal: 1 }, false);
  const zero = constant(new Float32Array(sets), [sets, 1, 1]);
  const spread = sets === 1 ? table : add(reshape(table, [1, config.tokens, config.tokenDim]), zero);
  return { rows: reshape(spread, [sets * config.tokens, config.tokenDim]), each: config.tokens };
}

/** 1x3x3, stride 2 in space. */
function stem(layers: Layers, out: number, clip: Expr): Expr {
  const weight = layers.weight('conv.weight', [out, 3, 1, 3, 3], { normal: Math.sqrt(2 / (9 * out)) }, true);
  return layers.normalised('bn', out, (scale, bias) => {
    const kernel = scale ? mul(weight, reshape(scale, [out, 1, 1, 1, 1])) : weight;
    return convolution(clip, kernel, { stride: 2, bias });
  });
}

/** 3x3 (1x3x3 or 3x3x3) depthwise convolution with channel multiplier, and batch norm. */
function depthwiseNorm(layers: Layers, time: Time, x: Expr, { expand = 1, temporal, stride = 1 }: ConvSpec): Expr {
  const out = mapSize(x.shape, 'depthwise').channels * expand;
  const weight = layers.weight('conv.weight', [out, 1, temporal, 3, 3], { normal: Math.sqrt(2 / (temporal * 9 * out)) }, true);
  return layers.normalised('bn', out, (scale, bias) => {
    const kernel = reshape(weight, [out, temporal, 3, 3]);
    return time.depthwise(x, scale ? mul(kernel, reshape(scale, [out, 1, 1, 1])) : kernel, stride, bias);
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

function runBlock(layers: Layers, time: Time, block: BlockConfig, groups: number, x: Expr, z: Tokens): [Expr, Tokens] {
  if (block.kind === 'lite') return [liteBlock(layers, time, block, groups, x), z];
  const informed = former(layers.in('former'), mobileToFormer(layers.in('mobile_to_former'), time, x, z));
  const y =
    block.kind === 'mf'
      ? mobileBlock(layers, time, block, groups, x, informed)
      : mobileDownBlock(layers, time, block, groups, x, informed);
  return [formerToMobile(layers.in('former_to_mobile'), time, y, informed), informed];
}

/** bneck-lite: expanding depthwise, ReLU6, pointwise; a skip where shapes allow. Tokens pass by. */
function liteBlock(layers: Layers, time: Time, block: BlockConfig & { kind: 'lite' }, groups: number, x: Expr): Expr {
  const { channels } = mapSize(x.shape, 'lite');
  const wide = relu6(depthwiseNorm(layers.in('conv1'), time, x, block));
  const y = pointwiseNorm(layers.in('conv2'), shuffleChannels(wide, groups > 1 ? channels : 1), block.out, groups);
  return block.stride === 1 && channels === block.out ? layers.residual(x, y) : y;
}

/** Stride 1: pointwise, dynamic ReLU, depthwise, dynamic ReLU, pointwise; a skip where widths allow. */
function mobileBlock(layers: Layers, time: Time, block: BlockConfig & { kind: 'mf' }, groups: number, x: Expr, z: Tokens): Expr {
  const { channels } = mapSize(x.shape, 'mf');
  const wide = shuffleChannels(pointwiseNorm(layers.in('conv1'), x, channels * block.expand, groups), groups);
  const first = dynamicRelu(layers.in('act1'), time, wide, z);
  const mixed = depthwiseNorm(layers.in('conv2'), time, first, { temporal: block.temporal });
  const narrow = pointwiseNorm(layers.in('conv3'), dynamicRelu(layers.in('act2'), time, mixed, z), block.out, groups);
  const y = shuffleChannels(narrow, groups);
  return channels === block.out ? layers.residual(x, y) : y;
}

/** Stride 2: two pairs of expanding depthwise and pointwise, the second with a skip of its own. */
function mobileDownBlock(
  layers: Layers,
  time: Time,
  block: BlockConfig & { kind: 'down' },
  groups: number,
  x: Expr,
  z: Tokens,
): Expr {
  const { channels } = mapSize(x.shape, 'down');
  const { temporal, expand, expand2, out } = block;
  const wide = depthwiseNorm(layers.in('conv1'), time, x, { expand, temporal, stride: 2 });
  const first = dynamicRelu(layers.in('act1'), time, shuffleChannels(wide, groups > 1 ? channels : 1), z);
  const u = pointwiseNorm(layers.in('conv2'), first, out, groups);
  const wider = depthwiseNorm(layers.in('conv3'), time, u, { expand: expand2, temporal });
  const second = dynamicRelu(layers.in('act2'), time, shuffleChannels(wider, groups > 1 ? out : 1), z);
  return layers.residual(u, pointwiseNorm(layers.in('conv4'), second, out, groups));
}

/** max(a1 x, a2 x) with slopes per set of tokens and channel computed from token 0: a1 in [0, 2], a2 in [-1, 1]. No intercepts. */
function dynamicRelu(layers: Layers, time: Time, x: Expr, z: Tokens): Expr {
  const { channels } = mapSize(x.shape, 'dynamicRelu');
  const inner = relu(layers.linear('fc1', firstToken(z), (z.rows.shape[1] ?? 0) / 4));
  // 2 hardSigmoid(v) - 1 is v / 3 held within +-1; [S, 2C] of a1 - 1 and a2.
  const theta = held(layers.linear('fc2', inner, 2 * channels, { factor: 1 / 3 }), -1, 1);
  const a2 = slice(theta, 1, channels, 2 * channels);
  const difference = add(sub(slice(theta, 1, 0, channels), a2), 1); // a1 - a2
  const own = time.asTokensSee(x);
  return time.asFrames(add(scaleShift(own, a2), relu(scaleShift(own, difference)))); // = max(a1 x, a2 x)
}

/** -> [S, d] */
function firstToken({ rows, each }: Tokens): Expr {
  const [count = 0, d = 0] = rows.shape;
  return slice(reshape(rows, [count / each, each * d]), 1, 0, d);
}

/** Two heads of tokens side by side, each zero outside its own channels: rows [S*M, C] -> [S, 2M, C]. */
function twoHeads(rows: Expr, each: number): Expr {
  const [count = 0, channels = 0] = rows.shape;
  const sets = count / each;
  return reshape(mul(reshape(rows, [sets, 1, each, channels]), headMask(channels)), [sets, 2 * each, channels]);
}

/** [2, 1, C]: 1 where a channel belongs to the head. */
function headMask(channels: number): Expr {
  const own = Float32Array.from({ length: 2 * channels }, (_, i) =>
    i < channels ? Number(i < channels / 2) : Number(i >= channels * 1.5),
  );
  return constant(own, [2, 1, channels]);
}

/**
 * Mobile -> Former: tokens query the raw features of all positions of the frames they see (keys = values = features, no
 * projection), a gate weighs what they found per token and channel, and a layer norm follows the residual.
 */
function mobileToFormer(layers: Layers, time: Time, x: Expr, { rows: z, each }: Tokens): Tokens {
  const { channels } = mapSize(x.shape, 'mobileToFormer');
  const [count = 0, d = 0] = z.shape;
  const query = twoHeads(layers.linear('query', z, channels, { factor: (channels / 2) ** -0.5 }), each);
  const seen = reshape(time.attend(x, query), [count / each, 2, each, channels]);
  const found = sum(mul(seen, headMask(channels)), [1], [count, channels]);
  const gate = held(layers.linear('gate', z, channels, { factor: 1 / 3, plus: 1 }), 0, 2); // 2 hardSigmoid
  return { rows: layers.norm('norm', add(z, layers.linear('out', mul(found, gate), d))), each };
}

/** Self-attention with 4 heads over the tokens (only the query is projected), then a feed-forward of ratio 2; post-norm. */
function former(layers: Layers, { rows: z, each }: Tokens): Tokens {
  const [count = 0, d = 0] = z.shape;
  const split = (t: Expr) => transpose(reshape(t, [count / each, each, 4, d / 4]), [0, 2, 1, 3]); // [S, 4, M, d/4]
  const heads = split(z);
  const queries = split(layers.linear('query', z, d, { factor: (d / 4) ** -0.5 }));
  const scores = matmul(queries, heads, { transposeB: true });
  const merged = reshape(transpose(matmul(softmax(scores), heads), [0, 2, 1, 3]), [count, d]);
  const attended = layers.norm('norm1', add(z, layers.linear('out', merged, d)));
  const wide = gelu(layers.linear('ffn_in', attended, 2 * d));
  return { rows: layers.norm('norm2', add(attended, layers.linear('ffn_out', wide, d))), each };
}

/** Former -> Mobile: raw features query projected tokens; a plain residual. */
function formerToMobile(layers: Layers, time: Time, x: Expr, { rows: z, each }: Tokens): Expr {
  const { channels } = mapSize(x.shape, 'formerToMobile');
  const key = twoHeads(layers.linear('key', z, channels, { factor: (channels / 2) ** -0.5 }), each);
  const value = twoHeads(layers.linear('value', z, channels), each);
  const own = time.asTokensSee(x);
  const attention = softmaxTokens(pointwise(own, key), 2); // [.., S, 2M, H, W]
  return time.asFrames(add(own, pointwise(attention, transpose(value, [0, 2, 1]))));
}

function headConv(layers: Layers, groups: number, x: Expr): Expr {
  return pointwiseNorm(layers.in('conv'), shuffleChannels(x, groups), mapSize(x.shape, 'head').channels * 6, groups);
}

/** Pooled features and token 0 side by side, linear, batch norm over the batch, hard-swish. -> [S', F] */
function headHidden(layers: Layers, width: number, pooled: Expr, z: Tokens): Expr {
  const both = concat([hardSwish(pooled), firstToken(z)], 1);
  return hardSwish(layers.batchNorm('bn', layers.linear('fc1', both, width)));
}
