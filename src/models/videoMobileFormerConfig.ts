/**
 * Configurations: the seven layouts of Mobile-Former (arXiv 2108.05895, table 1; widths from the authors' code) and the video
 * family, named by multiply-adds of one view.
 */

import * as v from 'valibot';
import { ConfigError } from '../errors.js';
import { integer } from '../schema.js';
import { commonFields } from './config.js';
import type { TemporalPlan, Variant } from './model.js';

export const family = 'video-mobile-former';

const width = integer(1, 8192);
const temporal = v.union([v.literal(1), v.literal(3)]);

const blockSchema = v.variant('kind', [
  /** bneck-lite: expanding depthwise, ReLU6, pointwise; no tokens. */
  v.strictObject({ kind: v.literal('lite'), expand: width, out: width, stride: v.union([v.literal(1), v.literal(2)]), temporal }),
  /** Mobile-Former block of stride 1: pointwise to in * expand, depthwise, pointwise to out. */
  v.strictObject({ kind: v.literal('mf'), expand: width, out: width, temporal }),
  /** Mobile-Former block of stride 2: depthwise to in * expand, pointwise to out, depthwise to out * expand2, pointwise to out. */
  v.strictObject({ kind: v.literal('down'), expand: width, expand2: width, out: width, temporal }),
]);

export const schema = v.strictObject({
  family: v.literal(family),
  ...commonFields,
  layout: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  /** Channels after the stem, a 3x3 convolution of stride 2. */
  stem: width,
  /** Global tokens for the whole clip, and their width (a multiple of 4). */
  tokens: integer(1, 256),
  tokenDim: v.pipe(width, v.multipleOf(4, 'expected a multiple of 4')),
  /** Width of the head's hidden layer. */
  head: width,
  /** Groups of every pointwise convolution. */
  groups: integer(1, 64),
  blocks: v.pipe(v.array(blockSchema), v.minLength(1), v.maxLength(200)),
  /** Frames look back only, `frames` frames in all (time.ts); absent or false: all frames of a clip see each other. */
  causal: v.optional(v.boolean()),
});

export type BlockConfig = v.InferOutput<typeof blockSchema>;
export type VideoMobileFormerConfig = Readonly<v.InferOutput<typeof schema>>;
type Layout = Pick<VideoMobileFormerConfig, 'stem' | 'tokens' | 'tokenDim' | 'head' | 'groups' | 'dropout' | 'blocks'>;

/** Checks beyond the schema: heads split channels in two, groups divide every pointwise convolution. */
export function widthProblem({ stem, blocks, groups }: VideoMobileFormerConfig): string | undefined {
  let width = stem;
  for (const [i, block] of blocks.entries()) {
    if (block.kind !== 'lite' && (width % 2 || block.out % 2))
      return `blocks.${i}: the bridges need even widths, got ${width} and ${block.out}`;
    const pointwise = [width * block.expand, block.out, ...(block.kind === 'mf' ? [width] : [])];
    if (pointwise.some((channels) => channels % groups))
      return `blocks.${i}: ${groups} groups do not divide [${pointwise.join(', ')}]`;
    width = block.out;
  }
  return undefined;
}

type Plain = BlockConfig extends infer B ? (B extends BlockConfig ? Omit<B, 'temporal'> : never) : never;

const lite = (expand: number, out: number, stride: 1 | 2): Plain => ({ kind: 'lite', expand, out, stride });
const mf = (expand: number, out: number): Plain => ({ kind: 'mf', expand, out });
const down = (expand: number, out: number): Plain => ({ kind: 'down', expand, expand2: 4, out });

const small = [lite(3, 12, 2), mf(3, 12), down(6, 24), mf(3, 24), down(6, 48), mf(4, 48), mf(6, 64), down(6, 96), mf(6, 96)];
const middle = [lite(2, 12, 1), down(6, 16), down(6, 32), mf(3, 32), down(6, 64), mf(4, 64), mf(6, 88), down(6, 128), mf(6, 128)];

/** 151M to 508M share one shape: five widths, and the expansions of the 56- and 28-pixel blocks. */
const large = (stem: number, [a, b, c, d, e]: readonly [number, number, number, number, number], at56: number, at28: number): Plain[] => [
  lite(2, stem, 1), down(6, a), mf(at56, a), down(6, b), mf(at28, b), down(6, c), mf(4, c), mf(6, d), mf(6, d), down(6, e), mf(6, e), mf(6, e),
]; // biome-ignore format: a table

