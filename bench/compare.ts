/** This engine against PyTorch and a plain export, interleaved on one machine, after a check that both compute the same. */

import { join } from 'node:path';
import { sizeText } from '../src/clip/clipShape.js';
import { makePreprocess } from '../src/clip/preprocess.js';
import type { NetworkConfig } from '../src/models/config.js';
import { networkConfig } from '../src/models/registry.js';
import { withFolder } from './actions.js';
import { type Backend, exported, ourFile, ours, ourTraining, pytorch, taskOf } from './backends.js';
import { UsageError } from './errors.js';
import { type Figures, interleave } from './interleaved.js';
import { stepPeak } from './memory.js';
import { comparedConfig } from './network.js';
import { blasFault, findPython, type PytorchAbout } from './pytorchProcess.js';
import { drawFilm } from './testVideo.js';
import { rounded } from './timing.js';

export interface RaceOptions {
  /** Names of rows, or the parts before their first hyphen, or `all`. */
  readonly rows: readonly string[];
  /** Counted runs of each backend. */
  readonly runs?: number;
  readonly threads: number;
  /** Receives progress, a line at a time. */
  readonly say: (line: string) => void;
}

export interface RaceRow extends Figures {
  readonly row: string;
  readonly what: string;
  readonly against: string;
  /** What this project holds itself to, as a ratio. */
  readonly target: number;
  /** Whether the peer is at its best; if not, why. */
  readonly counts: boolean;
  readonly caveat?: string;
  /** Training: peak memory of a process that does just this. */
  readonly oursPeakMb?: number;
  readonly peerPeakMb?: number;
  readonly peer?: PytorchAbout;
}

type Kind = 'inference' | 'conv3d' | 'onnx3d' | 'training' | 'threads' | 'file';

interface Row {
  readonly kind: Kind;
  readonly config: () => NetworkConfig;
  readonly target: number;
  readonly counted: number;
}

interface KindFacts {
  readonly what: string;
  readonly against: string;
  readonly clips: number;
  /** As in `Turns`. */
  readonly repeats: number;
  readonly warmUp: number;
  readonly tolerance: number;
}

const kinds: Readonly<Record<Kind, KindFacts>> = {
  inference: { what: 'inference', against: 'PyTorch at its best', clips: 1, repeats: 3, warmUp: 4, tolerance: 1e-4 },
  conv3d: { what: 'inference', against: 'PyTorch with Conv3d', clips: 1, repeats: 2, warmUp: 2, tolerance: 1e-4 },
  onnx3d: { what: 'inference', against: 'a plain export with Conv3D', clips: 1, repeats: 2, warmUp: 2, tolerance: 1e-4 },
  training: { what: 'training step', against: 'PyTorch at its best', clips: 8, repeats: 1, warmUp: 3, tolerance: 1e-4 },
  threads: { what: 'inference on two threads', against: 'one thread', clips: 1, repeats: 3, warmUp: 4, tolerance: 1e-4 },
  file: { what: 'file to label', against: 'PyAV and PyTorch at their best', clips: 1, repeats: 2, warmUp: 3, tolerance: 0.05 },
}; // biome-ignore format: a table

const vmf = (name: string) => () => networkConfig(name);

const rows: Readonly<Record<string, Row>> = {
  'inference-52m': { kind: 'inference', config: () => comparedConfig(), target: 1.9, counted: 31 },
  'inference-0.1g': { kind: 'inference', config: vmf('vmf-0.1g'), target: 2.8, counted: 31 },
  'inference-1g': { kind: 'inference', config: vmf('vmf-1g'), target: 2.2, counted: 15 },
  'conv3d-0.1g': { kind: 'conv3d', config: vmf('vmf-0.1g'), target: 4, counted: 15 },
  'conv3d-1g': { kind: 'conv3d', config: vmf('vmf-1g'), target: 4, counted: 9 },
  'onnx3d-0.1g': { kind: 'onnx3d', config: vmf('vmf-0.1g'), target: 2.5, counted: 15 },
  'onnx3d-1g': { kind: 'onnx3d', config: vmf('vmf-1g'), target: 2.5, counted: 9 },
  'training-0.1g': { kind: 'training', config: vmf('vmf-0.1g'), target: 1.6, counted: 11 },
  'threads-0.1g': { kind: 'threads', config: vmf('vmf-0.1g'), target: 1.8, counted: 31 },
  'threads-1g': { kind: 'threads', config: vmf('vmf-1g'), target: 1.8, counted: 15 },
  'file-0.5g': { kind: 'file', config: vmf('vmf-0.5g'), target: 2, counted: 21 },
};

