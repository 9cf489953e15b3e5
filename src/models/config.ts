/** What a Mobile-Former is, as data: a layout of blocks, and the clip it looks at. People may write their own as JSON. */

import { z } from 'zod';
import { ConfigError } from '../errors.js';

const width = z.int().min(1).max(8192);
const temporal = z.union([z.literal(1), z.literal(3)]);

const blockSchema = z.discriminatedUnion('kind', [
  /** bneck-lite: expanding depthwise, ReLU6, pointwise; no tokens. */
  z.strictObject({ kind: z.literal('lite'), expand: width, out: width, stride: z.union([z.literal(1), z.literal(2)]), temporal }),
  /** Mobile-Former block of stride 1: pointwise to in * expand, depthwise, pointwise to out. */
  z.strictObject({ kind: z.literal('mf'), expand: width, out: width, temporal }),
  /** Mobile-Former block of stride 2: depthwise to in * expand, pointwise to out, depthwise to out * expand2, pointwise to out. */
  z.strictObject({ kind: z.literal('down'), expand: width, expand2: width, out: width, temporal }),
]);

/** Widths and blocks of a network, without what it is used for. */
const layoutShape = {
  /** Channels after the stem, a 3x3 convolution of stride 2. */
  stem: width,
  /** Global tokens for the whole clip, and their width (a multiple of 4). */
  tokens: z.int().min(1).max(256),
  tokenDim: width.multipleOf(4),
  /** Width of the head's hidden layer. */
  head: width,
  /** Groups of every pointwise convolution. */
  groups: z.int().min(1).max(64),
  dropout: z.number().min(0).max(0.95),
  blocks: z.array(blockSchema).min(1).max(200),
};

const networkSchema = z.strictObject({
  /** The name it is listed under, or one of the user's own. */
  name: z.string().min(1).max(200),
  layout: z.string().min(1).max(200),
  ...layoutShape,
  /** Clip length T and edge of the square frames in pixels. */
  frames: z.int().min(1).max(256),
  size: z.int().min(16).max(1024),
  classes: z.int().min(1).max(100_000),
  /** Frames look back only, `frames` frames in all (see time.ts); absent or false: all frames of a clip see each other. */
  causal: z.boolean().optional(),
  /** One linear layer over what linearReadout.ts says, instead of the head's two; `head` and `dropout` then count for nothing. */
  readout: z.literal('linear').optional(),
});

export type BlockConfig = z.infer<typeof blockSchema>;
export type NetworkConfig = Readonly<z.infer<typeof networkSchema>>;
export type Layout = Omit<NetworkConfig, 'name' | 'layout' | 'frames' | 'size' | 'classes' | 'causal' | 'readout'>;

/** Checks a configuration read from a file; an unknown key is an error. */
export function parseNetworkConfig(value: unknown, where: string): NetworkConfig {
  const parsed = networkSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigError(`${where}: ${issue?.path.join('.') || 'configuration'}: ${issue?.message ?? 'not understood'}`);
  }
  return checkWidths(parsed.data, where);
}

/** What a schema cannot say: heads split channels in two, groups divide every pointwise convolution. */
function checkWidths(config: NetworkConfig, where: string): NetworkConfig {
  if (config.readout && config.causal) throw new ConfigError(`${where}: readout: reads whole clips; a causal network has none`);
  let width = config.stem;
  config.blocks.forEach((block, i) => {
    const fail = (what: string) => {
      throw new ConfigError(`${where}: blocks.${i}: ${what}`);
    };
    if (block.kind !== 'lite' && (width % 2 || block.out % 2))
      fail(`the bridges need even widths, got ${width} and ${block.out}`);
    const pointwise = [width * block.expand, block.out, ...(block.kind === 'mf' ? [width] : [])];
    if (pointwise.some((channels) => channels % config.groups))
      fail(`${config.groups} groups do not divide [${pointwise.join(', ')}]`);
    width = block.out;
  });
  return config;
}
