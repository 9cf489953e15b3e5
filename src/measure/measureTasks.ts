/** Messages between measuring and its worker thread. */

export interface TimedInput {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

interface Load {
  readonly model: Uint8Array;
  readonly feeds: Readonly<Record<string, TimedInput>>;
  readonly threads: number;
  readonly runs: number;
}

/** One execution of one node, from ONNX Runtime's profiler. */
export interface NodeTime {
  /** Its name in the model, or what ONNX Runtime made of it. */
  readonly name: string;
  readonly type: string;
  readonly micros: number;
  /** Of everything it reads and writes, weights included. */
  readonly bytes: number;
}

export type MeasureTasks = {
  /** Milliseconds of single runs inside the thread, after two that do not count. */
  time: { input: Load; output: readonly number[] };
  /** All nodes of all runs. */
  profile: { input: Load; output: readonly NodeTime[] };
};
