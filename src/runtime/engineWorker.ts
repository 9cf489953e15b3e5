/**
 * The thread in which ONNX Runtime works: its calls block, so they are kept off the main thread. Holds the sessions, and the named
 * state (a training run's parameters and moments), which stays here from step to step instead of being copied to and fro.
 */

import { workerData } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import { VmfError } from '../errors.js';
import { serveTasks, Transferring } from '../workers/messages.js';
import type { EngineSettings, EngineTasks, ModelKind, TensorValue } from './engineTasks.js';

const { threads } = workerData as EngineSettings;

interface Session {
  readonly session: ort.InferenceSession;
  /** Where the next state is written: each step swaps these with the state's own buffers. */
  readonly spare: Map<string, Float32Array>;
}

const sessions = new Map<number, Session>();
const state = new Map<string, Float32Array>();

const suffix = '.next';
const stateOf = (output: string): string | undefined => (output.endsWith(suffix) ? output.slice(0, -suffix.length) : undefined);

function sessionOf(program: number): Session {
  const found = sessions.get(program);
  if (!found) throw new VmfError(`engine: program ${program} was never loaded or is released`);
  return found;
}

function stateValue(name: string): Float32Array {
  const found = state.get(name);
  if (!found) throw new VmfError(`engine: input "${name}" is neither fed nor part of the state`);
  return found;
}

async function load(program: number, model: Uint8Array, kind: ModelKind): Promise<void> {
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // Where weights flow through there is nothing to fold: optimising doubles the loading time and gains nothing.
    graphOptimizationLevel: kind === 'training' ? 'disabled' : 'all',
    // Planning memory for a whole training step doubles its peak; for inference it gains 2 to 4 %.
    enableMemPattern: kind === 'inference',
    // A waiting thread that spins gains 15 % on an idle machine and costs half the speed on one that also decodes videos.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    logSeverityLevel: 3,
  });
  sessions.set(program, { session, spare: new Map() });
}

async function run(program: number, feeds: Readonly<Record<string, TensorValue>>): Promise<Record<string, TensorValue>> {
  const { session, spare } = sessionOf(program);
  const inputs = Object.fromEntries(session.inputNames.map((name) => [name, inputTensor(name, feeds[name])]));
  const outputs = Object.fromEntries(session.outputNames.map((name) => [name, outputTensor(name, spare)]));
  const results = await session.run(inputs, outputs);
  const returned: Record<string, TensorValue> = {};
  for (const [name, tensor] of Object.entries(results)) {
    const kept = stateOf(name);
    if (kept === undefined) returned[name] = { shape: tensor.dims, data: tensor.data as Float32Array };
    else keep(kept, spare);
  }
  return returned;
}

function inputTensor(name: string, fed: TensorValue | undefined): ort.Tensor {
  if (fed) return new ort.Tensor('float32', fed.data, fed.shape);
  const value = stateValue(name);
  return new ort.Tensor('float32', value, [value.length]);
}

/** State is written straight into a spare buffer; other outputs are left to ONNX Runtime. */
function outputTensor(name: string, spare: Map<string, Float32Array>): ort.Tensor | null {
  const kept = stateOf(name);
  if (kept === undefined) return null;
  const { length } = stateValue(kept);
  const free = spare.get(kept);
  const buffer = free?.length === length ? free : new Float32Array(length);
  spare.set(kept, buffer);
  return new ort.Tensor('float32', buffer, [length]);
}

/** The spare buffer, just written, becomes the state, and the old state the spare. */
function keep(name: string, spare: Map<string, Float32Array>): void {
  const next = spare.get(name);
  if (!next) throw new VmfError(`engine: state "${name}" was written nowhere`);
  spare.set(name, stateValue(name));
  state.set(name, next);
}

serveTasks<EngineTasks>({
  load: async ({ program, model, kind }) => {
    await load(program, model, kind);
    return undefined;
  },
  run: async ({ program, feeds }) => {
    const outputs = await run(program, feeds);
    return new Transferring(
      outputs,
      Object.values(outputs).map((value) => value.data.buffer as ArrayBuffer),
    );
  },
  setState: (values) => {
    for (const [name, data] of Object.entries(values)) state.set(name, data);
    return undefined;
  },
  readState: (names) => Object.fromEntries(names.map((name) => [name, stateValue(name).slice()])),
  release: async ({ program }) => {
    await sessionOf(program).session.release();
    sessions.delete(program);
    return undefined;
  },
});
