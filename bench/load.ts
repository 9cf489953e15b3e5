/** Load time of a network: expressions, lowering to ONNX, session creation. */

import { lower } from '../src/graph/lowering/lower.js';
import { inferenceGraph, initialWeights } from '../src/models/network.js';
import { networkConfig } from '../src/models/registry.js';
import { blockSize } from '../src/node/blockSize.js';
import { openRuntime } from '../src/node/graphRuntime.js';
import { Rng } from '../src/rng.js';
import { defaultStep, trainingStep } from '../src/train/step.js';
import { median, rounded, timed } from './timing.js';

export interface LoadRow {
  readonly what: string;
  readonly graphMs: number;
  readonly lowerMs: number;
  readonly loadMs: number;
  readonly totalMs: number;
  readonly modelMb: number;
}

const names = ['vmf-0.1g', 'vmf-0.25g', 'vmf-0.5g', 'vmf-1g', 'vmf-2g'];
const batch = 8;
const repeats = 3;

export async function load(say: (line: string) => void): Promise<LoadRow[]> {
  const rows: LoadRow[] = [];
  for (const name of names) {
    for (const use of ['inference', 'training'] as const) {
      say(`${name}, ${use}`);
      rows.push(await loadRow(name, use));
    }
  }
  return rows;
}

async function loadRow(name: string, use: 'inference' | 'training'): Promise<LoadRow> {
  const times = { graph: [] as number[], lower: [] as number[], load: [] as number[] };
  let modelMb = 0;
  for (let i = 0; i < repeats; i++) {
    const graph = await timed(() => graphOf(name, use));
    const model = await timed(async () => lower(graph.result, { block: await blockSize() }));
    modelMb = model.result.length / 1e6;
    const engine = openRuntime({ threads: 1 });
    await engine.setState({}); // its thread is up
    const loaded = await timed(() => engine.load(model.result, name, use));
    await engine.close();
    times.graph.push(graph.ms);
    times.lower.push(model.ms);
    times.load.push(loaded.ms);
  }
  const [graphMs, lowerMs, loadMs] = [median(times.graph), median(times.lower), median(times.load)].map(rounded) as [
    number,
    number,
    number,
  ];
  const what = `${name}, ${use}${use === 'training' ? ` at batch ${batch}` : ''}`;
  return { what, graphMs, lowerMs, loadMs, totalMs: rounded(graphMs + lowerMs + loadMs), modelMb: rounded(modelMb) };
}

function graphOf(name: string, use: 'inference' | 'training') {
  const config = networkConfig(name);
  if (use === 'training') return trainingStep(config, { ...defaultStep, clips: batch, gradClip: 5 });
  return { outputs: { logits: inferenceGraph(config, initialWeights(config, new Rng(['load'])), 1) } };
}
