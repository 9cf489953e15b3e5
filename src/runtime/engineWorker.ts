/**
 * The thread in which ONNX Runtime works: its calls block, so they are kept off the main thread. Holds the sessions, and the named
 * state (a training run's parameters and moments), which stays here from step to step instead of being copied to and fro.
 */

import { workerData } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import { VmfError } from '../errors.js';
import { serveTasks, Transferring } from '../workers/messages.js';
import type { EngineSettings, EngineTasks, ModelKind, TensorValue, ValueFacts } from './engineTasks.js';
import { Film } from './film.js';

const { threads, spin } = workerData as EngineSettings;

interface Session {
  readonly session: ort.InferenceSession;
  /** Where the next state is written: each step swaps these with the state's own buffers. */
  readonly spare: Map<string, Float32Array>;
}

const sessions = new Map<number, Session>();
const state = new Map<string, Float32Array>();
const films = new Map<string, Film>();
/** The most values that any session reads at once, by name. */
const longest = new Map<string, number>();

/** The state that an output replaces, or that it is appended to. */
const stateOf = (output: string): string | undefined => /^(.+)[.]next$/.exec(output)?.[1];
const filmOf = (output: string): string | undefined => /^(.+)[.]push$/.exec(output)?.[1];
const before = (name: string): string => `${name}.before`;

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
    extra: { session: { intra_op: { allow_spinning: spin ? '1' : '0' } } },
    logSeverityLevel: 3,
  });
  sessions.set(program, { session, spare: new Map() });
  for (const meta of session.inputMetadata) {
    const length = sizeOf(shapeOf(meta));
    if (length > (longest.get(meta.name) ?? 0)) longest.set(meta.name, length);
    films.get(meta.name)?.reserve(length);
  }
}

async function run(program: number, feeds: Readonly<Record<string, TensorValue>>): Promise<Record<string, TensorValue>> {
  const { session, spare } = sessionOf(program);
  const outputs = Object.fromEntries(session.outputMetadata.map((meta) => [meta.name, outputTensor(meta, spare)])); // may move films
  const inputs = Object.fromEntries(session.inputMetadata.map((meta) => [meta.name, inputTensor(meta, feeds[meta.name])]));
  const results = await session.run(inputs, outputs);
  const returned: Record<string, TensorValue> = {};
  for (const [name, tensor] of Object.entries(results)) {
    const kept = stateOf(name);
    const film = filmOf(name);
    if (film !== undefined) filmNamed(film).advance(tensor.size);
    else if (kept !== undefined) keep(kept, spare);
    else returned[name] = { shape: tensor.dims, data: tensor.data as Float32Array };
  }
  return returned;
}

type Metadata = ort.InferenceSession.ValueMetadata;

/** The sizes in a model's own words; all models here are of fixed size. */
function shapeOf(meta: Metadata): number[] {
  if (!meta.isTensor) throw new VmfError(`engine: "${meta.name}" is no tensor`);
  return meta.shape.map(Number);
}

const factsOf = (meta: Metadata): ValueFacts =>
  meta.isTensor ? { name: meta.name, type: meta.type, shape: [...meta.shape] } : { name: meta.name, type: 'none', shape: [] };

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

function inputTensor(meta: Metadata, fed: TensorValue | undefined): ort.Tensor {
  if (fed) return new ort.Tensor('float32', fed.data, fed.shape);
  const shape = shapeOf(meta);
  const film = films.get(meta.name);
  return new ort.Tensor('float32', film ? film.last(sizeOf(shape)) : stateValue(meta.name), shape);
}

function filmNamed(name: string): Film {
  const known = films.get(name);
  if (known) return known;
  const made = new Film();
  made.reserve(longest.get(name) ?? 0);
  films.set(name, made);
  return made;
}

/** State is written straight into a spare buffer; other outputs are left to ONNX Runtime. */
function outputTensor(meta: Metadata, spare: Map<string, Float32Array>): ort.Tensor | null {
  const shape = shapeOf(meta);
  const length = sizeOf(shape);
  const film = filmOf(meta.name);
  if (film !== undefined) return new ort.Tensor('float32', filmNamed(film).room(length), shape);
  const kept = stateOf(meta.name);
  if (kept === undefined) return null;
  stateValue(kept);
  const free = spare.get(kept);
  const buffer = free?.length === length ? free : new Float32Array(length);
  spare.set(kept, buffer);
  return new ort.Tensor('float32', buffer, shape);
}

/** The spare buffer, just written, becomes the state, the old state that of one run before if there is one, and what is left the spare. */
function keep(name: string, spare: Map<string, Float32Array>): void {
  const next = spare.get(name);
  if (!next) throw new VmfError(`engine: state "${name}" was written nowhere`);
  const old = stateValue(name);
  const older = state.get(before(name));
  if (older) state.set(before(name), old);
  spare.set(name, older ?? old);
  state.set(name, next);
}

/** Zeros for every state that a session writes. */
function clear(program: number): void {
  const { session } = sessionOf(program);
  for (const name of session.outputNames) films.delete(filmOf(name) ?? '');
  const written = new Set(session.outputNames.flatMap((name) => filmOf(name) ?? stateOf(name) ?? []));
  for (const meta of session.inputMetadata) {
    const { name } = meta;
    if (!written.has(name.replace(/[.]before$/, ''))) continue;
    if (session.outputNames.includes(`${name}.push`)) filmNamed(name);
    else state.set(name, new Float32Array(sizeOf(shapeOf(meta))));
  }
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
  clear: ({ program }) => {
    clear(program);
    return undefined;
  },
  readState: (names) => Object.fromEntries(names.map((name) => [name, stateValue(name).slice()])),
  describe: ({ program }) => {
    const { inputMetadata, outputMetadata } = sessionOf(program).session;
    return { inputs: inputMetadata.map(factsOf), outputs: outputMetadata.map(factsOf) };
  },
  release: async ({ program }) => {
    await sessionOf(program).session.release();
    sessions.delete(program);
    return undefined;
  },
});
