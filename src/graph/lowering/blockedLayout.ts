/**
 * ONNX Runtime's blocked layout (NCHWc): [T*B, C / b, H, W, b] in memory, b = 8 or 16, under the nominal shape [T*B, C, H, W].
 * `com.microsoft.nchwc` is internal to ONNX Runtime, so its version is pinned. Unused lanes hold finite garbage; weights that meet
 * them are zero.
 */

import type { MapSize } from '../shape.js';
import type { Emitter } from './emitter.js';

export const nchwc = 'com.microsoft.nchwc';

/**
 * The lanes of logical channels. An expanding depthwise convolution writes its e outputs of an input channel e strides apart
 * (logical channel c * expand + k at lane k * base + c), which makes it e plain depthwise convolutions over the same input.
 */
export interface Lanes {
  readonly channels: number;
  readonly expand: number;
}

/** A feature map in blocked layout. */
export interface BlockedMap {
  readonly name: string;
  readonly size: MapSize;
  readonly lanes: Lanes;
}

export type Activation = 'Relu' | 'Step' | { readonly low: number; readonly high: number };

/** Fused after a convolution: an addend, then an activation. */
export interface Epilogue {
  readonly addend?: BlockedMap;
  readonly activation?: Activation;
}

export class BlockedLayout {
  constructor(
    readonly e: Emitter,
    /** Channels side by side: 8 or 16, as the machine's kernels want it. */
    readonly block: number,
  ) {}

  padded(channels: number): number {
    return Math.ceil(channels / this.block) * this.block;
  }

  /** Lanes of one of the `expand` groups, with the unused ones. */
  base(lanes: Lanes): number {
    return this.padded(lanes.channels / lanes.expand);
  }

  /** All lanes of a map. */
  width(lanes: Lanes): number {
    return this.base(lanes) * lanes.expand;
  }

  /** The shape under which ONNX Runtime sees the map. */
  nominal(map: BlockedMap): number[] {
    const { frames, clips, height, width } = map.size;
    return [frames * clips, this.width(map.lanes), height, width];
  }

  /** A map with its channels in order -> [T*B, H, W, C]. */
  toChannelsLast({ name, size: { channels } }: BlockedMap): string {
    return this.e.node('ReorderOutput', [name], { channels, channels_last: 1 }, nchwc);
  }

  /** Row-major [T, B, C, H, W] -> blocked, with the channels laid out for this expansion. */
  fromPlain(x: string, size: MapSize, expand: number): BlockedMap {
    const { frames, clips, channels, height, width } = size;
    const lanes = { channels, expand };
    const each = channels / expand;
    const split = this.e.reshape(x, [frames * clips, each, expand, height * width]);
    const ordered = expand === 1 ? split : this.e.transpose(split, [0, 2, 1, 3]);
    const sorted = this.e.reshape(ordered, [frames * clips, expand, each, height * width]);
    const whole = this.e.pad(sorted, [0, 0, 0, 0], [0, 0, this.base(lanes) - each, 0]);
    const flat = this.e.reshape(whole, [frames * clips, this.width(lanes), height, width]);
    return { name: this.e.node('ReorderInput', [flat], {}, nchwc), size, lanes };
  }

  /** Blocked -> row-major [T, B, C, H, W]. */
  toPlain(map: BlockedMap): string {
    const { frames, clips, channels, height, width } = map.size;
    const { expand } = map.lanes;
    const whole = this.e.node('ReorderOutput', [map.name], { channels: this.width(map.lanes) }, nchwc);
    const lanes = this.e.reshape(whole, [frames * clips, expand, this.base(map.lanes), height * width]);
    const used = this.e.pad(lanes, [0, 0, 0, 0], [0, 0, channels / expand - this.base(map.lanes), 0]);
    const ordered = expand === 1 ? used : this.e.transpose(used, [0, 2, 1, 3]);
    return this.e.reshape(ordered, [frames, clips, channels, height, width]);
  }

  /** Axes in a new order, clips and channels staying where they are. */
  transposed(map: BlockedMap, order: readonly number[], size: MapSize): BlockedMap {
    const { frames, clips, height, width } = map.size;
    const seen = this.e.reshape(map.name, [frames, (clips * this.width(map.lanes)) / this.block, height, width, this.block]);
    const moved = this.e.transpose(seen, order.filter((axis) => axis !== 2).map((axis) => (axis > 1 ? axis - 1 : axis)).concat(4)); // biome-ignore format: one line
    const made = { size, lanes: map.lanes, name: moved };
    return { ...made, name: this.e.reshape(moved, this.nominal(made)) };
  }

