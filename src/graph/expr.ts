/**
 * Tensors as expressions. An expression knows the operator that makes it, its operands, its shape, and how a gradient flows from
 * it to its operands; it holds no numbers (except constants) and knows nothing of ONNX or of any machine. All are float32.
 */

import { ShapeError } from '../errors.js';
import { type Shape, showShape, sizeOf } from './shape.js';

/** What an expression computes. Operators on feature maps ([T, B, C, H, W], T outermost) are described in features.ts and convolution.ts. */
export type Op =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'constant'; readonly data: Float32Array }
  | { readonly kind: 'add' | 'sub' | 'mul' | 'div' }
  | { readonly kind: 'relu' | 'step' | 'exp' | 'log' | 'sqrt' | 'erf' }
  | { readonly kind: 'clip'; readonly low: number; readonly high: number }
  | { readonly kind: 'sum'; readonly axes: readonly number[] }
  | { readonly kind: 'reshape' }
  | { readonly kind: 'broadcast' }
  | { readonly kind: 'transpose'; readonly order: readonly number[] }
  | { readonly kind: 'slice'; readonly axis: number; readonly start: number; readonly end: number }
  | { readonly kind: 'concat'; readonly axis: number }
  | { readonly kind: 'matmul'; readonly transposeA: boolean; readonly transposeB: boolean }
  | { readonly kind: 'softmax' | 'logSoftmax' }
  | { readonly kind: 'layerNorm'; readonly epsilon: number }
  | { readonly kind: 'scaleShift' | 'channelSum' | 'channelDot' | 'softmaxPositions' }
  | { readonly kind: 'pointwise'; readonly perClip: boolean }
  | { readonly kind: 'gram'; readonly perClip: boolean }
  | { readonly kind: 'softmaxTokens'; readonly heads: number }
  | { readonly kind: 'shuffleChannels'; readonly groups: number }
  | { readonly kind: 'regroup' }
  | { readonly kind: 'memory'; readonly name: string }
  | { readonly kind: 'depthwiseTaps' | 'convolution' | 'convolutionWeightGradient'; readonly stride: number }
  /**
   * Tap k of kt in time looks k - (kt - 1) / 2 - lag frames ahead. `turned` is made by rewriting only (lowering/turned.ts): the map
   * is [H, B, C, W, T], the weight [C * e, k, k, kt], and H and W are strided.
   */
  | { readonly kind: 'depthwise'; readonly stride: number; readonly lag: number; readonly turned?: boolean }
  | { readonly kind: 'depthwiseInputGradient' | 'depthwiseWeightGradient'; readonly stride: number; readonly lag: number };

export type OpKind = Op['kind'];

/** From the gradient of an expression to that of each operand; undefined where there is none (a step function, an input). */
export type Gradient = (dy: Expr) => readonly (Expr | undefined)[];

export interface Expr {
  /** Grows with creation: operands always have smaller numbers. */
  readonly id: number;
  readonly op: Op;
  readonly inputs: readonly Expr[];
  readonly shape: Shape;
  readonly gradient: Gradient;
}

let created = 0;

/** Makes an expression. Without a gradient it is a constant as far as differentiation goes. */
export function expr(op: Op, inputs: readonly Expr[], shape: Shape, gradient: Gradient = () => []): Expr {
  if (!shape.every((size) => Number.isInteger(size) && size > 0))
    throw new ShapeError(`${op.kind}: impossible shape ${showShape(shape)}`);
  return { id: created++, op, inputs, shape, gradient };
}

/** A tensor that is fed at each run. */
export function input(name: string, shape: Shape): Expr {
  return expr({ kind: 'input', name }, [], shape);
}

/**
 * A feature map [T, B, C, H, W] that earlier runs gave out, as NAME.next or frame by frame as NAME.push. It stays in whatever layout
 * the lowering likes: nobody but graphs reads it.
 */
export function memory(name: string, shape: Shape): Expr {
  return expr({ kind: 'memory', name }, [], shape);
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
export function closure(roots: readonly Expr[]): Expr[] {
  const seen = new Set<Expr>();
  const stack = [...roots];
  for (let at = stack.pop(); at; at = stack.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    stack.push(...at.inputs);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}
