/** Expressions: operator, operands, shape and gradient, no numbers except constants, no ONNX. All float32. */

import { ShapeError } from '../errors.js';
import { type Shape, showShape, sizeOf } from './shape.js';

/** Operators by name, and what each holds besides its operands: every file of operators/ adds its own. */
export interface Ops {
  input: { readonly name: string };
  constant: { readonly data: Float32Array };
  /** `previous`: its value of one run earlier. */
  state: { readonly name: string; readonly previous: boolean };
  featureMap: object;
}

export type OpKind = keyof Ops;
export type OpOf<K extends OpKind> = { readonly kind: K } & Ops[K];
/** What an expression computes. */
export type Op = { [K in OpKind]: OpOf<K> }[OpKind];

/** From the gradient of an expression to that of each operand; undefined where there is none (a step function, an input). */
export type Gradient = (dy: Expr) => readonly (Expr | undefined)[];

export interface Expr {
  /** Grows with creation: operands always have smaller numbers. */
  readonly id: number;
  readonly op: Op;
  readonly inputs: readonly Expr[];
  readonly shape: Shape;
  readonly gradient: Gradient;
  /** Whether this is a feature map [T, B, C, H, W]; weights of five axes, for one, are none. */
  readonly isMap: boolean;
}

let created = 0;

/** Makes an expression. Without a gradient it is a constant as far as differentiation goes. */
export function expr(op: Op, inputs: readonly Expr[], shape: Shape, gradient: Gradient = () => [], isMap = false): Expr {
  if (!shape.every((size) => Number.isInteger(size) && size > 0))
    throw new ShapeError(`${op.kind}: impossible shape ${showShape(shape)}`);
  return { id: created++, op, inputs, shape, gradient, isMap };
}

/** Makes a feature map. */
export const mapExpr = (op: Op, inputs: readonly Expr[], shape: Shape, gradient?: Gradient): Expr =>
  expr(op, inputs, shape, gradient, true);

/** The same operator on other operands, without a gradient. */
export const rebuilt = ({ op, shape, isMap }: Expr, inputs: readonly Expr[], other: Shape = shape): Expr =>
  expr(op, inputs, other, undefined, isMap);

/** A value of five axes [T, B, C, H, W] taken as a feature map. */
export function asMap(x: Expr): Expr {
  return x.isMap || x.shape.length !== 5 ? x : mapExpr({ kind: 'featureMap' }, [x], x.shape, (dy) => [dy]);
}

/** A tensor that is fed at each run. */
export function input(name: string, shape: Shape): Expr {
  return expr({ kind: 'input', name }, [], shape);
}

/**
 * State that is a feature map [T, B, C, H, W], as the updates or appends of earlier runs left it. It stays in whatever layout the
 * lowering likes: nobody but graphs reads it.
 */
export function state(name: string, shape: Shape): Expr {
  return mapExpr({ kind: 'state', name, previous: false }, [], shape);
}

/** The value that such state had one run earlier. */
export function previousState(name: string, shape: Shape): Expr {
  return mapExpr({ kind: 'state', name, previous: true }, [], shape);
}

/** A tensor known when the graph is written. */
export function constant(values: Float32Array | readonly number[], shape: Shape): Expr {
  const data = values instanceof Float32Array ? values : Float32Array.from(values);
  if (data.length !== sizeOf(shape)) throw new ShapeError(`constant: ${data.length} values for ${showShape(shape)}`);
  return expr({ kind: 'constant', data }, [], shape);
}

/** A constant without axes. */
export const scalar = (value: number): Expr => constant([value], []);

/** A constant with the same number everywhere. */
export const filled = (value: number, shape: Shape): Expr => constant(new Float32Array(sizeOf(shape)).fill(value), shape);

/** Every expression that the given ones need, operands first. */
export function topologicalOrder(roots: readonly Expr[]): Expr[] {
  const seen = new Set<Expr>();
  const stack = [...roots];
  for (let at = stack.pop(); at; at = stack.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    stack.push(...at.inputs);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}
