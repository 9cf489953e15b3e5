/** What the engine and its worker thread say to each other. */

/** Numbers in row-major order; [] is one number. */
export interface TensorValue {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What a model says of an input or an output; sizes that are left to the run are names, or -1. */
export interface ValueFacts {
  readonly name: string;
  /** As ONNX Runtime names it: float32, float16, int64 and so on; `none` for what is no tensor. */
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

export interface ProgramFacts {
  readonly inputs: readonly ValueFacts[];
  readonly outputs: readonly ValueFacts[];
}

/** Whether a model's weights are constants in it (inference), or flow through it (training). */
export type ModelKind = 'inference' | 'training';

export type EngineTasks = {
  /** A model's bytes become a session under this number. */
  load: { input: { readonly program: number; readonly model: Uint8Array; readonly kind: ModelKind }; output: undefined };
  /**
   * Runs a session. Inputs that are not fed come from the state of the same name; an output called NAME.next becomes the state
   * NAME, which before that becomes NAME.before if there is one; one called NAME.push is appended to NAME, of which an input NAME
   * sees the end (see film.ts); all other outputs are returned.
   */
  run: {
    input: { readonly program: number; readonly feeds: Readonly<Record<string, TensorValue>> };
    output: Readonly<Record<string, TensorValue>>;
  };
  setState: { input: Readonly<Record<string, Float32Array>>; output: undefined };
  /** Zeros for every state that the program writes. */
  clear: { input: { readonly program: number }; output: undefined };
  readState: { input: readonly string[]; output: Readonly<Record<string, Float32Array>> };
  describe: { input: { readonly program: number }; output: ProgramFacts };
  release: { input: { readonly program: number }; output: undefined };
};

export interface EngineSettings {
  /** Threads inside one operator. */
  readonly threads: number;
  /** Whether they spin while they wait. */
  readonly spin: boolean;
}
