/**
 * This engine against PyTorch at its best, run by run in turn on the same machine, after checking that both compute the same. The
 * two rows of the project's speed claim: inference, and a whole training step.
 */

import { lower } from '../src/graph/lowering/lower.js';
import { clipShape, inferenceGraph } from '../src/models/network.js';
import { blockSize } from '../src/runtime/blockSize.js';
import { Engine } from '../src/runtime/engine.js';
import { defaultStep } from '../src/train/step.js';
import { TrainingPrograms } from '../src/train/trainingPrograms.js';
import { CheckError } from './errors.js';
import { genericWeights, racedConfig, randomClips, randomTargets } from './network.js';
import { blasFault, findPython, Peer, type PeerAbout, type PeerMode, type PeerTask } from './peer.js';
import { median, rounded, smallest, type Times, timed } from './timing.js';

export interface RaceOptions {
  readonly rows: readonly PeerMode[];
  /** Counted runs of each side; by default 31 of inference, 11 of training. */
  readonly runs?: number;
  readonly threads: number;
  /** Told what happens, a line at a time. */
  readonly say: (line: string) => void;
}

export interface RaceRow {
  readonly row: PeerMode;
  readonly what: string;
  readonly oursMs: number;
  readonly peerMs: number;
  /** Peer / ours of the medians: above 1, this engine is faster. */
  readonly ratio: number;
  /** What this project holds itself to. */
  readonly target: number;
  readonly oursMinMs: number;
  readonly peerMinMs: number;
  readonly ratioOfMinima: number;
  /** Whether the peer is at its best; if not, why. */
  readonly counts: boolean;
  readonly caveat?: string;
  /** Largest relative difference between the results of both sides. */
  readonly difference: number;
  readonly oursRunsMs: Times;
  readonly peerRunsMs: Times;
  readonly peer: PeerAbout;
}

/** One side of a race: a run gives what it computed, as numbers to compare. */
type Runner = () => Promise<{ readonly ms: number; readonly values: ArrayLike<number> }>;

const tolerance = 1e-4;
const rate = 1e-5;
const weightDecay = 0.05;

/** Runs the rows. Throws a MissingError without PyTorch, a CheckError when both sides do not compute the same. */
export async function race(options: RaceOptions): Promise<RaceRow[]> {
  const python = findPython();
  const rows: RaceRow[] = [];
  for (const row of options.rows) rows.push(await raceRow(row, options, python));
  return rows;
}

/**
 * What differs between the rows. `repeats`: runs a turn, of which the last is counted. A single short run would mostly measure how
 * fast its weights come back into the caches from which the other side has pushed them.
 */
const settings = {
  inference: { name: 'inference', clips: 1, repeats: 3, warmUp: 5, counted: 31, target: 1.9 },
  training: { name: 'training step', clips: 8, repeats: 1, warmUp: 3, counted: 11, target: 1 },
} as const;

async function raceRow(row: PeerMode, options: RaceOptions, python: string): Promise<RaceRow> {
  const { threads, say } = options;
  const { name, clips, repeats, warmUp, counted, target } = settings[row];
  const { frames, size, classes } = racedConfig();
  const what = `${name}, 52M layout, ${frames} frames x ${size} px, batch ${clips}, ${classes} classes, ${threads} thread(s)`;
  say(`${what}: loading both sides`);
  const task = await taskOf(row, clips, threads);
  const peer = await Peer.start(task, python);
  const engine = new Engine({ threads });
  try {
    const ours = row === 'inference' ? await inferenceRunner(engine, task) : await trainingRunner(engine, task, clips);
    const turns = { repeats, warmUp, counted: options.runs ?? counted };
    const result = await alternate(ours, peerRunner(peer), turns);
    const caveat = blasFault(peer.about);
    if (caveat) say(caveat);
    return { row, what, ...figures(result), target, counts: !caveat, ...(caveat && { caveat }), peer: peer.about };
  } finally {
    await Promise.all([peer.close(), engine.close()]);
  }
}

/** What both sides are given. The statistics come from an engine of their own, so that it leaves nothing in the one that is timed. */
async function taskOf(mode: PeerMode, clips: number, threads: number): Promise<PeerTask> {
  const config = racedConfig();
  const engine = new Engine({ threads });
  try {
    const weights = await genericWeights(engine, config, 'race');
    const batch = { clips: randomClips(config, clips, 'race'), targets: randomTargets(config, clips, 'race') };
    return { mode, config, weights, ...batch, rate, weightDecay, threads };
  } finally {
    await engine.close();
  }
}

