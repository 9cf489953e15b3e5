/**
 * Video Mobile-Former (Wang et al. 2022, arXiv 2208.12257): Mobile-Former (Chen et al., CVPR 2022, arXiv 2108.05895) on clips,
 * after the published image network, whose parameter counts it reproduces. Features x [T, B, C, H, W]; tokens z as rows [S*M, d], S
 * = B or T*B sets of M. Convolutions have batch norm and no bias.
 */

import { constant, type Expr } from '../graph/expr.js';
import { gelu, hardSwish } from '../graph/operators/activations.js';
import { add, mul, sub } from '../graph/operators/arithmetic.js';
import { channelAffine } from '../graph/operators/channelAffine.js';
import { convolution } from '../graph/operators/convolution.js';
import { matmul } from '../graph/operators/matmul.js';
import { pointwise } from '../graph/operators/pointwise.js';
import { sum } from '../graph/operators/reduction.js';
import { reshape } from '../graph/operators/reshape.js';
import { shuffleChannels } from '../graph/operators/shuffleChannels.js';
import { concat, slice } from '../graph/operators/sliceConcat.js';
import { softmax } from '../graph/operators/softmax.js';
import { softmaxTokens } from '../graph/operators/tokenSoftmax.js';
import { transpose } from '../graph/operators/transpose.js';
import { clip as clamp, relu, relu6 } from '../graph/operators/unary.js';
import { mapSize } from '../graph/shape.js';
import { linearReadout } from './linearReadout.js';
import type { Features, Forward, Level, Model, Part, Place } from './model.js';
import { readoutDepth } from './multilevelReadout.js';
import type { Scope } from './scope.js';
import type { Time } from './time.js';
import {
  type BlockConfig,
  type VideoMobileFormerConfig as Config,
  family,
  schema,
  variants,
  widthProblem,
} from './videoMobileFormerConfig.js';

export const videoMobileFormer: Model<Config> = {
  ...{ family, schema, variants, check: widthProblem, features, head, parts },
  readout: ({ map, tokens }) => linearReadout(map, tokens as Expr),
  isClassifier: (name) => name.startsWith('head.fc2.'),
  layerGroup: depthOf,
  front: ({ blocks: [first], frames }) => {
    if (first?.kind !== 'lite') return { frame: 'stem' };
    return first.temporal === 3 && frames > 1
      ? { frame: 'stem', neighbours: 'blocks.0.features' }
      : { frame: 'blocks.0.features' };
  },
  attention: {
    tokens: ({ tokens }) => tokens,
    places,
    reaches,
    caveat: ({ readout }) =>
      `${readout ? 'like the others token 0 feeds the head, and it alone sets' : 'token 0 also feeds the head and sets'} the slopes of the dynamic ReLUs: its effect is of all that together.`,
  },
  facts: ({ layout, tokens, tokenDim }) => ({ layout, tokens, tokenDim }),
  traits: ({ blocks, tokens, tokenDim }) => ({
    'temporal kernels': `${blocks.filter(({ temporal }) => temporal > 1).length} of ${blocks.length} blocks`,
    tokens: `${tokens} × ${tokenDim}`,
  }),
};

/** Sets of tokens, one after the other: rows [S*M, d] and M. */
interface Tokens {
  readonly rows: Expr;
  readonly each: number;
}

interface ConvSpec {
  readonly expand?: number;
  readonly temporal: number;
  readonly stride?: number;
}

/** clip [T, B, 3, H, W], normalised -> final map [T, B, 6C, H', W'], and the tokens of as many sets as the rule of time wants. */
function features(scope: Scope, config: Config, clip: Expr, { time, mark }: Forward): Features {
  let x = mark('stem', relu6(stem(scope.in('stem'), config.stem, clip)));
  let z = tokens(scope, config, time.sets(clip));
  mark('tokens', z.rows);
  const levels: Level[] = [];
  config.blocks.forEach((block, i) => {
    [x, z] = runBlock(scope.in(`blocks.${i}`), time, block, config.groups, x, z);
    x = mark(`blocks.${i}.features`, x);
    levels.push({ map: x, tokens: mark(`blocks.${i}.tokens`, z.rows) });
  });
  z = mobileToFormer(scope.in('bridge'), time, x, { ...z, rows: time.wanted(z.rows) }); // S' sets
  mark('bridge.tokens', z.rows);
  return { map: relu6(headConv(scope.in('head'), config.groups, x)), tokens: z.rows, levels: levels.slice(-readoutDepth) };
}

