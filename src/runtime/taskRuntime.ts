/** A graph runtime whose work is done in a thread of its own: ONNX Runtime's calls block. */
import { VmfError } from '../errors.js';
import type { LoweringTarget } from '../graph/lowering/lower.js';
import type { GraphRuntime, ModelKind, Session, SessionFacts, TensorValue } from '../platform/graphRuntime.js';
import type { OpenThread } from '../platform/workerThread.js';
import { TaskPool } from '../workers/taskPool.js';
import type { RuntimeTasks } from './runtimeTasks.js';

export interface TaskRuntimeOptions {
  /** Starts a thread that serves `runtimeTasks`. */
  readonly open: OpenThread;
  readonly threads: number;
  readonly target: () => Promise<LoweringTarget>;
  /** Refuses a model that this place cannot run. */
  readonly check?: (model: Uint8Array, label: string) => Promise<void>;
}

export class TaskRuntime implements GraphRuntime {
  readonly threads: number;
  readonly target: () => Promise<LoweringTarget>;
  private readonly pool: TaskPool<RuntimeTasks>;
  private sessions = 0;

  constructor(private readonly options: TaskRuntimeOptions) {
    const { open, threads, target } = options;
    [this.threads, this.target] = [threads, target];
    const crashed = (label: string, reason: string) => new VmfError(`the engine's thread died: ${reason}`, { path: label });
    this.pool = new TaskPool({ open, size: 1, crashed });
  }

  async load(model: Uint8Array<ArrayBuffer>, label: string, kind: ModelKind): Promise<Session> {
    await this.options.check?.(model, label);
    const session = this.sessions++;
    await this.pool.run('load', { session, model, kind }, { label, transfer: [model.buffer] });
    return new TaskSession(this.pool, session, label);
  }

  async setState(values: Readonly<Record<string, Float32Array>>): Promise<void> {
    await this.pool.run('setState', values, { label: 'engine state' });
  }

  readState<Name extends string>(names: readonly Name[]): Promise<Readonly<Record<Name, Float32Array>>> {
    return this.pool.run('readState', names, { label: 'engine state' }) as Promise<Readonly<Record<Name, Float32Array>>>;
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}

class TaskSession implements Session {
  constructor(
    private readonly pool: TaskPool<RuntimeTasks>,
    private readonly session: number,
    private readonly label: string,
  ) {}

  run<Name extends string>(
    feeds: Readonly<Record<string, TensorValue>>,
    options: { readonly move?: boolean } = {},
  ): Promise<Readonly<Record<Name, TensorValue>>> {
    const transfer = options.move ? Object.values(feeds).map((value) => value.data.buffer as ArrayBuffer) : [];
    const result = this.pool.run('run', { session: this.session, feeds }, { label: this.label, transfer });
    return result as Promise<Readonly<Record<Name, TensorValue>>>;
  }

  async clear(): Promise<void> {
    await this.pool.run('clear', { session: this.session }, { label: this.label });
  }

  describe(): Promise<SessionFacts> {
    return this.pool.run('describe', { session: this.session }, { label: this.label });
  }

  async release(): Promise<void> {
    await this.pool.run('release', { session: this.session }, { label: this.label });
  }
}