/** What `--rows` may name. */
export const raceRowNames: readonly string[] = Object.keys(rows);

/** Runs the rows. Throws a MissingError without PyTorch, a CheckError when both do not compute the same. */
export async function race(options: RaceOptions): Promise<RaceRow[]> {
  const chosen = chosenRows(options.rows);
  const done: RaceRow[] = [];
  for (const [name, row] of chosen) {
    done.push(await raceRow(name, row, options));
    const { oursMs, peerMs, ratio, target } = done.at(-1) as RaceRow;
    options.say(`  ${oursMs} ms against ${peerMs} ms: ${ratio} (to reach: ${target})`);
  }
  return done;
}

function chosenRows(wanted: readonly string[]): [string, Row][] {
  const all = Object.entries(rows);
  return wanted.flatMap((want) => {
    const found = all.filter(([name]) => want === 'all' || name === want || name.startsWith(`${want}-`));
    if (found.length === 0) throw new UsageError(`--rows: no row "${want}"; there are all, ${raceRowNames.join(', ')}`);
    return found;
  });
}

async function raceRow(name: string, row: Row, options: RaceOptions): Promise<RaceRow> {
  const { say } = options;
  const { what, against, repeats, warmUp, tolerance } = kinds[row.kind];
  const title = `${what}, ${described(row, options.threads)}, against ${against}`;
  say(`${name}: ${title}`);
  return withFolder(async (folder) => {
    const { ours: us, theirs } = await backendsOf(row, options, folder);
    try {
      const turns = { repeats, warmUp, counted: options.runs ?? row.counted, tolerance };
      const figures = await interleave(us, theirs, turns);
      const caveat = theirs.about && blasFault(theirs.about);
      if (caveat) say(caveat);
      const peaks = row.kind === 'training' ? await peaksOf(row, theirs, options.threads) : {};
      const peer = theirs.about && { peer: theirs.about };
      return {
        row: name,
        what: title,
        against,
        ...figures,
        ...peaks,
        target: row.target,
        counts: !caveat,
        ...(caveat && { caveat }),
        ...peer,
      };
    } finally {
      await Promise.all([us.close(), theirs.close()]);
    }
  });
}

function described({ kind, config }: Row, threads: number): string {
  const { name, frames, height, width, classes } = config();
  const network = name.startsWith('vmf') ? name : name;
  const { clips } = kinds[kind];
  const used = kind === 'threads' ? '' : `, ${threads} thread${threads > 1 ? 's' : ''}`;
  return `${network} (${frames} frames x ${sizeText({ height, width })} px), batch ${clips}, ${classes} classes${used}`;
}

async function backendsOf(row: Row, { threads }: RaceOptions, folder: string): Promise<{ ours: Backend; theirs: Backend }> {
  const python = row.kind === 'threads' || row.kind === 'onnx3d' ? '' : findPython();
  const task = await taskOf(row.config(), kinds[row.kind].clips, row.kind === 'threads' ? 1 : threads);
  switch (row.kind) {
    case 'inference':
      return { theirs: await pytorch('inference', task, python), ours: await ours(task) };
    case 'conv3d':
      return { theirs: await pytorch('conv3d', task, python), ours: await ours(task) };
    case 'onnx3d':
      return { theirs: await exported(task), ours: await ours(task) };
    case 'training':
      return { theirs: await pytorch('training', task, python), ours: await ourTraining(task) };
    case 'threads':
      return { theirs: await ours(task, 1), ours: await ours(task, 2) };
    case 'file': {
      const { config, weights } = task;
      const video = join(folder, 'film.mp4');
      drawFilm(video);
      const preprocess = makePreprocess({ frames: config.frames, height: config.height, width: config.width });
      const labels = Array.from({ length: config.classes }, (_, i) => `class ${i}`);
      const theirs = await pytorch('file', { ...task, preprocess, video }, python);
      return { theirs, ours: await ourFile({ config, ...weights, labels, preprocess, notes: {} }, video, threads) };
    }
  }
}

async function peaksOf(row: Row, theirs: Backend, threads: number): Promise<{ oursPeakMb: number; peerPeakMb: number }> {
  const oursPeakMb = await stepPeak(row.config().name, kinds[row.kind].clips, threads);
  return { oursPeakMb: rounded(oursPeakMb), peerPeakMb: rounded(theirs.peakMb?.() ?? Number.NaN) };
}
