/**
 * Spatial and spatio-temporal depthwise convolutions on blocked feature maps, and their gradients: one plain depthwise Conv per
 * expansion and temporal tap, adding into the same output.
 */

import { ShapeError } from '../../errors.js';
import { joinPhases, timePhases } from '../operators/depthwise.js';
import { kernelGradientPads, pickFrames } from '../operators/images.js';
import { type FramePick, type Sliding, tapPicks } from '../operators/window.js';
import { type MapSize, sizeOf } from '../shape.js';
import { BlockedInputGradient, type Places } from './blockedInputGradient.js';
import { type Activation, BlockedLayout, type BlockedMap, type ConvOptions, type Lanes } from './blockedLayout.js';

/** Values of a map up to which copying it costs less than a node for each copy. */
const smallMap = 1 << 14;

export class BlockedDepthwise extends BlockedLayout {
  /** Depthwise convolution. */
  depthwise(x: BlockedMap, w: DepthwiseWeight, options: DepthwiseOptions): BlockedMap {
    return this.byExpansion(this.seen(x, w, options.sliding, options.size.frames), x.lanes, w, options);
  }

  /**
   * The same where each tap in time has a map of its own. In a small map a node more costs more than a copy: where the convolution
   * expands, its input is repeated and each tap is one Conv.
   */
  depthwiseTaps(maps: readonly BlockedMap[], w: DepthwiseWeight, options: DepthwiseOptions): BlockedMap {
    const { size, bias, activation } = options;
    const [first] = maps;
    if (!first) throw new ShapeError('depthwiseTaps: no maps');
    const names = maps.map(({ name }) => name);
    if (sizeOf(this.nominal(first)) > smallMap) return this.byExpansion(names, first.lanes, w, options);
    const expand = w.out / first.size.channels;
    const lanes = { channels: w.out, expand };
    const kernels = this.depthwiseKernels(w, expand);
    const join = (parts: readonly string[], axis: number) =>
      parts.length === 1 && parts[0] ? parts[0] : this.e.node('Concat', parts, { axis });
    const repeated = names.map((name) => join(Array<string>(expand).fill(name), 1));
    const kernelOf = (_: string, tap: number) => join(kernels.map((row) => row[tap] ?? ''), 0); // biome-ignore format: one line
    const start = { ...spaceOf(options.sliding), ...(bias && { bias: this.toLanes(bias, [], lanes) }) };
    const name = this.sumOfTaps(repeated, repeated.map(kernelOf), this.width(lanes), w, start, activation);
    return { name, size, lanes };
  }

  /** One Conv per expansion and tap; `from`: the lanes of the maps that the taps see. */
  private byExpansion(
    taps: readonly string[],
    from: Lanes,
    w: DepthwiseWeight,
    { size, bias, activation, sliding }: DepthwiseOptions,
  ): BlockedMap {
    const expand = w.out / from.channels;
    const lanes = { channels: w.out, expand };
    const biases = bias ? this.pieces(this.toLanes(bias, [], lanes), 0, expand, this.width(from)) : [];
    const space = spaceOf(sliding);
    const parts = this.depthwiseKernels(w, expand).map((row, k) =>
      this.sumOfTaps(taps, row, this.width(from), w, { ...space, ...(biases[k] && { bias: biases[k] }) }, activation),
    );
    const name = parts.length === 1 && parts[0] ? parts[0] : this.e.node('Concat', parts, { axis: 1 });
    return { name, size, lanes };
  }

  /** Each map convolved by its kernel, all adding into one output: the bias goes with the first, the activation with the last. */
  private sumOfTaps(
    maps: readonly string[],
    kernels: readonly string[],
    lanes: number,
    { kernel: [, kh, kw] }: DepthwiseWeight,
    { bias, ...space }: SpaceOptions,
    activation: Activation | undefined,
  ): string {
    let y: string | undefined;
    maps.forEach((map, i) => {
      const start = y === undefined ? { ...(bias !== undefined && { bias }) } : { addend: y };
      const end = activation && i === maps.length - 1 ? { activation } : {};
      y = this.conv([map, kernels[i] ?? ''], [kh, kw], lanes, { ...space, ...start, ...end });
    });
    return y ?? '';
  }

