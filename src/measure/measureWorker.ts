import '../node/noTelemetry.js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { serveTasks } from '../node/workerPool.js';
import type { MeasureTasks, NodeTime, TimedInput } from './measureTasks.js';
import { type NodeEvent, nodeEvents } from './nodeEvents.js';

const bytesOf: Readonly<Record<string, number>> = { float: 4, float16: 2, int64: 8, int32: 4, int8: 1, uint8: 1, bool: 1 };

type Feeds = Readonly<Record<string, TimedInput>>;
const tensors = (feeds: Feeds): Record<string, ort.Tensor> =>
  Object.fromEntries(Object.entries(feeds).map(([name, { shape, data }]) => [name, new ort.Tensor('float32', data, shape)]));

function sessionOptions(threads: number): ort.InferenceSession.SessionOptions {
  return { intraOpNumThreads: threads, interOpNumThreads: 1, graphOptimizationLevel: 'all', logSeverityLevel: 3 };
}

async function time(model: Uint8Array, feeds: Feeds, threads: number, runs: number): Promise<number[]> {
  const session = await ort.InferenceSession.create(model, sessionOptions(threads));
  const inputs = tensors(feeds);
  const times: number[] = [];
  for (let i = -2; i < runs; i++) {
    const start = performance.now();
    await session.run(inputs);
    if (i >= 0) times.push(performance.now() - start);
  }
  await session.release();
  return times;
}

async function profile(model: Uint8Array, feeds: Feeds, threads: number, runs: number): Promise<NodeTime[]> {
  const folder = await mkdtemp(join(tmpdir(), 'vmf-profile-'));
  try {
    const warm = await ort.InferenceSession.create(model, sessionOptions(threads));
    await warm.run(tensors(feeds)); // maps its pages, loads its code
    await warm.release();
    const options = { ...sessionOptions(threads), enableProfiling: true, profileFilePrefix: join(folder, 'profile') };
    const session = await ort.InferenceSession.create(model, options);
    for (let i = 0; i < runs; i++) await session.run(tensors(feeds));
    session.endProfiling();
    await session.release();
    return (await nodeEvents(folder)).map(nodeTime);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function nodeTime({ name, dur, args }: NodeEvent): NodeTime {
  const tensors = [...args.input_type_shape, ...args.output_type_shape].flatMap((entry) => Object.entries(entry));
  const bytes = tensors.reduce((sum, [type, shape]) => sum + (bytesOf[type] ?? 0) * shape.reduce((a, b) => a * b, 1), 0);
  return { name: name.replace(/_kernel_time$/, ''), type: args.op_name, micros: dur, bytes };
}

serveTasks<MeasureTasks>({
  time: ({ model, feeds, threads, runs }) => time(model, feeds, threads, runs),
  profile: ({ model, feeds, threads, runs }) => profile(model, feeds, threads, runs),
});
