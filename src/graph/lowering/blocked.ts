/**
 * Feature maps in ONNX Runtime's blocked layout (NCHWc): [T*B, C / b, H, W, b] in memory, b = 8 or 16 channels side by side, under
 * the nominal shape [T*B, C, H, W]. The `com.microsoft.nchwc` operators are internal to ONNX Runtime, so its version is pinned.
 *
 * Almost everything is a Conv there: scale-and-shift is a depthwise 1x1 Conv, one that also differs by clip sees the clips as
 * channels ([T, B*C, ..], free since T is outermost), attention is a 1x1 Conv with one group a clip, and a dot product over
 * positions is a depthwise Conv whose kernel is the other map. Each takes an activation and an addend (`Sum`) in the same pass.
 *
 * Unused lanes of a last block hold finite numbers of no meaning; every weight that meets them is zero.
 */

import { ShapeError } from '../../errors.js';
import { type MapSize, sizeOf } from '../shape.js';
import type { Emitter } from './emitter.js';
import { gradientPads, shiftFrames, steep } from './plain.js';

const nchwc = 'com.microsoft.nchwc';
const microsoft = 'com.microsoft';

/**
 * How logical channels lie in lanes. An expanding depthwise convolution writes its e outputs of an input channel e strides apart
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

/** What may happen in the same pass after a convolution: an addend, then an activation. */
export interface Epilogue {
  readonly addend?: BlockedMap;
  readonly activation?: Activation;
}

export class BlockedEmitter {
  constructor(
    readonly e: Emitter,
    /** Channels side by side: 8 or 16, as the machine's kernels want it. */
    readonly block: number,
  ) {}

  private padded(channels: number): number {
    return Math.ceil(channels / this.block) * this.block;
  }

  /** Lanes of one of the `expand` groups, with the unused ones. */
  private base(lanes: Lanes): number {
    return this.padded(lanes.channels / lanes.expand);
  }

  /** All lanes of a map. */
  private width(lanes: Lanes): number {
    return this.base(lanes) * lanes.expand;
  }

