/**
 * Dense and grouped convolutions on blocked maps, and their gradient for the input: one Conv for each tap in time, adding into the
 * same output. Groups must be whole blocks.
 */

import { joinPhases, timePhases } from '../operators/depthwise.js';
import { imageShape, images, pickFrames } from '../operators/images.js';
import { type Sliding, type Triple, tapPicks } from '../operators/window.js';
import { type MapSize, mapSize, type Shape } from '../shape.js';
import { BlockedInputGradient, type Places } from './blockedInputGradient.js';
import { BlockedLayout, type BlockedMap, type Epilogue } from './blockedLayout.js';

export interface DenseWeight {
  /** [O, C / groups, kt, kh, kw] */
  readonly name: string;
  readonly shape: Shape;
  readonly groups: number;
}

export interface DenseOptions {
  readonly sliding: Sliding;
  /** Of the result. */
  readonly size: MapSize;
  readonly bias?: string | undefined;
}

const kernelOf = ([, , kt = 1, kh = 1, kw = 1]: Shape): Triple => [kt, kh, kw];

export class BlockedConvolution extends BlockedLayout {
  convolution(x: BlockedMap, w: DenseWeight, options: DenseOptions, epilogue: Epilogue): BlockedMap {
    const picks = tapPicks(kernelOf(w.shape)[0], options.sliding, options.size.frames);
    const seen = picks.map((pick) => pickFrames(this.e, x.name, pick, x.size.clips, this.nominal(x)));
    return this.sumOfTaps(seen, this.kernels(w, false), w, options, epilogue);
  }

  /** Of a row-major map with fewer channels than a block (a stem). */
  ofPlain(x: string, from: Shape, w: DenseWeight, options: DenseOptions, epilogue: Epilogue): BlockedMap {
    const { clips } = mapSize(from, 'convolution');
    const picks = tapPicks(kernelOf(w.shape)[0], options.sliding, options.size.frames);
    const seen = picks.map((pick) => pickFrames(this.e, images(this.e, x, from), pick, clips, imageShape(from)));
    return this.sumOfTaps(seen, this.plainKernels(w), w, options, epilogue);
  }

  private sumOfTaps(
    maps: readonly string[],
    kernels: readonly string[],
    { shape, groups }: DenseWeight,
    { sliding: { stride, pads }, size, bias }: DenseOptions,
    { addend, activation }: Epilogue,
  ): BlockedMap {
    const lanes = { channels: size.channels, expand: 1 };
    const [, kh, kw] = kernelOf(shape);
    const space = {
      pads: [pads[1], pads[2], pads[4], pads[5]],
      stride: stride[1] === stride[2] ? stride[1] : ([stride[1], stride[2]] as const),
    };
    let y = addend?.name;
    maps.forEach((map, i) => {
      const start = i === 0 && bias ? { bias: this.toLanes(bias, [], lanes) } : {};
      const end = i === maps.length - 1 && activation ? { activation } : {};
      const sum = y === undefined ? {} : { addend: y };
      y = this.conv([map, kernels[i] ?? ''], [kh, kw], groups, { ...space, ...start, ...sum, ...end });
    });
    return { name: y ?? '', size, lanes };
  }

  /** One kernel a tap, [O lanes, C, kh, kw], output channels in blocks. */
  private plainKernels({ name, shape: [out = 0, into = 0, kt = 1, kh = 1, kw = 1] }: DenseWeight): string[] {
    const rows = this.padded(out);
    const b = this.block;
    return Array.from({ length: kt }, (_, tap) => {
      const one = this.e.reshape(kt === 1 ? name : this.e.slice(name, 2, tap, tap + 1), [out, into, kh, kw]);
      const whole = this.e.pad(one, [0, 0, 0, 0], [rows - out, 0, 0, 0]);
      const blocks = this.e.transpose(this.e.reshape(whole, [rows / b, b, into * kh * kw]), [0, 2, 1]);
      return this.e.reshape(blocks, [rows, into, kh, kw]);
    });
  }

  /** One kernel a tap with both channels in blocks, [g, O/b, C/b, kh, kw, bi, bo]; `flipped`: from O to C, with some places. */
  private kernels({ name, shape, groups }: DenseWeight, flipped: boolean, places?: Places): string[] {
    const [out = 0, into = 0, kt = 1, kh = 1, kw = 1] = shape;
    const b = this.block;
    const [rows, columns] = [this.padded(out / groups), this.padded(into)];
    const flat = this.e.reshape(name, [groups, out / groups, into, kt, kh * kw]);
    const whole = this.e.pad(flat, [0, 0, 0, 0, 0], [0, rows - out / groups, columns - into, 0, 0]);
    const split = this.e.reshape(whole, [groups, rows / b, b, columns / b, b, kt, kh * kw]);
    const picked = places ? this.e.node('Gather', [split, this.e.integers(places.list)], { axis: 6 }) : split;
    const blocks = this.e.transpose(picked, flipped ? [5, 0, 3, 1, 6, 2, 4] : [5, 0, 1, 3, 6, 4, 2]);
    const [to, from] = flipped ? [columns, rows] : [rows, columns];
    const all = this.e.reshape(blocks, [kt * groups * to, from, ...(places?.size ?? [kh, kw])]);
    return kt === 1 ? [all] : this.e.split(all, 0, Array<number>(kt).fill(groups * to));
  }

  inputGradient(dy: BlockedMap, w: DenseWeight, { sliding, size }: DenseOptions): BlockedMap {
    const lanes = { channels: size.channels, expand: 1 };
    const width = this.width(lanes);
    const [kt, ...kernel] = kernelOf(w.shape);
    const frames = Math.ceil(size.frames / sliding.stride[0]);
    const space = { sliding, kernel, from: dy.size, to: size, frames, lanes: width, group: w.groups };
    const emitter = new BlockedInputGradient(this.e, this.block);
    const phases = timePhases(kt, sliding, size.frames).map((phase) => {
      if (phase.length === 0) return undefined;
      const terms = phase.map(({ tap, pick }) => ({
        map: pickFrames(this.e, dy.name, pick, dy.size.clips, this.nominal(dy)),
        kernel: (places: Places) => this.kernels(w, true, places)[tap] ?? '',
      }));
      return emitter.spatial(terms, space);
    });
    const shape = [size.frames, size.clips, width, size.height, size.width];
    return { name: joinPhases(this.e, phases, shape, sliding), size, lanes };
  }
}