  /** An axis cut into pieces of equal length. */
  private pieces(x: string, axis: number, count: number, each: number): string[] {
    return count === 1 ? [x] : this.e.split(x, axis, Array<number>(count).fill(each));
  }

  /** The frames that each tap in time sees. */
  private seen(x: BlockedMap, { kernel }: DepthwiseWeight, sliding: Sliding, count: number): string[] {
    return tapPicks(kernel[0], sliding, count).map((pick) => this.picked(x, pick));
  }

  private picked(x: BlockedMap, pick: FramePick): string {
    return pickFrames(this.e, x.name, pick, x.size.clips, this.nominal(x));
  }

  /**
   * Kernels [expand][kt], each in the blocked depthwise layout [C / b, h, w, b] under the shape [C, 1, h, w]: the whole kernel or some
   * of its places, numbered row by row.
   */
  private depthwiseKernels(w: DepthwiseWeight, expand: number, places?: Places): string[][] {
    const [kt, kh, kw] = w.kernel;
    const channels = w.out / expand;
    const each = this.padded(channels);
    const b = this.block;
    const split = this.e.reshape(w.name, [channels, expand, kt, kh * kw]);
    const padded = this.e.pad(this.e.transpose(split, [1, 2, 0, 3]), [0, 0, 0, 0], [0, 0, each - channels, 0]); // [e, kt, C, k]
    const blocks = this.e.transpose(this.e.reshape(padded, [expand * kt, each / b, b, kh * kw]), [0, 1, 3, 2]); // [e*kt, C/b, k, b]
    const picked = places ? this.e.node('Gather', [blocks, this.e.integers(places.list)], { axis: 2 }) : blocks;
    const whole = this.e.reshape(picked, [expand * kt * each, 1, ...(places?.size ?? [kh, kw])]);
    const kernels = this.pieces(whole, 0, expand * kt, each);
    return Array.from({ length: expand }, (_, k) => kernels.slice(k * kt, (k + 1) * kt));
  }

  /** The parts of a gradient that belong to each expansion, each a map with its channels in order. */
  private expansions(dy: BlockedMap): BlockedMap[] {
    const { expand, channels } = dy.lanes;
    const lanes = { channels: channels / expand, expand: 1 };
    const size = { ...dy.size, channels: channels / expand };
    return this.pieces(dy.name, 1, expand, this.base(dy.lanes)).map((name) => ({ name, size, lanes }));
  }

  /** Gradient of depthwise for its input. */
  depthwiseInputGradient(dy: BlockedMap, w: DepthwiseWeight, sliding: Sliding, size: MapSize): BlockedMap {
    const expand = w.out / size.channels;
    const lanes = { channels: size.channels, expand: 1 };
    const [kt, ...kernel] = w.kernel;
    const parts = this.expansions(dy);
    const width = this.padded(size.channels);
    const frames = Math.ceil(size.frames / sliding.stride[0]);
    const space = { sliding, kernel, from: dy.size, to: size, frames, lanes: width, group: width };
    const emitter = new BlockedInputGradient(this.e, this.block);
    const phases = timePhases(kt, sliding, size.frames).map((phase) => {
      const terms = parts.flatMap((part, k) =>
        phase.map(({ tap, pick }) => ({
          map: this.picked(part, pick),
          kernel: (places: Places) => this.depthwiseKernels(w, expand, places)[k]?.[tap] ?? '',
        })),
      );
      return emitter.spatial(terms, space);
    });
    const shape = [size.frames, size.clips, width, size.height, size.width];
    return { name: joinPhases(this.e, phases, shape, sliding), size, lanes };
  }

