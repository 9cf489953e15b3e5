/**
 * Spatial and spatio-temporal depthwise convolutions on blocked feature maps, and their gradients: one plain depthwise Conv per
 * expansion and temporal tap, adding into the same output.
 */

import { ShapeError } from '../../errors.js';
import { type MapSize, sizeOf } from '../shape.js';
import { type Activation, BlockedLayout, type BlockedMap, type ConvOptions, type Lanes } from './blockedLayout.js';
import { gradientPads, shiftFrames } from './plain.js';

/** Values of a map up to which copying it costs less than a node for each copy. */
const smallMap = 1 << 14;

export class BlockedDepthwise extends BlockedLayout {
  /** Depthwise convolution. */
  depthwise(x: BlockedMap, w: DepthwiseWeight, options: DepthwiseOptions & { readonly turned: boolean }): BlockedMap {
    const { stride, turned } = options;
    const taps = turned && stride === 2 ? this.everyOther(x) : this.shifted(x, w, 1);
    return this.byExpansion(taps, x.lanes, w, [stride, turned ? 1 : stride], options);
  }

  /**
   * The same where each tap in time has a map of its own. In a small map a node more costs more than a copy: where the convolution
   * expands, its input is repeated and each tap is one Conv.
   */
  depthwiseTaps(maps: readonly BlockedMap[], w: DepthwiseWeight, options: DepthwiseOptions): BlockedMap {
    const { stride, size, bias, activation } = options;
    const [first] = maps;
    if (!first) throw new ShapeError('depthwiseTaps: no maps');
    const names = maps.map(({ name }) => name);
    if (sizeOf(this.nominal(first)) > smallMap) return this.byExpansion(names, first.lanes, w, [stride, stride], options);
    const expand = w.out / first.size.channels;
    const lanes = { channels: w.out, expand };
    const kernels = this.depthwiseKernels(w, expand);
    const join = (parts: readonly string[], axis: number) =>
      parts.length === 1 && parts[0] ? parts[0] : this.e.node('Concat', parts, { axis });
    const repeated = names.map((name) => join(Array<string>(expand).fill(name), 1));
    const kernelOf = (_: string, tap: number) => join(kernels.map((row) => row[tap] ?? ''), 0); // biome-ignore format: one line
    const start = bias ? { bias: this.toLanes(bias, [], lanes) } : {};
    const name = this.sumOfTaps(repeated, repeated.map(kernelOf), this.width(lanes), { stride, ...start }, activation);
    return { name, size, lanes };
  }

  /** One Conv per expansion and tap; `from`: the lanes of the maps that the taps see. */
  private byExpansion(
    taps: readonly string[],
    from: Lanes,
    w: DepthwiseWeight,
    stride: readonly [number, number],
    { size, bias, activation }: DepthwiseOptions,
  ): BlockedMap {
    const expand = w.out / from.channels;
    const lanes = { channels: w.out, expand };
    const biases = bias ? this.pieces(this.toLanes(bias, [], lanes), 0, expand, this.width(from)) : [];
    const parts = this.depthwiseKernels(w, expand).map((row, k) =>
      this.sumOfTaps(taps, row, this.width(from), { stride, ...(biases[k] && { bias: biases[k] }) }, activation),
    );
    const name = parts.length === 1 && parts[0] ? parts[0] : this.e.node('Concat', parts, { axis: 1 });
    return { name, size, lanes };
  }

  /** Each map convolved by its kernel, all adding into one output: the bias goes with the first, the activation with the last. */
  private sumOfTaps(
    maps: readonly string[],
    kernels: readonly string[],
    lanes: number,
    { stride = 1, bias }: Pick<ConvOptions, 'stride' | 'bias'>,
    activation: Activation | undefined,
  ): string {
    let y: string | undefined;
    maps.forEach((map, i) => {
      const start = y === undefined ? { ...(bias !== undefined && { bias }) } : { addend: y };
      const end = activation && i === maps.length - 1 ? { activation } : {};
      y = this.conv([map, kernels[i] ?? ''], [3, 3], lanes, { pads: [1, 1, 1, 1], stride, ...start, ...end });
    });
    return y ?? '';
  }

  /** An axis cut into pieces of equal length. */
  private pieces(x: string, axis: number, count: number, each: number): string[] {
    return count === 1 ? [x] : this.e.split(x, axis, Array<number>(count).fill(each));
  }

