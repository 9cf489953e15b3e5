/** Peak memory of a training run, and growth over a thousand predictions. Reads /proc: Linux only. */

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { number } from '../src/schema.js';
import { drawActions, withFolder } from './actions.js';
import { CheckError } from './errors.js';
import { rounded } from './timing.js';

export interface MemoryRow {
  readonly what: string;
  readonly megabytes: number;
  readonly target: number;
  readonly passed: boolean;
  readonly [fact: string]: unknown;
}

const trainingSchema = v.object({ peakMb: number(), steps: number(), seconds: number() });
const stepSchema = v.object({ peakMb: number() });
const predictionsSchema = v.object({ rssMb: v.array(v.object({ after: number(), mb: number() })) });

/** What the child processes print. */
export type TrainingReport = v.InferOutput<typeof trainingSchema>;
export type StepReport = v.InferOutput<typeof stepSchema>;
export type PredictionsReport = v.InferOutput<typeof predictionsSchema>;

const batch = 16;

export async function memory(say: (line: string) => void): Promise<MemoryRow[]> {
  return withFolder(async (folder) => {
    const actions = await drawActions(folder, { train: 6 * batch, val: batch, test: 24 });
    say(`training vmf-0.1g at batch ${batch}`);
    const training = await trainingRow(actions, `${folder}/run`);
    say('a thousand predictions');
    const predictions = await predictionsRow(actions, 'predictions', 200, 1000);
    say('three thousand videos in bulk');
    return [training, predictions, await predictionsRow(actions, 'bulk', 600, 3000)];
  });
}

/** The most memory that a process holds which only steps: the network of this name, its optimiser, one batch. */
export async function stepPeak(name: string, clips: number, threads: number): Promise<number> {
  return v.parse(stepSchema, await child('step', name, `${clips}`, `${threads}`)).peakMb;
}

async function trainingRow(actions: string, out: string): Promise<MemoryRow> {
  const { peakMb, steps, seconds } = v.parse(trainingSchema, await child('training', actions, out));
  return {
    what: `peak of training vmf-0.1g at batch ${batch}, two epochs with validation and checkpoints`,
    megabytes: rounded(peakMb),
    target: 3000,
    passed: peakMb < 3000,
    steps,
    seconds,
  };
}

async function predictionsRow(actions: string, how: 'predictions' | 'bulk', from: number, to: number): Promise<MemoryRow> {
  const { rssMb } = v.parse(predictionsSchema, await child(how, actions));
  const at = (count: number) => rssMb.find(({ after }) => after === count)?.mb ?? Number.NaN;
  const growth = at(to) - at(from);
  const name = how === 'bulk' ? 'video in bulk' : 'prediction';
  return {
    what: `growth of resident memory from the ${from}th to the ${to}th ${name}`,
    megabytes: rounded(growth),
    target: 30,
    passed: growth < 30,
    mbPerHundred: rounded(slope(rssMb.filter(({ after }) => after >= from)) * 100),
    rssMb,
  };
}

/** Least-squares slope, MB per prediction. */
function slope(points: readonly { readonly after: number; readonly mb: number }[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(({ after }) => after)), mean(points.map(({ mb }) => mb))];
  const top = points.reduce((sum, { after, mb }) => sum + (after - x) * (mb - y), 0);
  return top / points.reduce((sum, { after }) => sum + (after - x) ** 2, 0);
}

async function child(...args: string[]): Promise<unknown> {
  const script = fileURLToPath(new URL('./memoryChild.js', import.meta.url));
  const started = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => started.once('close', resolve));
  const printed = await text(started.stdout);
  const code = await ended;
  if (code !== 0) throw new CheckError(`the process for ${args[0]} ended with ${code}; its message is above`);
  return JSON.parse(printed);
}