/** -> logits [S', classes] */
function head(scope: Scope, config: Config, { map, tokens }: Features, { time, mark }: Forward): Expr {
  const pooled = mark('pooled', time.pool(map)); // [S', 6C]
  const z = { rows: tokens as Expr, each: config.tokens };
  const hidden = mark('hidden', headHidden(scope.in('head'), config.head, pooled, z)); // [S', F]
  return scope.in('head').linear('fc2', scope.dropout(hidden), config.classes);
}

function parts({ blocks }: Config): Part[] {
  const rows = blocks.map(({ kind }, i) => ({ name: `blocks.${i}`, kind }));
  const [before, after] = [
    { name: 'stem', kind: 'conv' },
    { name: 'tokens', kind: 'table' },
  ];
  return [before, after, ...rows, { name: 'bridge', kind: 'bridge' }, { name: 'head', kind: 'head' }];
}

/** 0 for the head and the last bridge, then the blocks from the last one on, then stem and tokens. */
function depthOf(parameter: string, { blocks }: Config): number {
  if (parameter.startsWith('head.') || parameter.startsWith('bridge.')) return 0;
  const [, number] = /^blocks\.(\d+)\./.exec(parameter) ?? [];
  return number === undefined ? blocks.length + 1 : blocks.length - Number(number);
}

/** In the bridge only the tokens that the head reads matter, usually token 0 alone. */
function places({ blocks, readout }: Config): Place[] {
  const inBlocks: Place[] = [];
  let stride = 2; // the stem's
  blocks.forEach((block, i) => {
    if (block.kind !== 'lite') inBlocks.push({ name: `blocks.${i}`, stride, used: 'all' });
    stride *= block.kind === 'down' ? 2 : block.kind === 'lite' ? block.stride : 1;
  });
  return [...inBlocks, { name: 'bridge', stride, used: readout ? 'all' : 'token 0' }];
}

/** The effect of token 0 is that of all three ways together. */
function reaches({ readout }: Config, token: number): string {
  const rest = 'the features and the other tokens';
  if (token === 0) return `the head directly, the slopes of every dynamic ReLU, and ${rest}`;
  return readout ? `the head directly, and ${rest}` : `${rest}, in the blocks only`;
}

function tokens(scope: Scope, config: Config, sets: number): Tokens {
  const table = scope.weight('tokens', [config.tokens, config.tokenDim], { normal: 1 }, false);
  const zero = constant(new Float32Array(sets), [sets, 1, 1]);
  const spread = sets === 1 ? table : add(reshape(table, [1, config.tokens, config.tokenDim]), zero);
  return { rows: reshape(spread, [sets * config.tokens, config.tokenDim]), each: config.tokens };
}

/** 1x3x3, stride 2 in space. */
function stem(scope: Scope, out: number, clip: Expr): Expr {
  const weight = scope.weight('conv.weight', [out, 3, 1, 3, 3], { normal: Math.sqrt(2 / (9 * out)) }, true);
  return scope.convBatchNorm('bn', out, (scale, bias) => {
    const kernel = scale ? mul(weight, reshape(scale, [out, 1, 1, 1, 1])) : weight;
    return convolution(clip, kernel, { stride: 2, bias });
  });
}

/** 3x3 (1x3x3 or 3x3x3) depthwise convolution with channel multiplier, and batch norm. */
function depthwiseNorm(scope: Scope, time: Time, x: Expr, { expand = 1, temporal, stride = 1 }: ConvSpec): Expr {
  const out = mapSize(x.shape, 'depthwise').channels * expand;
  const weight = scope.weight('conv.weight', [out, 1, temporal, 3, 3], { normal: Math.sqrt(2 / (temporal * 9 * out)) }, true);
  return scope.convBatchNorm('bn', out, (scale, bias) => {
    const kernel = reshape(weight, [out, temporal, 3, 3]);
    return time.depthwise(x, scale ? mul(kernel, reshape(scale, [out, 1, 1, 1])) : kernel, stride, bias);
  });
}