  /**
   * Gradient of depthwise for its weight, [C * e, kt, kh, kw]: every channel of every image convolved by its own gradient. For the
   * taps in time the gradient is shifted, as it is for the input's gradient already, unless they skip frames.
   */
  depthwiseWeightGradient(dy: BlockedMap, x: BlockedMap, kernel: readonly [number, number, number], sliding: Sliding): string {
    const { channels, height, width } = x.size;
    const [kt, kh, kw] = kernel;
    const lanes = this.width(x.lanes);
    const b = this.block;
    const [top = 0, left = 0, bottom = 0, right = 0] = kernelGradientPads(x.size, dy.size, [kh, kw], sliding);
    // Borders once: without padding the kernel keeps three accumulators busy.
    const framed = this.e.pad(
      this.e.reshape(x.name, [(x.size.frames * x.size.clips * lanes) / b, height, width, b]),
      [0, top, left, 0],
      [0, bottom, right, 0],
    );
    const edge = [height + top + bottom, width + left + right] as const;
    const parts = this.expansions(dy);
    const dots = parts.flatMap((part) =>
      this.pairs(part, { framed, edge, lanes, clips: x.size.clips, frames: x.size.frames }, kt, sliding).map(
        ({ view, tap, images }) => {
          const by = this.e.reshape(tap, [images * lanes, 1, dy.size.height, dy.size.width]);
          const whole = this.e.reshape(view, [1, images * lanes, ...edge]);
          const dilation = [sliding.stride[1], sliding.stride[2]] as const;
          const perImage = this.conv([whole, by], [dy.size.height, dy.size.width], images * lanes, { dilation });
          return this.sumOfRows(perImage, images, lanes * kh * kw); // [1, lanes / b * kh * kw * b]
        },
      ),
    );
    const all = dots.length === 1 && dots[0] ? dots[0] : this.e.node('Concat', dots, { axis: 0 }); // [e * kt, ..]
    const blocks = this.e.transpose(this.e.reshape(all, [dots.length, lanes / b, kh * kw, b]), [1, 3, 0, 2]); // [lanes / b, b, e * kt, k]
    const used = this.e.pad(this.e.reshape(blocks, [lanes, dots.length * kh * kw]), [0, 0], [channels - lanes, 0]);
    return this.e.reshape(used, [channels * parts.length, kt, kh, kw]);
  }

  /** For each tap in time the frames of the map and those of the gradient that meet. */
  private pairs(dy: BlockedMap, x: FramedMap, kt: number, sliding: Sliding) {
    if (sliding.stride[0] === 1 && dy.size.frames === x.frames) {
      const picks = tapPicks(kt, sliding, x.frames).map((pick) => ({ ...pick, first: -pick.first }));
      return picks.map((pick) => ({ view: x.framed, tap: this.picked(dy, pick), images: x.frames * x.clips }));
    }
    const shape = [(x.frames * x.clips * x.lanes) / this.block, ...x.edge, this.block];
    return tapPicks(kt, sliding, dy.size.frames).map((pick) => ({
      view: pickFrames(this.e, x.framed, pick, (x.clips * x.lanes) / this.block, shape),
      tap: dy.name,
      images: dy.size.frames * x.clips,
    }));
  }
}

const spaceOf = ({ stride, pads }: Sliding): SpaceOptions => ({
  stride: [stride[1], stride[2]],
  pads: [pads[1], pads[2], pads[4], pads[5]],
});

type SpaceOptions = Pick<ConvOptions, 'stride' | 'pads' | 'bias'>;

/** A map whose edges are padded. */
interface FramedMap {
  readonly framed: string;
  readonly edge: readonly [height: number, width: number];
  readonly lanes: number;
  readonly clips: number;
  readonly frames: number;
}

interface DepthwiseOptions {
  readonly sliding: Sliding;
  /** Of the result. */
  readonly size: MapSize;
  readonly bias?: string;
  readonly activation?: Activation;
}

export interface DepthwiseWeight {
  /** [out, kt, kh, kw] */
  readonly name: string;
  readonly out: number;
  readonly kernel: readonly [number, number, number];
}
