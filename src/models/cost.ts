/**
 * What a network costs, from its configuration by formula: parameters, and multiply-adds of one view. Counted are convolutions,
 * linear layers and the two products of every attention, padding included; not norms, activations, softmax, gates and pooling.
 */

import { ConfigError } from '../errors.js';
import type { NetworkConfig as AnyConfig } from './config.js';
import type { BlockConfig, VideoMobileFormerConfig as NetworkConfig } from './videoMobileFormerConfig.js';

/** One row of the network: a block, or the stem, the last bridge and the head. */
export interface LayerCost {
  readonly name: string;
  readonly kind: string;
  /** Features handed on: channels, height and width of a frame. */
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly stride: number;
  readonly temporal: number;
  readonly parameters: number;
  readonly macs: number;
}

export interface NetworkCost {
  /** Trainable values (batch norm's running statistics are not). */
  readonly parameters: number;
  /** Multiply-adds of one clip. */
  readonly macs: number;
  readonly layers: readonly LayerCost[];
}

interface Sum {
  parameters: number;
  macs: number;
}

const plus = (...parts: readonly Sum[]): Sum => ({
  parameters: parts.reduce((sum, part) => sum + part.parameters, 0),
  macs: parts.reduce((sum, part) => sum + part.macs, 0),
});

/** What is computed at once, in frames: those that are new, those that a set of tokens looks at, and how many sets there are. */
interface Extent {
  readonly frames: number;
  readonly seen: number;
  readonly sets: number;
}

const convNorm = (weights: number, out: number, positions: number): Sum => ({
  parameters: weights + 2 * out,
  macs: weights * positions,
});
const linear = (into: number, out: number, rows: number): Sum => ({ parameters: into * out + out, macs: into * out * rows });
const norm = (width: number): Sum => ({ parameters: 2 * width, macs: 0 });
const products = (macs: number): Sum => ({ parameters: 0, macs });

/** A whole clip at once. In a causal one each frame's tokens are compared with all frames; what they must not see is masked. */
export function networkCost(any: AnyConfig): NetworkCost {
  const config = any as NetworkConfig;
  const { frames, causal } = config;
  return costOf(config, { frames, seen: frames, sets: causal ? frames : 1 });
}

/** Multiply-adds of one new frame of a stream, its logits included; only a causal network has such a cost. ConfigError for others. */
export function newFrameMacs(any: AnyConfig): number {
  const config = any as NetworkConfig;
  if (!config.causal) throw new ConfigError(`${config.name}: is not causal; a new frame changes what all frames of a window see`);
  return costOf(config, { frames: 1, seen: config.frames, sets: 1 }).macs;
}

function costOf(config: NetworkConfig, extent: Extent): NetworkCost {
  const layers: LayerCost[] = [];
  let grid = halved(config);
  let channels = config.stem;
  const add = (name: string, kind: string, stride: number, temporal: number, cost: Sum) =>
    layers.push({ name, kind, channels, ...grid, stride, temporal, ...cost });

  add('stem', 'conv', 2, 1, convNorm(27 * channels, channels, extent.frames * area(grid)));
  add('tokens', 'table', 1, 1, { parameters: config.tokens * config.tokenDim, macs: 0 });
  config.blocks.forEach((block, i) => {
    const stride = block.kind === 'down' || (block.kind === 'lite' && block.stride === 2) ? 2 : 1;
    const out = stride === 2 ? halved(grid) : grid;
    const cost = blockCost(config, extent, block, channels, area(grid), area(out));
    [channels, grid] = [block.out, out];
    add(`blocks.${i}`, block.kind, stride, block.temporal, cost);
  });
  add('bridge', 'bridge', 1, 1, bridgeIn(config, { ...extent, sets: 1 }, channels, area(grid)));
  add('head', 'head', 1, 1, headCost(config, channels, extent.frames * area(grid)));
  return { ...plus(...layers), layers };
}

type Grid = Pick<LayerCost, 'height' | 'width'>;

const area = ({ height, width }: Grid): number => height * width;
const halved = ({ height, width }: Grid): Grid => ({ height: Math.ceil(height / 2), width: Math.ceil(width / 2) });

/** Areas are positions of one frame, before and after the block. */
function blockCost(
  config: NetworkConfig,
  extent: Extent,
  block: BlockConfig,
  width: number,
  areaIn: number,
  areaOut: number,
): Sum {
  const { out, expand, temporal } = block;
  const { frames } = extent;
  const depthwise = (channels: number, area: number) => convNorm(9 * temporal * channels, channels, frames * area);
  const pointwise = (from: number, to: number, area: number) => convNorm((from * to) / config.groups, to, frames * area);
  const hidden = width * expand;
  if (block.kind === 'lite') return plus(depthwise(hidden, areaOut), pointwise(hidden, out, areaOut));
  const tokens = plus(
    bridgeIn(config, extent, width, areaIn),
    formerCost(config, extent),
    bridgeOut(config, extent, out, frames * areaOut),
    slopes(config, extent, hidden),
  );
  if (block.kind === 'mf') {
    const convs = plus(pointwise(width, hidden, areaIn), depthwise(hidden, areaIn), pointwise(hidden, out, areaIn));
    return plus(tokens, slopes(config, extent, hidden), convs);
  }
  const hidden2 = out * block.expand2;
  const first = plus(depthwise(hidden, areaOut), pointwise(hidden, out, areaOut));
  return plus(tokens, slopes(config, extent, hidden2), first, depthwise(hidden2, areaOut), pointwise(hidden2, out, areaOut));
}

/** Mobile -> Former. */
function bridgeIn({ tokens, tokenDim: d }: NetworkConfig, { sets, seen }: Extent, width: number, area: number): Sum {
  const rows = sets * tokens;
  const gated = linear(d, width, rows);
  const attention = products(2 * rows * seen * area * width);
  return plus(linear(d, width, rows), gated, linear(width, d, rows), norm(d), attention);
}

function formerCost({ tokens, tokenDim: d }: NetworkConfig, { sets }: Extent): Sum {
  const rows = sets * tokens;
  const attention = plus(linear(d, d, rows), linear(d, d, rows), products(2 * rows * tokens * d));
  return plus(attention, linear(d, 2 * d, rows), linear(2 * d, d, rows), norm(d), norm(d));
}

/** Former -> Mobile. */
function bridgeOut({ tokens, tokenDim: d }: NetworkConfig, { sets }: Extent, width: number, positions: number): Sum {
  const rows = sets * tokens;
  return plus(linear(d, width, rows), linear(d, width, rows), products(2 * tokens * positions * width));
}

/** The small network behind one dynamic ReLU. */
function slopes({ tokenDim: d }: NetworkConfig, { sets }: Extent, channels: number): Sum {
  return plus(linear(d, d / 4, sets), linear(d / 4, 2 * channels, sets));
}

function headCost(config: NetworkConfig, width: number, positions: number): Sum {
  const wide = 6 * width;
  if (config.readout) {
    const read = linear(3 * wide + config.tokens * config.tokenDim, config.classes, 1);
    return plus(convNorm((wide * width) / config.groups, wide, positions), read);
  }
  const hidden = linear(wide + config.tokenDim, config.head, 1);
  return plus(
    convNorm((wide * width) / config.groups, wide, positions),
    hidden,
    norm(config.head),
    linear(config.head, config.classes, 1),
  );
}
