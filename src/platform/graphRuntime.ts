/**
 * The port through which graphs run: sessions (loaded models) and a named state that they read and replace. Adapters:
 * node/graphRuntime.ts and web/graphRuntime.ts.
 */
import type { LoweringTarget } from '../graph/lowering/lower.js';

/** Numbers in row-major order; shape [] is one number. */
export interface TensorValue {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** An input or output of a model; dynamic sizes are names, or -1. */
export interface ValueFacts {
  readonly name: string;
  /** As ONNX Runtime names it: float32, float16, int64 and so on; `none` for what is no tensor. */
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

export interface SessionFacts {
  readonly inputs: readonly ValueFacts[];
  readonly outputs: readonly ValueFacts[];
}

/** Whether a model's weights are constants in it (inference), or flow through it (training). */
export type ModelKind = 'inference' | 'training';

export interface RuntimeOptions {
  /** Threads inside one operator; by default the machine's cores, at most 8, beyond which small networks gain nothing. */
  readonly threads?: number;
  /** Whether a thread spins while it waits: for latency on a machine that does nothing else; false by default. */
  readonly spin?: boolean;
}

export interface GraphRuntime {
  /** Threads inside one operator. */
  readonly threads: number;
  /** Options of lowering for this runtime. */
  target(): Promise<LoweringTarget>;
  /**
   * Loads a model; takes 0.2 to 5 s. ConfigError if it was lowered for another target. The bytes are moved to the runtime and are
   * of no use to the caller afterwards.
   */
  load(model: Uint8Array<ArrayBuffer>, label: string, kind: ModelKind): Promise<Session>;
  /** Puts named vectors into the state (copied). */
  setState(values: Readonly<Record<string, Float32Array>>): Promise<void>;
  /** Copies named vectors out of the state. */
  readState<Name extends string>(names: readonly Name[]): Promise<Readonly<Record<Name, Float32Array>>>;
  /** Ends the thread and frees everything. */
  close(): Promise<void>;
}

export type OpenRuntime = (options?: RuntimeOptions) => GraphRuntime;

export interface Session {
  /**
   * Runs the model. Inputs not fed come from the state; a graph's updates and appends (graph/graph.ts) go there, its outputs are
   * returned. With `move` the buffers of the feeds are given away instead of copied.
   */
  run<Name extends string>(
    feeds: Readonly<Record<string, TensorValue>>,
    options?: { readonly move?: boolean },
  ): Promise<Readonly<Record<Name, TensorValue>>>;
  /** Every state that the session writes becomes zeros. */
  clear(): Promise<void>;
  /** Names, types and shapes of the model's inputs and outputs. */
  describe(): Promise<SessionFacts>;
  release(): Promise<void>;
}