function pointwiseNorm(scope: Scope, x: Expr, out: number, groups: number): Expr {
  const { channels } = mapSize(x.shape, 'pointwise');
  const weight = scope.weight('conv.weight', [out, channels / groups, 1, 1, 1], { normal: Math.sqrt(2 / out) }, true);
  return scope.convBatchNorm('bn', out, (scale, bias) => {
    const matrix = reshape(weight, [out, channels / groups]);
    return pointwise(x, scale ? mul(matrix, reshape(scale, [out, 1])) : matrix, bias, groups);
  });
}

function runBlock(scope: Scope, time: Time, block: BlockConfig, groups: number, x: Expr, z: Tokens): [Expr, Tokens] {
  if (block.kind === 'lite') return [liteBlock(scope, time, block, groups, x), z];
  const informed = former(scope.in('former'), mobileToFormer(scope.in('mobile_to_former'), time, x, z));
  const y =
    block.kind === 'mf'
      ? mobileBlock(scope, time, block, groups, x, informed)
      : mobileDownBlock(scope, time, block, groups, x, informed);
  return [formerToMobile(scope.in('former_to_mobile'), time, y, informed), informed];
}

/** bneck-lite: expanding depthwise, ReLU6, pointwise; a skip where shapes allow. Tokens pass by. */
function liteBlock(scope: Scope, time: Time, block: BlockConfig & { kind: 'lite' }, groups: number, x: Expr): Expr {
  const { channels } = mapSize(x.shape, 'lite');
  const wide = relu6(depthwiseNorm(scope.in('conv1'), time, x, block));
  const y = pointwiseNorm(scope.in('conv2'), shuffleChannels(wide, groups > 1 ? channels : 1), block.out, groups);
  return block.stride === 1 && channels === block.out ? scope.residual(x, y) : y;
}

/** Stride 1: pointwise, dynamic ReLU, depthwise, dynamic ReLU, pointwise; a skip where widths allow. */
function mobileBlock(scope: Scope, time: Time, block: BlockConfig & { kind: 'mf' }, groups: number, x: Expr, z: Tokens): Expr {
  const { channels } = mapSize(x.shape, 'mf');
  const wide = shuffleChannels(pointwiseNorm(scope.in('conv1'), x, channels * block.expand, groups), groups);
  const first = dynamicRelu(scope.in('act1'), time, wide, z);
  const mixed = depthwiseNorm(scope.in('conv2'), time, first, { temporal: block.temporal });
  const narrow = pointwiseNorm(scope.in('conv3'), dynamicRelu(scope.in('act2'), time, mixed, z), block.out, groups);
  const y = shuffleChannels(narrow, groups);
  return channels === block.out ? scope.residual(x, y) : y;
}

/** Stride 2: two pairs of expanding depthwise and pointwise, the second with a skip of its own. */
function mobileDownBlock(
  scope: Scope,
  time: Time,
  block: BlockConfig & { kind: 'down' },
  groups: number,
  x: Expr,
  z: Tokens,
): Expr {
  const { channels } = mapSize(x.shape, 'down');
  const { temporal, expand, expand2, out } = block;
  const wide = depthwiseNorm(scope.in('conv1'), time, x, { expand, temporal, stride: 2 });
  const first = dynamicRelu(scope.in('act1'), time, shuffleChannels(wide, groups > 1 ? channels : 1), z);
  const u = pointwiseNorm(scope.in('conv2'), first, out, groups);
  const wider = depthwiseNorm(scope.in('conv3'), time, u, { expand: expand2, temporal });
  const second = dynamicRelu(scope.in('act2'), time, shuffleChannels(wider, groups > 1 ? out : 1), z);
  return scope.residual(u, pointwiseNorm(scope.in('conv4'), second, out, groups));
}

