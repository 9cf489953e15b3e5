/**
 * Runs ONNX models in a worker thread (Node). An engine holds programs (loaded models) and a state that programs read and replace;
 * what a model means is not its business.
 */

import './noTelemetry.js';
import { availableParallelism } from 'node:os';
import { VmfError } from '../errors.js';
import { WorkerPool } from '../workers/pool.js';
import { refuseOtherBlock } from './blockSize.js';
import type { EngineSettings, EngineTasks, ModelKind, ProgramFacts, TensorValue } from './engineTasks.js';

export type { ProgramFacts, TensorValue, ValueFacts } from './engineTasks.js';

export interface EngineOptions {
  /** Threads inside one operator; by default the machine's cores, at most 8, beyond which small networks gain nothing. */
  readonly threads?: number;
  /** Whether a thread spins while it waits: for latency on a machine that does nothing else; false by default. */
  readonly spin?: boolean;
}

export class Engine {
  readonly threads: number;
  private readonly pool: WorkerPool<EngineTasks>;
  private programs = 0;

  constructor(options: EngineOptions = {}) {
    this.threads = options.threads ?? Math.min(availableParallelism(), 8);
    const settings: EngineSettings = { threads: this.threads, spin: options.spin ?? false };
    this.pool = new WorkerPool({
      url: new URL('./engineWorker.js', import.meta.url),
      size: 1,
      workerData: settings,
      crashed: (label, reason) => new VmfError(`the engine's thread died: ${reason}`, { path: label }),
    });
  }

  /** Loads a model; takes 0.2 to 5 s. ConfigError if it was lowered for another block than the machine's. The bytes are moved to the engine and are of no use to the caller afterwards. */
  async load(model: Uint8Array<ArrayBuffer>, label: string, kind: ModelKind): Promise<Program> {
    await refuseOtherBlock(model, label);
    const program = this.programs++;
    await this.pool.run('load', { program, model, kind }, { label, transfer: [model.buffer] });
    return new Program(this.pool, program, label);
  }

  /** Puts named vectors into the state (copied). */
  async setState(values: Readonly<Record<string, Float32Array>>): Promise<void> {
    await this.pool.run('setState', values, { label: 'engine state' });
  }

  /** Copies named vectors out of the state. */
  readState<Name extends string>(names: readonly Name[]): Promise<Readonly<Record<Name, Float32Array>>> {
    return this.pool.run('readState', names, { label: 'engine state' }) as Promise<Readonly<Record<Name, Float32Array>>>;
  }

  /** Ends the thread and frees everything. */
  close(): Promise<void> {
    return this.pool.close();
  }
}

export class Program {
  constructor(
    private readonly pool: WorkerPool<EngineTasks>,
    private readonly number: number,
    private readonly label: string,
  ) {}

  /**
   * Runs the model. Inputs not fed come from the engine's state; outputs called NAME.next replace the state NAME (which is then
   * NAME.before, if a program asked for that), those called NAME.push are appended to it; neither is returned. With `move` the buffers of the feeds are given away instead of copied.
   */
  run<Name extends string>(
    feeds: Readonly<Record<string, TensorValue>>,
    options: { readonly move?: boolean } = {},
  ): Promise<Readonly<Record<Name, TensorValue>>> {
    const transfer = options.move ? Object.values(feeds).map((value) => value.data.buffer as ArrayBuffer) : [];
    const result = this.pool.run('run', { program: this.number, feeds }, { label: this.label, transfer });
    return result as Promise<Readonly<Record<Name, TensorValue>>>;
  }

  /** Begins anew: every state that the program writes is zeros. */
  async clear(): Promise<void> {
    await this.pool.run('clear', { program: this.number }, { label: this.label });
  }

  /** Names, types and shapes of the model's inputs and outputs. */
  describe(): Promise<ProgramFacts> {
    return this.pool.run('describe', { program: this.number }, { label: this.label });
  }

  async release(): Promise<void> {
    await this.pool.run('release', { program: this.number }, { label: this.label });
  }
}