  /** The map moved in time for each tap: frame t + k - (kt - 1) / 2 - lag (or back, for gradients). */
  private shifted(x: BlockedMap, { kt, lag }: TimeTaps, direction: 1 | -1): string[] {
    return Array.from({ length: kt }, (_, k) =>
      shiftFrames(this.e, x.name, direction * (k - (kt - 1) / 2 - lag), x.size.clips, this.nominal(x)),
    );
  }

  /** What three taps with stride 2 along the first axis see: rows -1, 1, .. and 0, 2, .. and 1, 3, ..; zero beyond the ends. */
  private everyOther(x: BlockedMap): string[] {
    const { frames, clips } = x.size;
    const [images = 0, ...rest] = this.nominal(x);
    const rows = this.e.reshape(x.name, [frames, (images / frames) * sizeOf(rest)]);
    const from = (start: number) =>
      this.e.node('Slice', [rows, ...[[start], [frames], [0], [2]].map((values) => this.e.integers(values))]);
    const count = Math.ceil(frames / 2);
    const missing = count - Math.floor(frames / 2);
    const odd = from(1);
    const before = this.e.pad(odd, [1, 0], [missing - 1, 0]);
    const after = this.e.pad(odd, [0, 0], [missing, 0]);
    return [before, from(0), after].map((taps) => this.e.reshape(taps, [count * clips, ...rest]));
  }

  /**
   * Kernels [expand][kt], each in the blocked depthwise layout [C / b, h, w, b] under the shape [C, 1, h, w]: the whole 3x3 or some
   * of its places, numbered row by row.
   */
  private depthwiseKernels(w: DepthwiseWeight, expand: number, places?: Places): string[][] {
    const channels = w.out / expand;
    const each = this.padded(channels);
    const b = this.block;
    const split = this.e.reshape(w.name, [channels, expand, w.kt, 9]);
    const padded = this.e.pad(this.e.transpose(split, [1, 2, 0, 3]), [0, 0, 0, 0], [0, 0, each - channels, 0]); // [e, kt, C, 9]
    const blocks = this.e.transpose(this.e.reshape(padded, [expand * w.kt, each / b, b, 9]), [0, 1, 3, 2]); // [e*kt, C/b, 9, b]
    const picked = places ? this.e.node('Gather', [blocks, this.e.integers(places.list)], { axis: 2 }) : blocks;
    const whole = this.e.reshape(picked, [expand * w.kt * each, 1, ...(places?.size ?? [3, 3])]);
    const kernels = this.pieces(whole, 0, expand * w.kt, each);
    return Array.from({ length: expand }, (_, k) => kernels.slice(k * w.kt, (k + 1) * w.kt));
  }

  /** The parts of a gradient that belong to each expansion, each a map with its channels in order. */
  private expansions(dy: BlockedMap): BlockedMap[] {
    const { expand, channels } = dy.lanes;
    const lanes = { channels: channels / expand, expand: 1 };
    const size = { ...dy.size, channels: channels / expand };
    return this.pieces(dy.name, 1, expand, this.base(dy.lanes)).map((name) => ({ name, size, lanes }));
  }

  /** Gradient of depthwise for its input. */
  depthwiseInputGradient(dy: BlockedMap, w: DepthwiseWeight, stride: number, size: MapSize): BlockedMap {
    const expand = w.out / size.channels;
    const lanes = { channels: size.channels, expand: 1 };
    const name = stride === 1 ? this.inputGradientDense(dy, w, expand) : this.inputGradientStrided(dy, w, expand, size);
    return { name, size, lanes };
  }

  private inputGradientDense(dy: BlockedMap, w: DepthwiseWeight, expand: number): string {
    const kernels = this.depthwiseKernels(w, expand, { list: [8, 7, 6, 5, 4, 3, 2, 1, 0], size: [3, 3] });
    let sum: string | undefined;
    this.expansions(dy).forEach((part, k) => {
      const shifts = this.shifted(part, w, -1);
      kernels[k]?.forEach((kernel, tap) => {
        const more = { pads: [1, 1, 1, 1], ...(sum !== undefined && { addend: sum }) };
        sum = this.conv([shifts[tap] ?? '', kernel], [3, 3], this.width(part.lanes), more);
      });
    });
    return sum ?? '';
  }

