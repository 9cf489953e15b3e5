/**
 * Parameters and batch-norm statistics by name. Building a model declares shapes and initial values; the caller decides what a
 * name stands for: a slice of a vector, a constant, or only a shape.
 */

import type { Expr } from '../graph/expr.js';
import { input } from '../graph/expr.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import type { Rng } from '../rng.js';

/** Initialisation: normal with this deviation, or constant. */
export type Init = { readonly normal: number } | { readonly value: number };

export interface VariableSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly init: Init;
  /** Whether weight decay applies: to convolution and linear weights only. */
  readonly decay: boolean;
}

export interface Variables {
  parameter(spec: VariableSpec): Expr;
  /** A batch norm's running mean or variance, [C]. */
  statistic(name: string, channels: number, first: number): Expr;
}

/** The variables of a network, in the order of their declaration. */
export interface Inventory {
  readonly parameters: readonly VariableSpec[];
  readonly statistics: readonly VariableSpec[];
}

export class TooManyParameters extends Error {}

/** Lists variables; each becomes an input of its name. */
export class Recorder implements Variables, Inventory {
  readonly parameters: VariableSpec[] = [];
  readonly statistics: VariableSpec[] = [];

  private room: number;

  /** TooManyParameters is thrown for the first parameter that makes more than `most` values. */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.room = most;
  }

  parameter(spec: VariableSpec): Expr {
    this.room -= sizeOf(spec.shape);
    if (this.room < 0) throw new TooManyParameters(spec.name);
    this.parameters.push(spec);
    return input(spec.name, spec.shape);
  }

  statistic(name: string, channels: number, first: number): Expr {
    this.statistics.push({ name, shape: [channels], init: { value: first }, decay: false });
    return input(name, [channels]);
  }
}

/** Number of values in all of them. */
export const countValues = (specs: readonly VariableSpec[]): number => specs.reduce((sum, spec) => sum + sizeOf(spec.shape), 0);

/** Initial values, end to end; each is drawn from its own stream, named after it. */
export function initialValues(specs: readonly VariableSpec[], rng: Rng): Float32Array {
  const out = new Float32Array(countValues(specs));
  let at = 0;
  for (const { name, shape, init } of specs) {
    const end = at + sizeOf(shape);
    if ('value' in init) out.fill(init.value, at, end);
    else for (const own = rng.fork(name); at < end; at++) out[at] = own.normal(0, init.normal);
    at = end;
  }
  return out;
}
