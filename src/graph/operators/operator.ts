/**
 * An operator as the lowering sees it. A file holds its builder with shape and gradient, ONNX and blocked (NCHWc) emission, and
 * cost; operators whose gradients need each other share one.
 */

import type { Expr, OpKind, OpOf } from '../expr.js';
import type { Activation, BlockedLayout, BlockedMap, Epilogue, Lanes } from '../lowering/blockedLayout.js';
import type { Emitter } from '../lowering/emitter.js';
import type { Shape } from '../shape.js';

export type Node<K extends OpKind = OpKind> = Expr & { readonly op: OpOf<K> };

export interface Operator<K extends OpKind = OpKind> {
  /** In standard ONNX, row-major; `names` are the operands' values. */
  emit(e: Emitter, node: Node<K>, names: readonly string[]): string;
  /** In blocked layout. */
  readonly nchwc?: NchwcEmission<K>;
  /** A row-major result that is read off blocked maps. */
  readonly reads?: NchwcReading<K>;
  /**
   * `position`: each position of a map comes from the same position of its operands; `clip`: from all, in any order; `sum`: a sum over
   * frames and positions. Absent: neighbours matter, or the result is something else.
   */
  readonly reach?: 'position' | 'clip' | 'sum';
  /** Whether all its maps must have their channels in the same order of lanes. */
  readonly sharesLanes?: boolean;
  /** The map that has so many times the channels of another, and in strides (see Lanes). */
  expanded?(node: Node<K>): { readonly map: Expr; readonly times: number } | undefined;
  /** The activation that it is, if the pass of a convolution can include it. */
  activation?(node: Node<K>): Activation;
  /** Multiply-adds as the field counts them. */
  macs?(node: Node<K>): number;
}

export interface NchwcEmission<K extends OpKind> {
  /** Whether this value is emitted in blocked layout; by default every map is. */
  suits?(c: NchwcLowering, node: Node<K>): boolean;
  emit(c: NchwcLowering, node: Node<K>, epilogue: Epilogue): BlockedMap;
  /**
   * Whether its pass takes in the activation, or the other operand of the addition, that reads it: if alone, or again for each
   * reader.
   */
  readonly activation?: 'once' | 'always';
  readonly addend?: 'once' | 'always';
}

export interface NchwcReading<K extends OpKind> {
  suits?(c: NchwcLowering, node: Node<K>): boolean;
  emit(c: NchwcLowering, node: Node<K>): string;
}

/** The lowering as operators see it. */
export interface NchwcLowering {
  readonly e: Emitter;
  readonly layout: BlockedLayout;
  isNchwc(x: Expr): boolean;
  /** The value row-major. */
  standard(x: Expr): string;
  /** The value blocked, made or converted on first use; `mapWith`: with the lanes that a reader needs. */
  map(x: Expr): BlockedMap;
  mapWith(x: Expr, expand: number): BlockedMap;
  /** The lanes chosen for a map. */
  lanesOf(x: Expr): Lanes;
  /** A vector [C] or [rows, C] in lanes. */
  vector(x: Expr, lanes: Lanes): string;
  usersOf(x: Expr): readonly Expr[];
}

/** An operator of that name. */
export const operator = <K extends OpKind>(_: K, parts: Operator<K>): Operator<K> => parts;

export const operandShapes = ({ inputs }: Expr): Shape[] => inputs.map(({ shape }) => shape);