  private nominal(map: BlockedMap): number[] {
    const { frames, clips, height, width } = map.size;
    return [frames * clips, this.width(map.lanes), height, width];
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

  /** Logical channels (last axis) -> lanes, zero in unused ones. */
  private toLanes(x: string, rows: readonly number[], lanes: Lanes): string {
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
  private fromLanes(x: string, rows: readonly number[], lanes: Lanes): string {
    const { channels, expand } = lanes;
    const each = channels / expand;
    const zeros = rows.map(() => 0);
    if (expand === 1) return this.e.pad(x, [...zeros, 0], [...zeros, each - this.base(lanes)]);
    const split = this.e.reshape(x, [...rows, expand, this.base(lanes)]);
    const used = this.e.pad(split, [...zeros, 0, 0], [...zeros, 0, each - this.base(lanes)]);
    return this.e.reshape(this.e.transpose(used, [...rows.keys(), rows.length + 1, rows.length]), [...rows, channels]);
  }

  private conv(inputs: readonly string[], kernel: readonly [number, number], group: number, more: ConvOptions = {}): string {
    const { pads = [0, 0, 0, 0], stride = 1, dilation = 1, activation, bias = '', addend = '' } = more;
    const operands = [...inputs, bias, addend];
    while (operands.at(-1) === '') operands.pop();
    const strides = [stride, stride];
    const attributes = {
      group,
      kernel_shape: kernel,
      pads,
      strides,
      dilations: [dilation, dilation],
      ...activationOf(activation),
    };
    return this.e.node('Conv', operands, attributes, nchwc);
  }

  private options(epilogue: Epilogue, bias: string | undefined): ConvOptions {
    const { addend, activation } = epilogue;
    return { ...(bias && { bias }), ...(addend && { addend: addend.name }), ...(activation && { activation }) };
  }

  /** scale * x + shift; scale and shift [rows, C] with rows 1 or B. */
  scaleShift(x: BlockedMap, scale: string, shift: string, rows: readonly [number, number], epilogue: Epilogue = {}): BlockedMap {
    const { frames, clips, channels, height, width } = x.size;
    const perClip = Math.max(...rows) > 1;
    const lanes = this.width(x.lanes);
    const images = perClip ? frames : frames * clips;
    const all = perClip ? clips * lanes : lanes;
    const view = [images, all, 1, height * width];
    const vector = (v: string, count: number, shape: number[]) => {
      const row = this.toLanes(v, [count], x.lanes);
      const spread = perClip && count === 1 ? this.e.node('Expand', [row, this.e.integers([clips, lanes])]) : row;
      return this.e.reshape(spread, shape);
    };
    const operands = [this.e.reshape(x.name, view), vector(scale, rows[0], [all, 1, 1, 1])];
    const options = this.options(epilogue, vector(shift, rows[1], [all]));
    const addend = epilogue.addend ? { addend: this.e.reshape(epilogue.addend.name, view) } : {};
    const y = this.conv(operands, [1, 1], all, { ...options, ...addend });
    return { name: this.e.reshape(this.e.hasShape(y, view), this.nominal(x)), size: { ...x.size, channels }, lanes: x.lanes };
  }

  /** Sum over frames and positions, [B, C]. */
  channelSum(x: BlockedMap): string {
    const { frames, clips, height, width } = x.size;
    const means = this.e.node('GlobalAveragePool', [x.name], {}, nchwc);
    const lanes = this.width(x.lanes);
    const total = this.sumOfRows(means, frames, clips * lanes, height * width);
    return this.fromLanes(this.e.reshape(total, [clips, lanes]), [clips], x.lanes);
  }

  /**
   * The sum of so many rows, times a factor, as one row [1, columns]. A product with a constant row is several times faster than
   * ONNX Runtime's ReduceSum over the first axis.
   */
  private sumOfRows(x: string, rows: number, columns: number, factor = 1): string {
    return this.e.node('MatMul', [this.e.filled(factor, [1, rows]), this.e.reshape(x, [rows, columns])]);
  }

  /** Sum over frames and positions of x * y, [B, C]. */
  channelDot(x: BlockedMap, y: BlockedMap): string {
    const { frames, clips, height, width } = x.size;
    const all = frames * clips * this.width(x.lanes);
    const view = this.e.reshape(x.name, [1, all, height, width]);
    const kernel = this.e.reshape(y.name, [all, 1, height, width]);
    const dots = this.conv([view, kernel], [height, width], all);
    const lanes = this.width(x.lanes);
    const total = this.sumOfRows(dots, frames, clips * lanes);
    return this.fromLanes(this.e.reshape(total, [clips, lanes]), [clips], x.lanes);
  }

  /** 1x1 convolution; weight [O, C] or, per clip, [B, O, C]; bias [O]; `out` says how the result's channels shall lie. */
  pointwise(x: BlockedMap, weight: string, out: Lanes, perClip: boolean, bias?: string, epilogue: Epilogue = {}): BlockedMap {
    const { frames, clips, height, width } = x.size;
    const groups = perClip ? clips : 1;
    const fit = (name: string, channels: number) =>
      groups > 1 ? this.e.reshape(name, [frames, groups * channels, height, width]) : name;
    const rows = this.width(out);
    const kernel = this.matrixKernel(
      this.matrixLanes(weight, out, x.lanes, perClip ? [clips] : []),
      groups,
      rows,
      this.width(x.lanes),
    );
    const wide = bias && this.repeated(this.toLanes(bias, [], out), groups);
    const { addend } = epilogue;
    const options = { ...this.options(epilogue, wide), ...(addend && { addend: fit(addend.name, rows) }) };
    const y = this.conv([fit(x.name, this.width(x.lanes)), kernel], [1, 1], groups, options);
    this.e.hasShape(y, [(frames * clips) / groups, groups * rows, height, width]);
    const map = { name: y, size: { ...x.size, channels: out.channels }, lanes: out };
    return { ...map, name: this.e.reshape(y, this.nominal(map)) };
  }

  /** A matrix [.., O, C] with both axes laid out in lanes. */
  private matrixLanes(weight: string, rows: Lanes, columns: Lanes, lead: readonly number[]): string {
    const swap = lead.length ? [0, 2, 1] : [1, 0];
    const wide = this.toLanes(weight, [...lead, rows.channels], columns); // [.., O, C lanes]
    if (rows.expand === 1) {
      const zeros = [...lead.map(() => 0), 0, 0];
      return this.e.pad(wide, zeros, [...lead.map(() => 0), this.width(rows) - rows.channels, 0]);
    }
    return this.e.transpose(this.toLanes(this.e.transpose(wide, swap), [...lead, this.width(columns)], rows), swap);
  }

  /** [groups, rows, columns] in lanes -> the blocked filter layout, out and in channels in blocks: [g, O/b, I/b, bi, bo]. */
  private matrixKernel(weight: string, groups: number, rows: number, columns: number): string {
    const b = this.block;
    const blocks = this.e.reshape(weight, [groups, rows / b, b, columns / b, b]);
    return this.e.reshape(this.e.transpose(blocks, [0, 1, 3, 4, 2]), [groups * rows, columns, 1, 1]);
  }

  private repeated(x: string, times: number): string {
    return times === 1 ? x : this.e.node('Concat', Array<string>(times).fill(x), { axis: 0 });
  }

  /** Products of channels summed over positions: [O, C] or per clip [B, O, C]. */
  gram(y: BlockedMap, x: BlockedMap, perClip: boolean): string {
    const flip = perClip ? [0, 2, 1] : [1, 0];
    const [outer, inner] = [this.width(y.lanes), this.width(x.lanes)];
    if (outer > inner) return this.e.transpose(this.gram(x, y, perClip), flip); // the narrow side first is faster
    const lead = perClip ? [x.size.clips] : [];
    const wide = perClip ? this.productsPerClip(y, x) : this.products(y, x); // [B?, O lanes, C lanes]
    const columns = this.fromLanes(wide, [...lead, outer], x.lanes);
    if (y.lanes.expand === 1 && outer === y.size.channels) return columns;
    const turned = this.fromLanes(this.e.transpose(columns, flip), [...lead, x.size.channels], y.lanes);
    return this.e.transpose(turned, flip);
  }

  private products(y: BlockedMap, x: BlockedMap): string {
    const rows = (map: BlockedMap) => this.e.reshape(this.channelsLast(map), [-1, this.width(map.lanes)]);
    return this.e.node('Gemm', [rows(y), rows(x)], { transA: 1 });
  }

  private productsPerClip(y: BlockedMap, x: BlockedMap): string {
    const { frames, clips, height, width } = x.size;
    const rows = (map: BlockedMap) =>
      this.e.reshape(this.channelsLast(map), [frames, clips, height * width, this.width(map.lanes)]);
    const perFrame = this.e.node('FusedMatMul', [rows(y), rows(x)], { transA: 1, transB: 0 }, microsoft);
    const shape = [clips, this.width(y.lanes), this.width(x.lanes)];
    return this.e.reshape(this.sumOfRows(perFrame, frames, sizeOf(shape)), shape);
  }

  /** [T*B, H, W, lanes] */
  private channelsLast(map: BlockedMap): string {
    return this.e.node('ReorderOutput', [map.name], { channels: this.width(map.lanes), channels_last: 1 }, nchwc);
  }

  /** Softmax over frames and positions of each clip's channel. */
  softmaxPositions(x: BlockedMap): BlockedMap {
    const { frames, clips, height, width } = x.size;
    const lanes = this.width(x.lanes);
    const all = clips * lanes;
    const view = [frames, all, 1, height * width];
    const peaks = this.e.reshape(this.e.node('GlobalMaxPool', [x.name], {}, nchwc), [frames, all]);
    const peak = this.e.node('ReduceMax', [peaks], { axes: [0], keepdims: 0 });
    const ones = this.e.filled(1, [all, 1, 1, 1]);
    const lowered = this.conv([this.e.reshape(x.name, view), ones], [1, 1], all, { bias: this.e.node('Neg', [peak]) });
    const exps = this.e.node('Exp', [lowered]);
    const means = this.e.node('GlobalAveragePool', [exps], {}, nchwc);
    const total = this.sumOfRows(means, frames, all, height * width);
    const scale = this.e.reshape(this.e.node('Reciprocal', [total]), [all, 1, 1, 1]);
    return { ...x, name: this.e.reshape(this.conv([exps, scale], [1, 1], all), this.nominal(x)) };
  }

  /**
   * Softmax over the M channels of each head at every position. Scores are taken against the head's mean (one small 1x1 Conv)
   * and held within +-80, so that nothing overflows; a difference of more than 80 is 0 in float32 anyway.
   */
  softmaxTokens(x: BlockedMap, heads: number): BlockedMap {
    const { channels } = x.size;
    const lanes = this.width(x.lanes);
    const each = channels / heads;
    const centring = (o: number, i: number) => (o === i ? 1 : 0) - 1 / each;
    const centred = this.headConv(x, lanes, each, centring, { low: -80, high: 80 });
    const exps = this.e.node('Exp', [centred]);
    const totals = this.headConv({ ...x, name: exps }, lanes, each, () => 1);
    return { ...x, name: this.e.node('Div', [exps, totals]) };
  }

  /** 1x1 Conv by a constant matrix that mixes the used lanes of a head and leaves unused lanes as they are. */
  private headConv(
    x: BlockedMap,
    lanes: number,
    each: number,
    entry: (o: number, i: number) => number,
    activation?: Activation,
  ): string {
    const data = new Float32Array(lanes * lanes);
    for (let o = 0; o < lanes; o++) {
      for (let i = 0; i < lanes; i++) {
        const used = o < x.size.channels && i < x.size.channels;
        const same = Math.floor(o / each) === Math.floor(i / each);
        data[o * lanes + i] = used ? (same ? entry(o, i) : 0) : o === i ? 1 : 0;
      }
    }
    const kernel = this.matrixKernel(this.e.floats(data, [lanes, lanes]), 1, lanes, lanes);
    return this.conv([x.name, kernel], [1, 1], 1, activation ? { activation } : {});
  }

  /** Any elementwise operator on maps whose lanes agree. */
  elementwise(type: string, maps: readonly BlockedMap[], extra: readonly string[] = []): BlockedMap {
    const [first] = maps;
    if (!first) throw new ShapeError(`${type}: no operand`);
    return { ...first, name: this.e.node(type, [...maps.map((map) => map.name), ...extra]) };
  }

  step(x: BlockedMap): BlockedMap {
    const attributes = { alpha: { float: steep }, beta: { float: 0 } };
    return { ...x, name: this.e.node('HardSigmoid', [x.name], attributes) };
  }

  /** Depthwise convolution: one Conv per expansion and temporal tap, the taps adding into the same output. */
  depthwise(x: BlockedMap, w: DepthwiseWeight, stride: number, height: number, width: number, bias?: string): BlockedMap {
    const expand = w.out / x.size.channels;
    const lanes = { channels: w.out, expand };
    const kernels = this.depthwiseKernels(w, expand);
    const shifts = this.shifted(x, w.kt, 1);
    const biases = bias ? this.pieces(this.toLanes(bias, [], lanes), 0, expand, this.width(x.lanes)) : [];
    const parts = kernels.map((row, k) => {
      let y: string | undefined;
      row.forEach((kernel, tap) => {
        const more = { pads: [1, 1, 1, 1], stride, ...(y !== undefined ? { addend: y } : biases[k] ? { bias: biases[k] } : {}) };
        y = this.conv([shifts[tap] ?? '', kernel], [3, 3], this.width(x.lanes), more);
      });
      return y ?? '';
    });
    const name = parts.length === 1 && parts[0] ? parts[0] : this.e.node('Concat', parts, { axis: 1 });
    return { name, size: { ...x.size, channels: w.out, height, width }, lanes };
  }

  /** An axis cut into pieces of equal length. */
  private pieces(x: string, axis: number, count: number, each: number): string[] {
    return count === 1 ? [x] : this.e.split(x, axis, Array<number>(count).fill(each));
  }

  /** The map moved in time for each tap: frame t + k - (kt - 1) / 2 (or back, for gradients). */
  private shifted(x: BlockedMap, kt: number, direction: 1 | -1): string[] {
    return Array.from({ length: kt }, (_, k) =>
      shiftFrames(this.e, x.name, direction * (k - (kt - 1) / 2), x.size.clips, this.nominal(x)),
    );
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
      const shifts = this.shifted(part, w.kt, -1);
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
    const shifts = parts.map((part) => this.shifted(part, w.kt, -1));
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
  depthwiseWeightGradient(dy: BlockedMap, x: BlockedMap, kt: number, stride: number): string {
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
      this.shifted(part, kt, -1).map((tap) => {
        const kernel = this.e.reshape(tap, [images * lanes, 1, ...size]);
        const perImage = this.conv([view, kernel], size, images * lanes, { dilation: stride });
        return this.sumOfRows(perImage, images, lanes * 9); // [1, lanes / b * 9 * b]
      }),
    );
    const all = dots.length === 1 && dots[0] ? dots[0] : this.e.node('Concat', dots, { axis: 0 }); // [e * kt, ..]
    const blocks = this.e.transpose(this.e.reshape(all, [dots.length, lanes / b, 9, b]), [1, 3, 0, 2]); // [lanes / b, b, e * kt, 9]
    const used = this.e.pad(this.e.reshape(blocks, [lanes, dots.length * 9]), [0, 0], [channels - lanes, 0]);
    return this.e.reshape(used, [channels * parts.length, kt, 3, 3]);
  }

  /** Full 3x3 convolution of plain images with fewer channels than a block (the stem). weight [O, C, 3, 3]. */
  convolution(
    x: string,
    from: MapSize,
    weight: string,
    to: MapSize,
    stride: number,
    bias?: string,
    epilogue: Epilogue = {},
  ): BlockedMap {
    const lanes = { channels: to.channels, expand: 1 };
    const rows = this.width(lanes);
    const whole = this.e.pad(weight, [0, 0, 0, 0], [rows - to.channels, 0, 0, 0]);
    const blocks = this.e.transpose(this.e.reshape(whole, [rows / this.block, this.block, from.channels * 9]), [0, 2, 1]);
    const kernel = this.e.reshape(blocks, [rows, from.channels, 3, 3]);
    const images = this.e.reshape(x, [from.frames * from.clips, from.channels, from.height, from.width]);
    const options = this.options(epilogue, bias && this.toLanes(bias, [], lanes));
    return { name: this.conv([images, kernel], [3, 3], 1, { ...options, pads: [1, 1, 1, 1], stride }), size: to, lanes };
  }
}

interface ConvOptions {
  readonly pads?: readonly number[];
  readonly stride?: number;
  readonly dilation?: number;
  readonly activation?: Activation;
  readonly bias?: string;
  readonly addend?: string;
}

/** Some of the nine places of a 3x3 kernel, row by row, and how they lie. */
interface Places {
  readonly list: readonly number[];
  readonly size: readonly [number, number];
}

export interface DepthwiseWeight {
  /** [out, kt, 3, 3] */
  readonly name: string;
  readonly out: number;
  readonly kt: number;
}

function activationOf(activation: Activation | undefined): Record<string, string | { floats: number[] }> {
  if (activation === undefined) return {};
  if (activation === 'Relu') return { activation: 'Relu' };
  if (activation === 'Step') return { activation: 'HardSigmoid', activation_params: { floats: [steep, 0] } };
  return { activation: 'Clip', activation_params: { floats: [activation.low, activation.high] } };
}
