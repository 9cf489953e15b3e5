/**
 * Operators on blocked feature maps. Almost everything is a Conv there: scale-and-shift is a depthwise 1x1 Conv, one that also differs
 * by clip sees the clips as channels ([T, B*C, ..], free since T is outermost), attention is a 1x1 Conv with one group a clip, and a
 * dot product over positions is a depthwise Conv whose kernel is the other map. Each takes an activation and an addend (`Sum`) in
 * the same pass.
 */

import { sizeOf } from '../shape.js';
import { type Activation, BlockedLayout, type BlockedMap, type Epilogue, type Lanes, nchwc } from './blockedLayout.js';
import { steep } from './plain.js';

export class BlockedEmitter extends BlockedLayout {
  /** scale * x + shift; scale and shift [rows, lanes] with rows 1 or B. */
  scaleShift(x: BlockedMap, scale: string, shift: string, rows: readonly [number, number], epilogue: Epilogue = {}): BlockedMap {
    const { frames, clips, channels, height, width } = x.size;
    const perClip = Math.max(...rows) > 1;
    const lanes = this.width(x.lanes);
    const images = perClip ? frames : frames * clips;
    const all = perClip ? clips * lanes : lanes;
    const view = [images, all, 1, height * width];
    const vector = (v: string, count: number, shape: number[]) => {
      const spread = perClip && count === 1 ? this.e.node('Expand', [v, this.e.integers([clips, lanes])]) : v;
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

  /** One product of [O, P] and [P, C] an image: a quarter faster than one that transposes its first operand. */
  private productsPerClip(y: BlockedMap, x: BlockedMap): string {
    const { frames, clips, height, width } = x.size;
    const positions = height * width;
    const plain = this.e.node('ReorderOutput', [y.name], { channels: this.width(y.lanes) }, nchwc);
    const left = this.e.reshape(plain, [frames, clips, this.width(y.lanes), positions]);
    const right = this.e.reshape(this.channelsLast(x), [frames, clips, positions, this.width(x.lanes)]);
    const shape = [clips, this.width(y.lanes), this.width(x.lanes)];
    return this.e.reshape(this.sumOfRows(this.e.node('MatMul', [left, right]), frames, sizeOf(shape)), shape);
  }

  /** [T*B, H, W, lanes] */
  private channelsLast(map: BlockedMap): string {
    return this.e.node('ReorderOutput', [map.name], { channels: this.width(map.lanes), channels_last: 1 }, nchwc);
  }

  /** Softmax over frames and positions of each clip's channel. */
  softmaxPositions(x: BlockedMap): BlockedMap {
    const { exps, total, view } = this.raised(x);
    const all = view[1];
    const scale = this.e.reshape(this.e.node('Reciprocal', [total]), [all, 1, 1, 1]);
    const y = this.conv([this.e.reshape(exps, view), scale], [1, 1], all);
    return { ...x, name: this.e.reshape(this.e.hasShape(y, view), this.nominal(x)) };
  }

  /** Softmax over frames and positions in two factors: a map of exponentials and what to multiply with, [B, C, 1]. */
  exponentials(x: BlockedMap): { exps: BlockedMap; scale: string } {
    const { exps, total } = this.raised(x);
    const { clips, channels } = x.size;
    const totals = this.fromLanes(this.e.reshape(total, [clips, this.width(x.lanes)]), [clips], x.lanes);
    const scale = this.e.reshape(this.e.node('Reciprocal', [totals]), [clips, channels, 1]);
    return { exps: { ...x, name: this.e.reshape(exps, this.nominal(x)) }, scale };
  }

  /** exp(x - its largest value over frames and positions), and the sums of these, [1, B * lanes]. */
  private raised(x: BlockedMap): { exps: string; total: string; view: readonly [number, number, number, number] } {
    const { frames, clips, height, width } = x.size;
    const lanes = this.width(x.lanes);
    const all = clips * lanes;
    const view = [frames, all, 1, height * width] as const;
    const peaks = this.e.reshape(this.e.node('GlobalMaxPool', [x.name], {}, nchwc), [frames, all]);
    const peak = this.e.node('ReduceMax', [peaks], { axes: [0], keepdims: 0 });
    const ones = this.e.filled(1, [all, 1, 1, 1]);
    const lowered = this.conv([this.e.reshape(x.name, view), ones], [1, 1], all, { bias: this.e.node('Neg', [peak]) });
    const exps = this.e.node('Exp', [lowered]);
    const means = this.e.node('GlobalAveragePool', [exps], {}, nchwc);
    return { exps, total: this.sumOfRows(means, frames, all, height * width), view };
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

  step(x: BlockedMap): BlockedMap {
    const attributes = { alpha: { float: steep }, beta: { float: 0 } };
    return { ...x, name: this.e.node('HardSigmoid', [x.name], attributes) };
  }
}
