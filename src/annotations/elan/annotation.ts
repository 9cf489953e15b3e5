/** What an ELAN document holds. */
import { DatasetError } from '../../errors.js';

export interface ElanAnnotation {
  readonly id: string;
  readonly value: string;
  /** Of its own time: the slots. Otherwise the annotation that it belongs to. */
  readonly slots?: readonly [string, string];
  readonly parent?: string;
  readonly previous?: string;
  readonly where: string;
}

export interface ElanTier {
  readonly id: string;
  readonly type: string;
  readonly participant: string | undefined;
  readonly parent: string | undefined;
  /** Undefined: a tier of its own time without parent. */
  readonly constraint: string | undefined;
  readonly annotations: readonly ElanAnnotation[];
}

export interface SpanMs {
  readonly startMs: number;
  readonly endMs: number;
}

export function faultAt({ id, where }: ElanAnnotation, reason: string): never {
  throw new DatasetError(`annotation ${id} ${reason}`, { path: where });
}