interface LayoutRow extends Omit<Layout, 'blocks'> {
  readonly blocks: readonly Plain[];
}

const row = (
  stem: number,
  tokens: number,
  tokenDim: number,
  head: number,
  dropout: number,
  blocks: readonly Plain[],
  groups = 1,
): LayoutRow => ({
  stem,
  tokens,
  tokenDim,
  head,
  groups,
  dropout,
  blocks,
});

const layouts: Readonly<Record<string, LayoutRow>> = {
  '26m': row(8, 3, 128, 1024, 0.1, small, 4),
  '52m': row(8, 3, 128, 1024, 0.2, small),
  '96m': row(12, 4, 128, 1280, 0.2, middle),
  '151m': row(12, 6, 192, 1280, 0.2, large(12, [16, 32, 64, 88, 128], 3, 3)),
  '214m': row(12, 6, 192, 1600, 0.2, large(12, [20, 40, 80, 112, 160], 3, 4)),
  '294m': row(16, 6, 192, 1920, 0.3, large(16, [24, 48, 96, 128, 192], 4, 4)),
  '508m': row(24, 6, 192, 1920, 0.3, large(24, [40, 72, 128, 176, 240], 3, 3)),
};

/** The family: layout, frames, edge of its square frames and temporal kernels; costs are held by tests to 60..100 % of the name. */
const videos: Readonly<Record<string, readonly [layout: string, frames: number, edge: number, temporal: TemporalPlan]>> = {
  'vmf-0.1g': ['52m', 8, 96, 'all'],
  'vmf-0.25g': ['52m', 16, 112, 'all'],
  'vmf-0.5g': ['96m', 16, 112, 'all'],
  'vmf-1g': ['214m', 16, 112, 'all'],
  'vmf-2g': ['214m', 16, 160, 'all'],
  'vmf-4g': ['294m', 16, 192, 'all'],
  'vmf-6g': ['508m', 16, 192, 'late'],
};

const [imagePaper, videoPaper] = ['arXiv 2108.05895', 'arXiv 2208.12257'];

function videoVariant(plain: string, causal: boolean): Variant<VideoMobileFormerConfig> {
  const [layout, frames, edge, plan] = videos[plain] ?? ['', 0, 0, 'all'];
  const name = causal ? `${plain}-causal` : plain;
  return {
    ...{ name, paper: videoPaper },
    build: (temporal = plan) => ({
      ...build(name, layout, { frames, height: edge, width: edge, classes: 400 }, temporal),
      ...(causal && { causal }),
    }),
  };
}

function imageVariant(layout: string): Variant<VideoMobileFormerConfig> {
  const name = `mobile-former-${layout}`;
  const input = { frames: 1, height: 224, width: 224, classes: 1000 };
  return { name, paper: imagePaper, build: (temporal = 'none') => build(name, layout, input, temporal) };
}

/** In the order of their cost: for whole clips, causal ones for streams, and the image networks. */
export const variants: readonly Variant<VideoMobileFormerConfig>[] = [
  ...Object.keys(videos).map((name) => videoVariant(name, false)),
  ...Object.keys(videos).map((name) => videoVariant(name, true)),
  ...Object.keys(layouts).map(imageVariant),
];

function build(
  name: string,
  layout: string,
  input: Pick<VideoMobileFormerConfig, 'frames' | 'height' | 'width' | 'classes'>,
  temporal: TemporalPlan,
): VideoMobileFormerConfig {
  const found = layouts[layout];
  if (!found) throw new ConfigError(`layout: unknown name "${layout}"`);
  return { family, name, layout, ...found, ...input, blocks: withTime(found.blocks, temporal) };
}

function withTime(blocks: readonly Plain[], plan: TemporalPlan): BlockConfig[] {
  let edge = 112;
  return blocks.map((block): BlockConfig => {
    if (block.kind === 'down' || (block.kind === 'lite' && block.stride === 2)) edge /= 2;
    return { ...block, temporal: plan === 'all' || (plan === 'late' && edge <= 14) ? 3 : 1 };
  });
}
