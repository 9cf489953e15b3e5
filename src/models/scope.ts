/** Layers by their checkpoint names. Batch norm reports batch statistics in training and is folded in evaluation. */

import { type Expr, filled } from '../graph/expr.js';
import { add, div, mul, sub } from '../graph/operators/arithmetic.js';
import { channelAffine, channelDot, channelSum } from '../graph/operators/channelAffine.js';
import { layerNorm } from '../graph/operators/layerNorm.js';
import { linear } from '../graph/operators/matmul.js';
import { sum } from '../graph/operators/reduction.js';
import { reshape } from '../graph/operators/reshape.js';
import { slice } from '../graph/operators/sliceConcat.js';
import { relu, sqrt } from '../graph/operators/unary.js';
import { mapSize, type Shape } from '../graph/shape.js';
import type { Init, Variables } from './variables.js';

const epsilon = 1e-5;

/** Batch statistics as expressions: mean and (unbiased) variance [C], by the names of the running statistics. */
export type BatchStatistics = Map<string, Expr>;

/** Random masks of training: layers request them, and a training session feeds as many. */
export interface MaskInputs {
  /** A row for each residual branch, [n, B]: 0 or 1 / (1 - p). */
  readonly dropPath?: Expr | undefined;
  /** Columns for each dropout, side by side, [B, F]: 0 or 1 / (1 - p). */
  readonly dropout?: Expr | undefined;
}

export class Masks {
  /** Residual branches, in the order in which the network adds them. */
  branches = 0;
  /** Values of a clip that dropouts cover. */
  dropouts = 0;

  constructor(private readonly inputs: MaskInputs = {}) {}

  branch(y: Expr): Expr {
    const at = this.branches++;
    const { dropPath } = this.inputs;
    if (!dropPath) return y;
    const { clips, channels } = mapSize(y.shape, 'residual branch');
    const row = reshape(slice(dropPath, 0, at, at + 1), [clips, 1]);
    return channelAffine(y, mul(row, filled(1, [1, channels])));
  }

  dropout(x: Expr): Expr {
    const at = this.dropouts;
    this.dropouts += x.shape[1] ?? 0;
    const { dropout } = this.inputs;
    return dropout ? mul(x, slice(dropout, 1, at, this.dropouts)) : x;
  }
}

export class Scope {
  constructor(
    private readonly variables: Variables,
    /** Collects batch statistics; without it the network is in evaluation mode. */
    private readonly seen: BatchStatistics | undefined,
    private readonly masks = new Masks(),
    private readonly prefix = '',
  ) {}

  /** The layers below a name. */
  in(name: string): Scope {
    return new Scope(this.variables, this.seen, this.masks, `${this.prefix}${name}.`);
  }

  /** x plus what a branch made of it. */
  residual(x: Expr, y: Expr): Expr {
    return add(x, this.masks.branch(y));
  }

  /** Rows [B, F] of which training drops some values. */
  dropout(x: Expr): Expr {
    return this.masks.dropout(x);
  }

  weight(name: string, shape: Shape, init: Init, decay: boolean): Expr {
    return this.variables.parameter({ name: this.prefix + name, shape, init, decay });
  }

  /** (x W^T + b) * factor + plus; both go into W and b, which in inference are known beforehand. */
  linear(name: string, x: Expr, out: number, { factor = 1, plus = 0 }: { factor?: number; plus?: number } = {}): Expr {
    const weight = this.weight(`${name}.weight`, [out, x.shape.at(-1) ?? 0], { normal: 0.01 }, true);
    const bias = this.weight(`${name}.bias`, [out], { value: 0 }, false);
    const scaled = (v: Expr) => (factor === 1 ? v : mul(v, factor));
    return linear(x, scaled(weight), plus === 0 ? scaled(bias) : add(scaled(bias), plus));
  }

  /** Layer norm over the last axis. */
  norm(name: string, x: Expr): Expr {
    const width = [x.shape.at(-1) ?? 0];
    const scale = this.weight(`${name}.weight`, width, { value: 1 }, false);
    return layerNorm(x, scale, this.weight(`${name}.bias`, width, { value: 0 }, false), epsilon);
  }

  /**
   * A convolution and its batch norm. `convolve` is given a scale [C] for its output channels and a bias [C] in evaluation, and
   * neither in training, where the norm follows as a scale and shift by what the batch showed.
   */
  convBatchNorm(name: string, channels: number, convolve: (scale?: Expr, bias?: Expr) => Expr): Expr {
    const norm = this.normParts(name, channels);
    if (!this.seen) {
      const { scale, shift } = affine(norm.weight, norm.bias, norm.mean, norm.variance);
      return convolve(scale, shift);
    }
    const x = convolve();
    const { frames, clips, height, width } = mapSize(x.shape, 'batch norm');
    const count = frames * clips * height * width;
    const mean = mul(sum(channelSum(x), [0], [channels]), 1 / count);
    const square = mul(sum(channelDot(x, x), [0], [channels]), 1 / count);
    const variance = relu(sub(square, mul(mean, mean)));
    this.report(name, mean, variance, count);
    const { scale, shift } = affine(norm.weight, norm.bias, mean, variance);
    return channelAffine(x, reshape(scale, [1, channels]), reshape(shift, [1, channels]));
  }

  /** Batch norm of vectors [B, C] over the batch. */
  batchNorm(name: string, x: Expr): Expr {
    const [count = 1, channels = 0] = x.shape;
    const norm = this.normParts(name, channels);
    let { mean, variance } = norm;
    if (this.seen) {
      mean = mul(sum(x, [0], [channels]), 1 / count);
      const centred = sub(x, mean);
      variance = mul(sum(mul(centred, centred), [0], [channels]), 1 / count);
      this.report(name, mean, variance, count);
    }
    const { scale } = affine(norm.weight, norm.bias, mean, variance);
    return add(mul(sub(x, mean), scale), norm.bias);
  }

  /** Rows [B, C] less a fixed mean, over a fixed deviation: statistics that training leaves as they are. */
  standardise(name: string, x: Expr): Expr {
    const channels = x.shape[1] ?? 0;
    const [mean, deviation] = [`${this.prefix}${name}.mean`, `${this.prefix}${name}.deviation`];
    const fixed = {
      mean: this.variables.statistic(mean, channels, 0),
      deviation: this.variables.statistic(deviation, channels, 1),
    };
    this.seen?.set(mean, fixed.mean).set(deviation, fixed.deviation);
    return div(sub(x, fixed.mean), fixed.deviation);
  }

  private normParts(name: string, channels: number) {
    const full = `${this.prefix}${name}`;
    return {
      weight: this.weight(`${name}.weight`, [channels], { value: 1 }, false),
      bias: this.weight(`${name}.bias`, [channels], { value: 0 }, false),
      mean: this.variables.statistic(`${full}.running_mean`, channels, 0),
      variance: this.variables.statistic(`${full}.running_var`, channels, 1),
    };
  }

  private report(name: string, mean: Expr, variance: Expr, count: number): void {
    const full = `${this.prefix}${name}`;
    this.seen?.set(`${full}.running_mean`, mean);
    this.seen?.set(`${full}.running_var`, mul(variance, count / Math.max(count - 1, 1)));
  }
}

function affine(weight: Expr, bias: Expr, mean: Expr, variance: Expr): { scale: Expr; shift: Expr } {
  const scale = div(weight, sqrt(add(variance, epsilon)));
  return { scale, shift: sub(bias, mul(mean, scale)) };
}