  /**
   * Stride 2: each of the four parities of a position sees its own taps (1, 2, 2 and 4 of the 9), so four small convolutions
   * over dy, interleaved, do the work of one over a map with zeros in between.
   */
  private inputGradientStrided(dy: BlockedMap, w: DepthwiseWeight, expand: number, size: MapSize): string {
    const { height, width } = dy.size;
    const parts = this.expansions(dy);
    const shifts = parts.map((part) => this.shifted(part, w, -1));
    const lanes = this.padded(size.channels);
    const phase = (odd: readonly [number, number]): string => {
      const rows = odd[0] ? [2, 0] : [1];
      const columns = odd[1] ? [2, 0] : [1];
      const places: Places = { list: rows.flatMap((r) => columns.map((c) => r * 3 + c)), size: [rows.length, columns.length] };
      let sum: string | undefined;
      this.depthwiseKernels(w, expand, places).forEach((row, k) => {
        row.forEach((kernel, tap) => {
          const more = { pads: [0, 0, odd[0], odd[1]], ...(sum !== undefined && { addend: sum }) };
          sum = this.conv([shifts[k]?.[tap] ?? '', kernel], places.size, lanes, more);
        });
      });
      return this.e.reshape(sum ?? '', [-1, height, width, this.block]); // [T*B*C/b, h, w, b]
    };
    const even = this.e.node('Concat', [phase([0, 0]), phase([0, 1])], { axis: 3 }); // columns interleaved
    const odd = this.e.node('Concat', [phase([1, 0]), phase([1, 1])], { axis: 3 });
    const line = [-1, height, 1, 2 * width * this.block];
    const both = this.e.node('Concat', [this.e.reshape(even, line), this.e.reshape(odd, line)], { axis: 2 });
    const images = size.frames * size.clips;
    const doubled = this.e.reshape(both, [(images * lanes) / this.block, 2 * height, 2 * width, this.block]);
    const cropped = this.e.pad(doubled, [0, 0, 0, 0], [0, size.height - 2 * height, size.width - 2 * width, 0]);
    return this.e.reshape(cropped, [images, lanes, size.height, size.width]);
  }

  /**
   * Gradient of depthwise for its weight, [C * e, kt, 3, 3]: every channel of every image convolved by its own gradient. For the
   * taps in time the gradient is shifted, as it is for the input's gradient already.
   */
  depthwiseWeightGradient(dy: BlockedMap, x: BlockedMap, taps: TimeTaps, stride: number): string {
    const { frames, clips, channels, height, width } = x.size;
    const lanes = this.width(x.lanes);
    const images = frames * clips;
    const b = this.block;
    const [, , bottom = 1, right = 1] = gradientPads(height, width, stride);
    // Borders once: without padding the kernel keeps three accumulators busy.
    const framed = this.e.pad(
      this.e.reshape(x.name, [(images * lanes) / b, height, width, b]),
      [0, 1, 1, 0],
      [0, bottom, right, 0],
    );
    const view = this.e.reshape(framed, [1, images * lanes, height + 1 + bottom, width + 1 + right]);
    const size = [dy.size.height, dy.size.width] as const;
    const parts = this.expansions(dy);
    const dots = parts.flatMap((part) =>
      this.shifted(part, taps, -1).map((tap) => {
        const kernel = this.e.reshape(tap, [images * lanes, 1, ...size]);
        const perImage = this.conv([view, kernel], size, images * lanes, { dilation: stride });
        return this.sumOfRows(perImage, images, lanes * 9); // [1, lanes / b * 9 * b]
      }),
    );
    const all = dots.length === 1 && dots[0] ? dots[0] : this.e.node('Concat', dots, { axis: 0 }); // [e * kt, ..]
    const blocks = this.e.transpose(this.e.reshape(all, [dots.length, lanes / b, 9, b]), [1, 3, 0, 2]); // [lanes / b, b, e * kt, 9]
    const used = this.e.pad(this.e.reshape(blocks, [lanes, dots.length * 9]), [0, 0], [channels - lanes, 0]);
    return this.e.reshape(used, [channels * parts.length, taps.kt, 3, 3]);
  }
}

/** Some of the nine places of a 3x3 kernel, row by row, and how they lie. */
interface Places {
  readonly list: readonly number[];
  readonly size: readonly [number, number];
}

/** How many taps a kernel has in time, and how far they lie back (see Op). */
export interface TimeTaps {
  readonly kt: number;
  readonly lag: number;
}

interface DepthwiseOptions {
  readonly stride: number;
  /** Of the result. */
  readonly size: MapSize;
  readonly bias?: string;
  readonly activation?: Activation;
}

export interface DepthwiseWeight extends TimeTaps {
  /** [out, kt, 3, 3] */
  readonly name: string;
  readonly out: number;
}