/** max(a1 x, a2 x) with slopes per set of tokens and channel computed from token 0: a1 in [0, 2], a2 in [-1, 1]. No intercepts. */
function dynamicRelu(scope: Scope, time: Time, x: Expr, z: Tokens): Expr {
  const { channels } = mapSize(x.shape, 'dynamicRelu');
  const inner = relu(scope.linear('fc1', firstToken(z), (z.rows.shape[1] ?? 0) / 4));
  // 2 hardSigmoid(v) - 1 is v / 3 held within +-1; [S, 2C] of a1 - 1 and a2.
  const theta = clamp(scope.linear('fc2', inner, 2 * channels, { factor: 1 / 3 }), -1, 1);
  const a2 = slice(theta, 1, channels, 2 * channels);
  const difference = add(sub(slice(theta, 1, 0, channels), a2), 1); // a1 - a2
  const own = time.asTokensSee(x);
  return time.asFrames(add(channelAffine(own, a2), relu(channelAffine(own, difference)))); // = max(a1 x, a2 x)
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

/** Mobile -> Former: tokens query raw features (keys = values = features), a gate per token and channel, residual, layer norm. */
function mobileToFormer(scope: Scope, time: Time, x: Expr, { rows: z, each }: Tokens): Tokens {
  const { channels } = mapSize(x.shape, 'mobileToFormer');
  const [count = 0, d = 0] = z.shape;
  const query = twoHeads(scope.linear('query', z, channels, { factor: (channels / 2) ** -0.5 }), each);
  const seen = reshape(time.attend(x, query, 2), [count / each, 2, each, channels]);
  const found = sum(mul(seen, headMask(channels)), [1], [count, channels]);
  const gate = clamp(scope.linear('gate', z, channels, { factor: 1 / 3, plus: 1 }), 0, 2); // 2 hardSigmoid
  return { rows: scope.norm('norm', add(z, scope.linear('out', mul(found, gate), d))), each };
}

/** Self-attention with 4 heads over the tokens (only the query is projected), then a feed-forward of ratio 2; post-norm. */
function former(scope: Scope, { rows: z, each }: Tokens): Tokens {
  const [count = 0, d = 0] = z.shape;
  const split = (t: Expr) => transpose(reshape(t, [count / each, each, 4, d / 4]), [0, 2, 1, 3]); // [S, 4, M, d/4]
  const heads = split(z);
  const queries = split(scope.linear('query', z, d, { factor: (d / 4) ** -0.5 }));
  const scores = matmul(queries, heads, { transposeB: true });
  const merged = reshape(transpose(matmul(softmax(scores), heads), [0, 2, 1, 3]), [count, d]);
  const attended = scope.norm('norm1', add(z, scope.linear('out', merged, d)));
  const wide = gelu(scope.linear('ffn_in', attended, 2 * d));
  return { rows: scope.norm('norm2', add(attended, scope.linear('ffn_out', wide, d))), each };
}

/** Former -> Mobile: raw features query projected tokens; a plain residual. */
function formerToMobile(scope: Scope, time: Time, x: Expr, { rows: z, each }: Tokens): Expr {
  const { channels } = mapSize(x.shape, 'formerToMobile');
  const key = twoHeads(scope.linear('key', z, channels, { factor: (channels / 2) ** -0.5 }), each);
  const value = twoHeads(scope.linear('value', z, channels), each);
  const own = time.asTokensSee(x);
  const attention = softmaxTokens(pointwise(own, key, undefined, 2), 2); // [.., S, 2M, H, W]
  return time.asFrames(add(own, pointwise(attention, transpose(value, [0, 2, 1]), undefined, 2)));
}

function headConv(scope: Scope, groups: number, x: Expr): Expr {
  return pointwiseNorm(scope.in('conv'), shuffleChannels(x, groups), mapSize(x.shape, 'head').channels * 6, groups);
}

/** Pooled features and token 0 side by side, linear, batch norm over the batch, hard-swish. -> [S', F] */
function headHidden(scope: Scope, width: number, pooled: Expr, z: Tokens): Expr {
  const both = concat([hardSwish(pooled), firstToken(z)], 1);
  return hardSwish(scope.batchNorm('bn', scope.linear('fc1', both, width)));
}
