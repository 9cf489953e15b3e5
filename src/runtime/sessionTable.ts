/**
 * The sessions of one runtime and the named state (a training run's parameters and moments), which stays here between runs. Over
 * any build of ONNX Runtime; works in the runtime's thread.
 */
import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-common';
import { VmfError } from '../errors.js';
import { roleOf } from '../graph/graph.js';
import type { ModelKind, SessionFacts, TensorValue, ValueFacts } from '../platform/graphRuntime.js';
import { type TaskHandlers, Transferring } from '../workers/messages.js';
import type { RuntimeTasks } from './runtimeTasks.js';
import { SessionState } from './sessionState.js';

/** A build of ONNX Runtime and how it is used. */
export interface OrtBackend {
  readonly InferenceSession: { create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession> };
  readonly Tensor: TensorConstructor;
  sessionOptions(kind: ModelKind): InferenceSession.SessionOptions;
  /** Whether a run writes into the output tensors that it is given; else state is taken from those that it returns. */
  readonly writesInPlace: boolean;
}

type Metadata = InferenceSession.ValueMetadata;

interface LoadedSession {
  readonly session: InferenceSession;
  /** Where the next state is written: each run swaps these with the state's buffers. */
  readonly spare: Map<string, Float32Array>;
}

export class SessionTable {
  private readonly sessions = new Map<number, LoadedSession>();
  private readonly state = new SessionState();

  constructor(private readonly backend: OrtBackend) {}

  async load(number: number, model: Uint8Array, kind: ModelKind): Promise<void> {
    const session = await this.backend.InferenceSession.create(model, this.backend.sessionOptions(kind));
    this.sessions.set(number, { session, spare: new Map() });
    for (const meta of session.inputMetadata) this.state.reserve(meta.name, sizeOf(shapeOf(meta)));
  }

  async run(number: number, feeds: Readonly<Record<string, TensorValue>>): Promise<Record<string, TensorValue>> {
    const { session, spare } = this.loaded(number);
    const outputs = session.outputMetadata.map((meta) => [meta.name, this.destination(meta, spare)] as const); // may move ring buffers
    const inputs = session.inputMetadata.map((meta) => [meta.name, this.inputTensor(meta, feeds[meta.name])]);
    const results = await session.run(Object.fromEntries(inputs), Object.fromEntries(outputs));
    const returned: Record<string, TensorValue> = {};
    for (const [output, destination] of outputs) {
      const { dims, data } = destination ?? (results[output] as Tensor);
      const { role, name } = roleOf(output);
      if (role === 'output') returned[output] = { shape: dims, data: data as Float32Array };
      else if (role === 'update') this.state.replace(name, data as Float32Array, destination ? spare : undefined);
      else if (destination) this.state.appended(name, destination.size);
      else this.state.append(name, data as Float32Array);
    }
    return returned;
  }

  setState(values: Readonly<Record<string, Float32Array>>): void {
    for (const [name, data] of Object.entries(values)) this.state.set(name, data);
  }

  readState(names: readonly string[]): Record<string, Float32Array> {
    return Object.fromEntries(names.map((name) => [name, this.state.value(name).slice()]));
  }

  /** Zeros for every state that a session writes. */
  clear(number: number): void {
    const { session } = this.loaded(number);
    const written = session.outputNames.map(roleOf);
    const inputs = session.inputMetadata.map((meta) => ({ name: meta.name, size: sizeOf(shapeOf(meta)) }));
    this.state.clear(written, inputs);
  }

  describe(number: number): SessionFacts {
    const { inputMetadata, outputMetadata } = this.loaded(number).session;
    return { inputs: inputMetadata.map(factsOf), outputs: outputMetadata.map(factsOf) };
  }

  async release(number: number): Promise<void> {
    await this.loaded(number).session.release();
    this.sessions.delete(number);
  }

  private loaded(number: number): LoadedSession {
    const found = this.sessions.get(number);
    if (!found) throw new VmfError(`engine: session ${number} was never loaded or is released`);
    return found;
  }

  private inputTensor(meta: Metadata, fed: TensorValue | undefined): Tensor {
    const { Tensor } = this.backend;
    if (fed) return new Tensor('float32', fed.data, fed.shape);
    const shape = shapeOf(meta);
    return new Tensor('float32', this.state.read(meta.name, sizeOf(shape)), shape);
  }

  /** The tensor that a run writes state into, where this build can; null where ONNX Runtime makes one. */
  private destination(meta: Metadata, spare: Map<string, Float32Array>): Tensor | null {
    const shape = shapeOf(meta);
    const { role, name } = roleOf(meta.name);
    if (role === 'update') this.state.value(name); // refused before the run
    if (role === 'output' || !this.backend.writesInPlace) return null;
    const length = sizeOf(shape);
    const buffer = role === 'append' ? this.state.room(name, length) : spareBuffer(spare, name, length);
    return new this.backend.Tensor('float32', buffer, shape);
  }
}

function spareBuffer(spare: Map<string, Float32Array>, name: string, length: number): Float32Array {
  const free = spare.get(name);
  return free?.length === length ? free : new Float32Array(length);
}

/** All models here are of fixed size. */
function shapeOf(meta: Metadata): number[] {
  if (!meta.isTensor) throw new VmfError(`engine: "${meta.name}" is no tensor`);
  return meta.shape.map(Number);
}

const factsOf = (meta: Metadata): ValueFacts =>
  meta.isTensor ? { name: meta.name, type: meta.type, shape: [...meta.shape] } : { name: meta.name, type: 'none', shape: [] };

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** The thread's half of a runtime. */
export function runtimeTasks(backend: OrtBackend): TaskHandlers<RuntimeTasks> {
  const table = new SessionTable(backend);
  return {
    load: ({ session, model, kind }) => nothing(table.load(session, model, kind)),
    run: async ({ session, feeds }) => {
      const outputs = await table.run(session, feeds);
      return new Transferring(outputs, [...new Set(Object.values(outputs).map(({ data }) => data.buffer as ArrayBuffer))]);
    },
    setState: (values) => nothing(table.setState(values)),
    clear: ({ session }) => nothing(table.clear(session)),
    readState: (names) => table.readState(names),
    describe: ({ session }) => table.describe(session),
    release: ({ session }) => nothing(table.release(session)),
  };
}

async function nothing(work: void | Promise<void>): Promise<undefined> {
  await work;
}
