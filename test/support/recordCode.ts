/** The only part of the record that follows interface changes; the values in test/fixtures/record do not. */
import { writeFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { topologicalOrder } from '../../src/graph/expr.js';
import { type Graph, modelOutputs } from '../../src/graph/graph.js';
import { lower } from '../../src/graph/lowering/lower.js';
import { sizeOf } from '../../src/graph/shape.js';
import type { NetworkConfig } from '../../src/models/config.js';
import { clipShape, inferenceGraph, masksOf } from '../../src/models/network.js';
import { networkConfig, parseNetworkConfig } from '../../src/models/registry.js';
import { Rng } from '../../src/rng.js';
import { defaultStep, scheduleValues, smoothedTargets, trainingStep } from '../../src/train/step.js';
import { randomWeights, tinyConfig, writeTinyWeights } from './randomWeights.js';
import { byRole } from './runOnce.js';

export { blockSize } from '../../src/node/blockSize.js';

/** A network of the record, in words that outlive the code's own. */
export interface RecordedNetwork {
  readonly name: string;
  readonly readout?: 'linear';
  readonly frames: number;
  readonly size: number;
  /** Kernels 3 long in time, where the name alone does not say. */
  readonly temporal?: 'all';
}

export const batch = 4;
const classes = 5;

function configOf({ readout, name, size, ...more }: RecordedNetwork): NetworkConfig {
  const chosen = { ...more, height: size, width: size, classes };
  return parseNetworkConfig({ ...networkConfig(name, chosen), ...(readout && { readout }) }, name);
}

/** Frame t of clip b at t * batch + b, [T*B, 3, S, S]. */
function clipsOf(config: NetworkConfig): Float32Array {
  const rng = new Rng(['record', 'clips']);
  return Float32Array.from({ length: sizeOf(clipShape(config, batch)) }, () => rng.normal());
}

/** Logits [batch, classes] of seeded clips under seeded weights. */
export async function recordedLogits(network: RecordedNetwork, block: number): Promise<number[]> {
  const config = configOf(network);
  const run = await session({ outputs: { logits: inferenceGraph(config, randomWeights(config), batch) } }, block, 'all');
  const { outputs } = await run({ clips: clipsOf(config) });
  await run.end();
  return Array.from(outputs['logits'] ?? []);
}

/**
 * Losses of steps on one batch. With so large an epsilon AdamW follows the gradient's size and not its sign, and with so small a rate
 * ten steps halve the loss: larger ones make the later losses a matter of rounding (two lowerings of one network then part by 20 %).
 */
export async function recordedLosses(network: RecordedNetwork, block: number, steps = 10): Promise<number[]> {
  const config = configOf(network);
  const weights = randomWeights(config);
  const options = { ...defaultStep, epsilon: 1, clips: batch, pairedClips: network.name.endsWith('-causal') };
  const run = await session(trainingStep(config, options), block, 'disabled');
  const targets = smoothedTargets(
    Int32Array.from({ length: batch }, (_, i) => i),
    classes,
    0.1,
  );
  const fixed = { clips: clipsOf(config), targets, dropout: new Float32Array(batch * masksOf(config).dropouts).fill(1) };
  const zeros = () => new Float32Array(weights.parameters.length);
  let state: Record<string, Float32Array> = { ...weights, expAvg: zeros(), expAvgSq: zeros() };
  const losses: number[] = [];
  for (let step = 1; step <= steps; step++) {
    const schedule = scheduleValues({ step, rate: 2e-5, weightDecay: 0.05, betas: defaultStep.betas });
    const got = await run({ ...fixed, ...state, schedule });
    losses.push(got.outputs['loss']?.[0] ?? Number.NaN);
    state = got.updates;
  }
  await run.end();
  return losses;
}

type Vectors = Record<string, Float32Array>;

async function session(graph: Graph, block: number, graphOptimizationLevel: 'all' | 'disabled') {
  const shapes = topologicalOrder(Object.values(modelOutputs(graph))).flatMap(({ op, shape }) =>
    op.kind === 'input' ? [[op.name, shape] as const] : [],
  );
  const options = { graphOptimizationLevel, logSeverityLevel: 3, intraOpNumThreads: 2, enableMemPattern: false } as const;
  const session = await ort.InferenceSession.create(lower(graph, { block }), options);
  const run = async (values: Vectors) => {
    const feeds = shapes.map(([name, shape]) => [name, new ort.Tensor('float32', values[name] ?? new Float32Array(), shape)]);
    const results = await session.run(Object.fromEntries(feeds));
    return byRole(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]));
  };
  return Object.assign(run, { end: () => session.release() });
}

/** Verbs in the order in which they are run, with their arguments; CLIP stands for a clip of the class wave. */
export const recordedVerbs = (classes: readonly string[]): readonly (readonly [string, readonly string[]])[] => {
  const weights = ['--weights', 'w.safetensors'];
  const reading = ['--decoder', 'node-av'];
  const steady = ['--threads', '1', '--workers', '1', ...reading];
  const made = [
    '--train',
    '24',
    '--val',
    '8',
    '--test',
    '8',
    '--classes',
    classes.join(','),
    '--seed',
    '5',
    '--encoder',
    'node-av',
  ];
  const learnt = ['--recipe', 'none', '--epochs', '2', '--batch', '4', '--seed', '1', '--resize', 'crop', '--no-cache'];
  return [
    ['synth', ['clips', ...made, '--json']],
    ['check', ['clips', ...reading, '--json']],
    ['info', ['--config', 'tiny.json', '--layers', '--json']],
    ['train', ['clips', '--config', 'tiny.json', '--out', 'run', ...learnt, ...steady, '--json']],
    ['eval', ['clips', ...weights, ...steady, '--json']],
    ['predict', ['CLIP', ...weights, '--timeline', ...steady, '--json']],
    ['stream', ['CLIP', ...weights, '--threads', '1', '--json']],
    ['explain', ['CLIP', ...weights, '--out', 'seen', '--no-video', ...steady, '--json']],
    ['export', ['--weights', 'run/last.safetensors', '--safetensors', 'plain.safetensors', '--json']],
    ['quantize', [...weights, '--calibrate', 'clips', '--clips', '8', '--out', 'int8.onnx', ...reading, '--json']],
    ['report', ['run', ...steady, '--json']],
    ['bench', ['--config', 'tiny.json', '--runs', '3', '--threads', '1', '--batch', '1', '--json']],
  ];
};

export function tinyNetwork(path: string): void {
  writeFileSync(path, JSON.stringify(tinyConfig({ classes: 4 })));
}

export const writeRecordWeights = (path: string, labels: readonly string[]): Promise<string> =>
  writeTinyWeights(path, { labels, preprocess: { resize: 'crop' } });