async function inferenceRunner(engine: Engine, { config, weights, clips }: PeerTask): Promise<Runner> {
  const model = lower({ logits: inferenceGraph(config, weights, 1) }, { block: await blockSize() });
  const program = await engine.load(model, 'race, inference', 'inference');
  return async () => {
    const feeds = { clips: { data: clips.slice(), shape: clipShape(config, 1) } };
    const { ms, result } = await timed(() => program.run<'logits'>(feeds, { move: true }));
    return { ms, values: result.logits.data };
  };
}

/** Steps through the same programs as `vmf train`; the limit on the gradient is in the graph but never reached. */
async function trainingRunner(engine: Engine, { config, weights, clips, targets }: PeerTask, count: number): Promise<Runner> {
  const programs = new TrainingPrograms(engine, config, { ...defaultStep, clips: count, maxGradientNorm: 1e9 });
  const length = weights.parameters.length;
  await programs.setWeights({ ...weights, first: new Float32Array(length), second: new Float32Array(length) });
  await programs.warmUp();
  let step = 0;
  return async () => {
    step++;
    const dropout = new Float32Array(count * config.head).fill(1);
    const input = { clips: clips.slice(), targets: targets?.slice() ?? new Float32Array(), dropout, step, rate, weightDecay };
    const { ms, result } = await timed(() => programs.step(input));
    return { ms, values: [result.loss] };
  };
}

const peerRunner =
  (peer: Peer): Runner =>
  async () => {
    const { ms, logits, loss } = await peer.run();
    return { ms, values: logits ?? [loss ?? Number.NaN] };
  };

interface Alternated {
  readonly ours: number[];
  readonly theirs: number[];
  readonly difference: number;
}

interface Turns {
  readonly repeats: number;
  readonly warmUp: number;
  readonly counted: number;
}

/** In turn, and each side first every other time; the last runs of every turn are compared. */
async function alternate(ours: Runner, theirs: Runner, turns: Turns): Promise<Alternated> {
  const turn = async (runner: Runner) => {
    for (let i = 1; i < turns.repeats; i++) await runner();
    return runner();
  };
  const times = { ours: [] as number[], theirs: [] as number[] };
  let difference = 0;
  for (let i = 0; i < turns.warmUp + turns.counted; i++) {
    const early = i % 2 ? await turn(theirs) : undefined;
    const a = await turn(ours);
    const b = early ?? (await turn(theirs));
    difference = Math.max(difference, relativeDifference(a.values, b.values));
    if (difference > tolerance || Number.isNaN(difference))
      throw new CheckError(differenceFault(i, a.values, b.values, difference));
    if (i < turns.warmUp) continue;
    times.ours.push(a.ms);
    times.theirs.push(b.ms);
  }
  return { ...times, difference };
}

function differenceFault(run: number, ours: ArrayLike<number>, theirs: ArrayLike<number>, difference: number): string {
  const some = (values: ArrayLike<number>) => Array.from(values).slice(0, 4).join(', ');
  return `run ${run}: the two sides do not compute the same: ${some(ours)} ... here, ${some(theirs)} ... in PyTorch; relative difference ${difference}, allowed ${tolerance}`;
}

/** Largest difference over the largest expected value. */
function relativeDifference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Number.NaN;
  const all = Array.from(expected);
  const largest = Math.max(...all.map(Math.abs), 1e-30);
  return Math.max(...all.map((value, i) => Math.abs(value - (got[i] ?? Number.NaN)))) / largest;
}

function figures({ ours, theirs, difference }: Alternated) {
  return {
    oursMs: rounded(median(ours)),
    peerMs: rounded(median(theirs)),
    ratio: rounded(median(theirs) / median(ours)),
    oursMinMs: rounded(smallest(ours)),
    peerMinMs: rounded(smallest(theirs)),
    ratioOfMinima: rounded(smallest(theirs) / smallest(ours)),
    difference,
    oursRunsMs: ours.map(rounded),
    peerRunsMs: theirs.map(rounded),
  };
}
