import type { ModelKind, SessionFacts, TensorValue } from '../platform/graphRuntime.js';

export type RuntimeTasks = {
  /** A model's bytes become a session under this number. */
  load: { input: { readonly session: number; readonly model: Uint8Array; readonly kind: ModelKind }; output: undefined };
  run: {
    input: { readonly session: number; readonly feeds: Readonly<Record<string, TensorValue>> };
    output: Readonly<Record<string, TensorValue>>;
  };
  setState: { input: Readonly<Record<string, Float32Array>>; output: undefined };
  /** Zeros for every state that the session writes. */
  clear: { input: { readonly session: number }; output: undefined };
  readState: { input: readonly string[]; output: Readonly<Record<string, Float32Array>> };
  describe: { input: { readonly session: number }; output: SessionFacts };
  release: { input: { readonly session: number }; output: undefined };
};

export interface RuntimeSettings {
  /** Threads inside one operator. */
  readonly threads: number;
  /** Whether they spin while they wait. */
  readonly spin: boolean;
}
