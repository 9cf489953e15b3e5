/** ONNX Runtime's profile of both graphs by operator and by shape. Profiling adds overhead: compare shares. */

import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { topologicalOrder } from '../src/graph/expr.js';
import { type Graph, modelOutputs } from '../src/graph/graph.js';
import { lower } from '../src/graph/lowering/lower.js';
import { sizeOf } from '../src/graph/shape.js';
import { type NodeEvent, nodeEvents } from '../src/measure/nodeEvents.js';
import { inferenceGraph, inventoryOf, masksOf } from '../src/models/network.js';
import { initialValues } from '../src/models/variables.js';
import { blockSize } from '../src/node/blockSize.js';
import { Rng } from '../src/rng.js';
import { defaultStep, scheduleValues, trainingStep } from '../src/train/step.js';
import { withFolder } from './actions.js';
import { comparedConfig, genericParameters, randomClips, randomTargets } from './network.js';
import { rounded } from './timing.js';

export type ProfileMode = 'inference' | 'training';

export interface ProfileRow {
  readonly what: string;
  /** A run. */
  readonly ms: number;
  readonly share: number;
  /** Nodes a run. */
  readonly nodes: number;
}

/** All operators, then the `top` heaviest combinations of operator and shapes. */
export async function profile(mode: ProfileMode, top: number): Promise<ProfileRow[]> {
  const runs = mode === 'inference' ? 20 : 5;
  const events = await withFolder((folder) => profiled(mode, runs, folder));
  const rows = (key: (event: NodeEvent) => string) => summed(events, key, runs);
  return [...rows(({ args }) => args.op_name), ...rows(withShapes).slice(0, top)];
}

function withShapes({ args }: NodeEvent): string {
  const shown = (shapes: NodeEvent['args']['input_type_shape']) =>
    shapes.flatMap((entry) => Object.values(entry).map((shape) => `[${shape}]`)).join(' ');
  return `${args.op_name} ${shown(args.input_type_shape)} -> ${shown(args.output_type_shape)}`;
}

function summed(events: readonly NodeEvent[], key: (event: NodeEvent) => string, runs: number): ProfileRow[] {
  const groups = new Map<string, { micros: number; nodes: number }>();
  for (const event of events) {
    const { micros, nodes } = groups.get(key(event)) ?? { micros: 0, nodes: 0 };
    groups.set(key(event), { micros: micros + event.dur, nodes: nodes + 1 });
  }
  const all = events.reduce((sum, { dur }) => sum + dur, 0);
  const rows = [...groups].map(([what, { micros, nodes }]): ProfileRow => {
    return { what, ms: rounded(micros / runs / 1000), share: rounded(micros / all), nodes: nodes / runs };
  });
  return rows.sort((a, b) => b.ms - a.ms);
}

async function profiled(mode: ProfileMode, runs: number, folder: string): Promise<NodeEvent[]> {
  const { graph, feeds } = mode === 'inference' ? inference() : training();
  const session = await ort.InferenceSession.create(lower(graph, { block: await blockSize() }), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    enableMemPattern: false,
    enableProfiling: true,
    profileFilePrefix: join(folder, 'profile'),
  });
  const inputs = topologicalOrder(Object.values(modelOutputs(graph))).flatMap(({ op, shape }) => {
    if (op.kind !== 'input') return [];
    return [[op.name, new ort.Tensor('float32', feeds[op.name] ?? new Float32Array(sizeOf(shape)), shape)] as const];
  });
  for (let i = 0; i < runs; i++) await session.run(Object.fromEntries(inputs));
  session.endProfiling();
  await session.release();
  return nodeEvents(folder);
}

interface Profiled {
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, Float32Array>>;
}

function weights() {
  const config = comparedConfig();
  const { parameters, statistics } = inventoryOf(config);
  return {
    config,
    parameters: genericParameters(parameters, 'profile'),
    statistics: initialValues(statistics, new Rng(['profile'])),
  };
}

function inference(): Profiled {
  const { config, ...flat } = weights();
  return { graph: { outputs: { logits: inferenceGraph(config, flat, 1) } }, feeds: { clips: randomClips(config, 1, 'profile') } };
}

function training(): Profiled {
  const { config, parameters, statistics } = weights();
  const clips = 8;
  const feeds = {
    parameters,
    statistics,
    clips: randomClips(config, clips, 'profile'),
    targets: randomTargets(config, clips, 'profile'),
    dropout: new Float32Array(clips * masksOf(config).dropouts).fill(1),
    schedule: scheduleValues({ step: 1, rate: 1e-5, weightDecay: 0.05, betas: defaultStep.betas }),
  };
  return { graph: trainingStep(config, { ...defaultStep, clips, gradClip: 5 }), feeds };
}
