/**
 * 3D-MobileNetV2 (Köpüklü et al. 2019, arXiv 1904.02422): MobileNetV2's inverted residuals with 3x3x3 depthwise kernels that stride in
 * time as in space. Every convolution is followed by batch norm (eps 1e-5) and has no bias. Tensor names are those of the authors'
 * checkpoints without `module.`.
 */

import * as v from 'valibot';
import { ConfigError } from '../errors.js';
import type { Expr } from '../graph/expr.js';
import { mul } from '../graph/operators/arithmetic.js';
import { globalAverage } from '../graph/operators/channelAffine.js';
import { convolution } from '../graph/operators/convolution.js';
import { reshape } from '../graph/operators/reshape.js';
import { relu6 } from '../graph/operators/unary.js';
import { mapSize } from '../graph/shape.js';
import { integer, number } from '../schema.js';
import { commonFields } from './config.js';
import type { Features, Forward, Model, Part, Variant } from './model.js';
import { readoutDepth } from './multilevelReadout.js';
import type { Scope } from './scope.js';

const family = 'mobilenet-v2-3d';

const schema = v.strictObject({
  family: v.literal(family),
  ...commonFields,
  /** Factor of all widths but the last one. */
  widthMultiplier: number(0.1, 1),
  /** Channels before the classifier. */
  lastChannels: integer(8, 8192),
});

type Config = Readonly<v.InferOutput<typeof schema>>;

interface Stage {
  readonly expand: number;
  readonly out: number;
  readonly repeats: number;
  /** Of the first repeat, in time and space. */
  readonly stride: 1 | 2;
}

const stemChannels = 32;
const stages: readonly Stage[] = [
  { expand: 1, out: 16, repeats: 1, stride: 1 },
  { expand: 6, out: 24, repeats: 2, stride: 2 },
  { expand: 6, out: 32, repeats: 3, stride: 2 },
  { expand: 6, out: 64, repeats: 4, stride: 2 },
  { expand: 6, out: 96, repeats: 3, stride: 1 },
  { expand: 6, out: 160, repeats: 3, stride: 2 },
  { expand: 6, out: 320, repeats: 1, stride: 1 },
];

type Bottleneck = Omit<Stage, 'repeats'>;

const bottlenecks: readonly Bottleneck[] = stages.flatMap(({ expand, out, repeats, stride }) =>
  Array.from({ length: repeats }, (_, i): Bottleneck => ({ expand, out, stride: i === 0 ? stride : 1 })),
);
const lastLayer = bottlenecks.length + 1;

export const mobileNetV2: Model<Config> = {
  ...{ family, schema, features, head, parts },
  variants: [1, 0.2, 0.45, 0.7].map(variant),
  readout: ({ map }) => globalAverage(map),
  isClassifier: (name) => name.startsWith('classifier.'),
  layerGroup: (name) => {
    const [, layer] = /^features\.(\d+)\./.exec(name) ?? [];
    return layer === undefined ? 0 : lastLayer + 1 - Number(layer);
  },
  facts: ({ widthMultiplier }) => ({ widthMultiplier }),
  traits: ({ widthMultiplier }) => ({ 'width multiplier': `${widthMultiplier} ×` }),
};

function variant(widthMultiplier: number): Variant<Config> {
  const name = widthMultiplier === 1 ? family : `${family}-${widthMultiplier}x`;
  const input = { frames: 16, height: 112, width: 112, classes: 600 };
  return {
    ...{ name, paper: 'arXiv 1904.02422' },
    published: {
      input:
        '16 x 112 px, 0 to 255 less (114.7748, 107.7354, 99.4750), not divided; BGR for Kinetics-600, RGB for Jester and UCF-101',
      licence: 'MIT',
    },
    build: (temporal) => {
      if (temporal) throw new ConfigError(`${name}: has no choice of temporal kernels`);
      return { family, name, ...input, dropout: 0.2, widthMultiplier, lastChannels: 1280 };
    },
  };
}

/** clip [T, B, 3, H, W] -> [T/16, B, 1280, H/32, W/32], each size rounded up. */
function features(scope: Scope, { widthMultiplier, lastChannels }: Config, clip: Expr, { mark }: Forward): Features {
  const width = (channels: number) => Math.max(1, Math.floor(channels * widthMultiplier));
  const stem = convNorm(scope.in('features.0'), 0, clip, width(stemChannels), { kernel: 3, stride: [1, 2, 2] });
  let x = mark('features.0', relu6(stem));
  const levels = bottlenecks.map((block, i) => {
    x = mark(`features.${i + 1}`, bottleneck(scope.in(`features.${i + 1}.conv`), { ...block, out: width(block.out) }, x));
    return { map: x };
  });
  const last = convNorm(scope.in(`features.${lastLayer}`), 0, x, lastChannels, { kernel: 1 });
  return { map: mark(`features.${lastLayer}`, relu6(last)), levels: levels.slice(-readoutDepth) };
}

/** Pointwise to expand x in, depthwise, pointwise to out; a skip where shapes allow. */
function bottleneck(scope: Scope, { expand, out, stride }: Bottleneck, x: Expr): Expr {
  const { channels } = mapSize(x.shape, 'bottleneck');
  const inner = channels * expand;
  const wide = expand === 1 ? x : relu6(convNorm(scope, 0, x, inner, { kernel: 1 }));
  const at = expand === 1 ? 0 : 3;
  const mixed = relu6(convNorm(scope, at, wide, inner, { kernel: 3, stride: [stride, stride, stride], groups: inner }));
  const narrow = convNorm(scope, at + 3, mixed, out, { kernel: 1 });
  return stride === 1 && channels === out ? scope.residual(x, narrow) : narrow;
}

interface Convolution {
  readonly kernel: 1 | 3;
  readonly stride?: readonly [number, number, number];
  readonly groups?: number;
}

/** A convolution with weight `at` and its batch norm `at + 1`. */
function convNorm(
  scope: Scope,
  at: number,
  x: Expr,
  out: number,
  { kernel: k, stride = [1, 1, 1], groups = 1 }: Convolution,
): Expr {
  const shape = [out, mapSize(x.shape, 'convolution').channels / groups, k, k, k];
  const weight = scope.weight(`${at}.weight`, shape, { normal: Math.sqrt(2 / (k ** 3 * out)) }, true);
  return scope.convBatchNorm(`${at + 1}`, out, (scale, bias) => {
    const kernel = scale ? mul(weight, reshape(scale, [out, 1, 1, 1, 1])) : weight;
    return convolution(x, kernel, { stride, groups, bias });
  });
}

function head(scope: Scope, { classes }: Config, { map }: Features, { mark }: Forward): Expr {
  const pooled = mark('pooled', globalAverage(map)); // [B, 1280]
  return scope.in('classifier').linear('1', scope.dropout(pooled), classes);
}

function parts(): Part[] {
  const blocks = bottlenecks.map((_, i) => ({ name: `features.${i + 1}`, kind: 'bottleneck' }));
  const [first, last] = [
    { name: 'features.0', kind: 'conv' },
    { name: `features.${lastLayer}`, kind: 'conv' },
  ];
  return [first, ...blocks, last, { name: 'classifier', kind: 'head' }];
}
