/** The backends compared: this engine, PyTorch, a plain export in the same ONNX Runtime. */

import { clipsFrom } from '../src/clip/clipTensor.js';
import { lower } from '../src/graph/lowering/lower.js';
import { openRecogniser } from '../src/inference/fileRecogniser.js';
import type { NetworkConfig } from '../src/models/config.js';
import { clipShape, type FlatWeights, inferenceGraph, initialWeights, masksOf } from '../src/models/network.js';
import { blockSize } from '../src/node/blockSize.js';
import { openRuntime } from '../src/node/graphRuntime.js';
import { Rng } from '../src/rng.js';
import { allocateThreads } from '../src/runtime/cores.js';
import { defaultStep } from '../src/train/step.js';
import { TrainingSession } from '../src/train/trainingSession.js';
import type { Checkpoint } from '../src/weights/checkpoint.js';
import { genericWeights, randomClips, randomTargets } from './network.js';
import { exportedClipShape, plainExport } from './plainExport.js';
import { type PytorchAbout, type PytorchMode, PytorchProcess, type PytorchTask } from './pytorchProcess.js';
import { timed } from './timing.js';

/** What one run took and computed. */
export interface Run {
  readonly ms: number;
  readonly values: ArrayLike<number>;
}

export interface Backend {
  run(): Promise<Run>;
  close(): Promise<void>;
  /** What PyTorch reports about itself. */
  readonly about?: PytorchAbout;
  /** The most memory its process ever held, once it has run; of processes of their own only. */
  peakMb?(): number;
}

const rate = 1e-5;
export const weightDecay = 0.05;

/** The task of all backends. Statistics are computed on an engine of their own, which leaves nothing in the timed one. */
export async function taskOf(config: NetworkConfig, clips: number, threads: number): Promise<Task> {
  const engine = openRuntime({ threads });
  try {
    return taskWith(await genericWeights(engine, config, 'race'), config, clips, threads);
  } finally {
    await engine.close();
  }
}

type Task = Omit<PytorchTask, 'mode'>;

/** A task of initial weights, for memory and scaling. */
export const untrainedTask = (config: NetworkConfig, clips: number, threads: number): Task =>
  taskWith(initialWeights(config, new Rng(['race'])), config, clips, threads);

function taskWith(weights: FlatWeights, config: NetworkConfig, clips: number, threads: number): Task {
  const batch = { clips: randomClips(config, clips, 'race'), targets: randomTargets(config, clips, 'race') };
  return { config, weights, ...batch, rate, weightDecay, threads };
}

const clipsOf = ({ clips, config }: Task): number => clips.length / (config.frames * 3 * config.height * config.width);

/** Inference as the product does it. */
export async function ours(task: Task, threads = task.threads): Promise<Backend> {
  const { config, weights, clips } = task;
  const count = clipsOf(task);
  const model = lower({ outputs: { logits: inferenceGraph(config, weights, count) } }, { block: await blockSize() });
  return inferenceBackend(model, threads, () => ({ data: clips.slice(), shape: clipShape(config, count) }));
}

/** A plain export with grouped Conv3D, in the same ONNX Runtime. */
export async function exported(task: Task): Promise<Backend> {
  const { config, weights } = task;
  const count = clipsOf(task);
  const turned = clipsFirst(task, count);
  const feed = () => ({ data: turned.slice(), shape: exportedClipShape(config, count) });
  return inferenceBackend(plainExport(config, weights, count), task.threads, feed);
}

async function inferenceBackend(
  model: Uint8Array<ArrayBuffer>,
  threads: number,
  feed: () => { readonly data: Float32Array; readonly shape: readonly number[] },
): Promise<Backend> {
  const engine = openRuntime({ threads, spin: threads > 1 && allocateThreads('latency', threads).spin });
  const program = await engine.load(model, 'race, inference', 'inference');
  const run = async () => {
    const feeds = { clips: feed() };
    const { ms, result } = await timed(() => program.run<'logits'>(feeds, { move: true }));
    return { ms, values: result.logits.data };
  };
  return { run, close: () => engine.close() };
}

function clipsFirst({ clips, config: { frames, height, width } }: Task, count: number): Float32Array {
  const out = new Float32Array(clips.length);
  const plane = height * width;
  for (let t = 0; t < frames; t++) {
    for (let b = 0; b < count; b++) {
      for (let c = 0; c < 3; c++) {
        const from = ((t * count + b) * 3 + c) * plane;
        out.set(clips.subarray(from, from + plane), ((b * 3 + c) * frames + t) * plane);
      }
    }
  }
  return out;
}

/** Steps through the same programs as `vmf train`; the limit on the gradient is in the graph but never reached. */
export async function ourTraining(task: Task): Promise<Backend> {
  const { config, weights, clips, targets, threads } = task;
  const count = clipsOf(task);
  const engine = openRuntime({ threads });
  const programs = new TrainingSession(engine, config, { ...defaultStep, clips: count, gradClip: 1e9 });
  const { length } = weights.parameters;
  await programs.setWeights({ ...weights, expAvg: new Float32Array(length), expAvgSq: new Float32Array(length) });
  await programs.warmUp();
  let step = 0;
  const run = async () => {
    step++;
    const dropout = new Float32Array(count * masksOf(config).dropouts).fill(1);
    const input = {
      clips: clipsFrom(clips.slice(), count, config),
      targets: targets?.slice() ?? new Float32Array(),
      ...{ dropout, step, rate, weightDecay },
    };
    const { ms, result } = await timed(() => programs.step(input));
    return { ms, values: [result.loss] };
  };
  return { run, close: () => engine.close() };
}

/** From a file to its logits through a recogniser, up to a constant: what probabilities tell of logits. */
export async function ourFile(checkpoint: Checkpoint, video: string, threads: number): Promise<Backend> {
  const recogniser = await openRecogniser(checkpoint, { threads });
  const run = async () => {
    const { ms, result } = await timed(() => recogniser.recognise(video));
    return { ms, values: centred(result.scores.map(Math.log)) };
  };
  return { run, close: () => recogniser.close() };
}

export async function pytorch(
  mode: PytorchMode,
  task: Task & Pick<PytorchTask, 'preprocess' | 'video'>,
  python: string,
): Promise<Backend> {
  const child = await PytorchProcess.start({ ...task, mode }, python);
  let most = 0;
  const run = async () => {
    const { ms, logits, loss, peakMb } = await child.run();
    most = Math.max(most, peakMb);
    const values = logits ?? [loss ?? Number.NaN];
    return { ms, values: mode === 'file' ? centred(values) : values };
  };
  return { run, close: () => child.close(), about: child.about, peakMb: () => most };
}

function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}