  /** Logical channels (last axis) -> lanes, zero in unused ones. */
  toLanes(x: string, rows: readonly number[], lanes: Lanes): string {
    const { channels, expand } = lanes;
    const each = channels / expand;
    const zeros = rows.map(() => 0);
    if (expand === 1) return this.e.pad(x, [...zeros, 0], [...zeros, this.base(lanes) - each]);
    const split = this.e.reshape(x, [...rows, each, expand]);
    const turned = this.e.transpose(split, [...rows.keys(), rows.length + 1, rows.length]);
    const whole = this.e.pad(turned, [...zeros, 0, 0], [...zeros, 0, this.base(lanes) - each]);
    return this.e.reshape(whole, [...rows, this.width(lanes)]);
  }

  /** Lanes (last axis) -> logical channels. */
  fromLanes(x: string, rows: readonly number[], lanes: Lanes): string {
    const { channels, expand } = lanes;
    const each = channels / expand;
    const zeros = rows.map(() => 0);
    if (expand === 1) return this.e.pad(x, [...zeros, 0], [...zeros, each - this.base(lanes)]);
    const split = this.e.reshape(x, [...rows, expand, this.base(lanes)]);
    const used = this.e.pad(split, [...zeros, 0, 0], [...zeros, 0, each - this.base(lanes)]);
    return this.e.reshape(this.e.transpose(used, [...rows.keys(), rows.length + 1, rows.length]), [...rows, channels]);
  }

  /** All lanes of a map, [T*B, lanes, H, W] and [T*B, H, W, lanes]. */
  lanesFirst = (map: BlockedMap): string => this.e.node('ReorderOutput', [map.name], { channels: this.width(map.lanes) }, nchwc);
  lanesLast = (map: BlockedMap): string =>
    this.e.node('ReorderOutput', [map.name], { channels: this.width(map.lanes), channels_last: 1 }, nchwc);

  /** Over the positions of each image and lane. */
  globalPool = (type: 'GlobalAveragePool' | 'GlobalMaxPool', x: string): string => this.e.node(type, [x], {}, nchwc);

  /** [groups, rows, columns] in lanes -> the blocked filter layout, out and in channels in blocks: [g, O/b, I/b, bi, bo]. */
  matrixKernel(weight: string, groups: number, rows: number, columns: number): string {
    const b = this.block;
    const blocks = this.e.reshape(weight, [groups, rows / b, b, columns / b, b]);
    return this.e.reshape(this.e.transpose(blocks, [0, 1, 3, 4, 2]), [groups * rows, columns, 1, 1]);
  }

  conv(inputs: readonly string[], kernel: readonly [number, number], group: number, more: ConvOptions = {}): string {
    const { pads = [0, 0, 0, 0], stride = 1, dilation = 1, activation, bias = '', addend = '' } = more;
    const operands = [...inputs, bias, addend];
    while (operands.at(-1) === '') operands.pop();
    const both = (n: number | readonly [number, number]) => (typeof n === 'number' ? [n, n] : n);
    const attributes = {
      group,
      kernel_shape: kernel,
      pads,
      strides: both(stride),
      dilations: both(dilation),
      ...activationOf(activation),
    };
    return this.e.node('Conv', operands, attributes, nchwc);
  }

  options(epilogue: Epilogue, bias: string | undefined): ConvOptions {
    const { addend, activation } = epilogue;
    return { ...(bias && { bias }), ...(addend && { addend: addend.name }), ...(activation && { activation }) };
  }

  /**
   * The sum of so many rows, times a factor, as one row [1, columns]. A product with a constant row is several times faster than
   * ONNX Runtime's ReduceSum over the first axis.
   */
  sumOfRows(x: string, rows: number, columns: number, factor = 1): string {
    return this.e.node('MatMul', [this.e.filled(factor, [1, rows]), this.e.reshape(x, [rows, columns])]);
  }
}

export interface ConvOptions {
  readonly pads?: readonly number[];
  readonly stride?: number | readonly [number, number];
  readonly dilation?: number | readonly [number, number];
  readonly activation?: Activation;
  readonly bias?: string;
  readonly addend?: string;
}

function activationOf(activation: Activation | undefined): Record<string, string | { floats: number[] }> {
  if (activation === undefined) return {};
  if (activation === 'Relu') return { activation: 'Relu' };
  if (activation === 'Step') return { activation: 'HardSigmoid', activation_params: { floats: [1e30, 0] } };
  return { activation: 'Clip', activation_params: { floats: [activation.low, activation.high] } };
}
