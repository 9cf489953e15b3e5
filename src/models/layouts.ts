/**
 * The seven layouts of Mobile-Former (arXiv 2108.05895, table 1; widths from the authors' code) and the family of Video
 * Mobile-Former, named by the cost of one view in multiply-adds. Configurations are data: these are only the named ones.
 */

import { ConfigError } from '../errors.js';
import type { BlockConfig, Layout, NetworkConfig } from './config.js';

/** Where depthwise kernels are 3 long in time: everywhere, nowhere, or from 14 x 14 (of 224) on. */
export type TemporalPlan = 'all' | 'none' | 'late';

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

/** The family: layout, frames, size and temporal kernels; costs are held by tests to 60..100 % of the name. */
const family: Readonly<Record<string, readonly [layout: string, frames: number, size: number, temporal: TemporalPlan]>> = {
  'vmf-0.1g': ['52m', 8, 96, 'all'],
  'vmf-0.25g': ['52m', 16, 112, 'all'],
  'vmf-0.5g': ['96m', 16, 112, 'all'],
  'vmf-1g': ['214m', 16, 112, 'all'],
  'vmf-2g': ['214m', 16, 160, 'all'],
  'vmf-4g': ['294m', 16, 192, 'all'],
  'vmf-6g': ['508m', 16, 192, 'late'],
};

export interface Chosen {
  readonly classes?: number;
  readonly frames?: number;
  readonly size?: number;
  readonly temporal?: TemporalPlan;
}

/** After a name of the family: the same network, whose frames look back only, for streams. */
const causalEnding = '-causal';

/** All names that `networkConfig` knows, those of the family in the order of their cost. */
export const networkNames: readonly string[] = [
  ...Object.keys(family),
  ...Object.keys(family).map((name) => name + causalEnding),
  ...Object.keys(layouts).map((layout) => `mobile-former-${layout}`),
];

/** A named configuration: `vmf-1g` or `vmf-1g-causal` (400 classes unless chosen), or `mobile-former-294m` (one frame, 224 pixels, 1000 classes). */
export function networkConfig(name: string, chosen: Chosen = {}): NetworkConfig {
  const causal = name.endsWith(causalEnding);
  const plain = causal ? name.slice(0, -causalEnding.length) : name;
  const video = Object.hasOwn(family, plain) ? family[plain] : undefined;
  if (video) {
    const [layout, frames, size, temporal] = video;
    return { ...build(name, layout, { frames, size, temporal, classes: 400, ...chosen }), ...(causal && { causal }) };
  }
  const image = name.startsWith('mobile-former-') ? name.slice('mobile-former-'.length) : '';
  if (Object.hasOwn(layouts, image))
    return build(name, image, { frames: 1, size: 224, temporal: 'none', classes: 1000, ...chosen });
  throw new ConfigError(`model: unknown name "${name}"; known are ${networkNames.join(', ')}`);
}

function build(name: string, layout: string, chosen: Required<Chosen>): NetworkConfig {
  const found = layouts[layout];
  if (!found) throw new ConfigError(`layout: unknown name "${layout}"`);
  const { frames, size, classes } = chosen;
  return { name, layout, ...found, frames, size, classes, blocks: withTime(found.blocks, chosen.temporal) };
}

/** Gives every block its temporal kernel. */
function withTime(blocks: readonly Plain[], plan: TemporalPlan): BlockConfig[] {
  let edge = 112;
  return blocks.map((block): BlockConfig => {
    if (block.kind === 'down' || (block.kind === 'lite' && block.stride === 2)) edge /= 2;
    return { ...block, temporal: plan === 'all' || (plan === 'late' && edge <= 14) ? 3 : 1 };
  });
}
