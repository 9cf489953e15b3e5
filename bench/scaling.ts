/**
 * Time and memory against frames, size, batch, tokens and threads, each point in its own process; exponents by least squares on
 * logarithms.
 */

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { number } from '../src/schema.js';
import { CheckError } from './errors.js';
import { rounded } from './timing.js';

export type ScalingUse = 'inference' | 'training';

/** Arguments of one process. */
export interface ScalingPoint {
  readonly use: ScalingUse;
  readonly frames: number;
  readonly size: number;
  readonly batch: number;
  readonly tokens: number;
  readonly threads: number;
  readonly runs: number;
}

export const scalingReportSchema = v.object({ ms: number(), peakMb: number(), macs: number() });

type Axis = 'frames' | 'size' | 'batch' | 'tokens' | 'threads';

export interface ScalingRow {
  readonly what: string;
  readonly use: ScalingUse;
  readonly axis: Axis;
  /** t = a x^exponent, and m likewise for memory above that of a process that runs nothing; R2 of the fits. */
  readonly timeExponent: number;
  readonly timeR2: number;
  readonly memoryExponent: number;
  readonly memoryR2: number;
  readonly points: readonly { readonly x: number; readonly ms: number; readonly mb: number }[];
}

const base = { frames: 8, size: 96, batch: 1, tokens: 3, threads: 1 };
const trainingBase = { ...base, batch: 4 };

const values: Readonly<Record<ScalingUse, Readonly<Partial<Record<Axis, readonly number[]>>>>> = {
  inference: {
    frames: [4, 8, 16, 32, 64],
    size: [64, 96, 128, 192, 256],
    batch: [1, 2, 4, 8, 16],
    tokens: [1, 3, 6, 12, 24, 48],
    threads: threads(),
  },
  training: { frames: [4, 8, 16, 32], size: [64, 96, 128, 192], batch: [1, 2, 4, 8, 16], tokens: [1, 3, 6, 12, 24] },
};

function threads(): number[] {
  const cores = Math.min(availableParallelism(), 64);
  return [...[1, 2, 4, 8, 16, 32].filter((count) => count < cores), cores];
}

/** A row an axis and use; `runs` counted runs a point. */
export async function scaling(runs: number, say: (line: string) => void): Promise<ScalingRow[]> {
  const rows: ScalingRow[] = [];
  for (const use of ['inference', 'training'] as const) {
    const start = use === 'inference' ? base : trainingBase;
    const emptyMb = (await measured({ ...start, use, frames: 1, size: 16, batch: 1, runs: 1 })).peakMb;
    for (const [axis, xs] of Object.entries(values[use]) as [Axis, readonly number[]][]) {
      const points: { x: number; ms: number; mb: number }[] = [];
      for (const x of xs) {
        const { ms, peakMb } = await measured({ ...start, use, [axis]: x, runs });
        say(`${use}, ${axis} ${x}: ${rounded(ms)} ms, ${rounded(peakMb)} MB`);
        points.push({ x, ms: rounded(ms), mb: rounded(peakMb - emptyMb) });
      }
      rows.push(row(use, axis, points));
    }
  }
  return rows;
}

function row(use: ScalingUse, axis: Axis, points: ScalingRow['points']): ScalingRow {
  const start = use === 'inference' ? base : trainingBase;
  const rest = Object.entries(start).flatMap(([name, value]) => (name === axis ? [] : [`${name} ${value}`]));
  const time = powerFit(points.map(({ x, ms }) => [x, ms]));
  const memory = powerFit(points.map(({ x, mb }) => [x, mb]));
  return {
    what: `${use} of the 52M layout against ${axis} (${rest.join(', ')})`,
    ...{ use, axis, timeExponent: rounded(time.exponent), timeR2: rounded(time.r2) },
    ...{ memoryExponent: rounded(memory.exponent), memoryR2: rounded(memory.r2), points },
  };
}

/** y = a x^exponent by least squares on logarithms; points that are not positive say nothing. */
export function powerFit(points: readonly (readonly [x: number, y: number])[]): {
  readonly exponent: number;
  readonly r2: number;
} {
  const logs = points.filter(([x, y]) => x > 0 && y > 0).map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (pick: 0 | 1) => logs.reduce((sum, point) => sum + point[pick], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const sum = (value: (x: number, y: number) => number) => logs.reduce((total, [x, y]) => total + value(x - mx, y - my), 0);
  const [xy, xx, yy] = [sum((x, y) => x * y), sum((x) => x * x), sum((_, y) => y * y)];
  return { exponent: xy / xx, r2: yy === 0 ? 1 : (xy * xy) / (xx * yy) };
}

async function measured(point: ScalingPoint): Promise<v.InferOutput<typeof scalingReportSchema>> {
  const script = fileURLToPath(new URL('./scalingChild.js', import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(point)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const printed = await text(child.stdout);
  if ((await ended) !== 0) throw new CheckError(`the process for ${JSON.stringify(point)} failed; its message is above`);
  return v.parse(scalingReportSchema, JSON.parse(printed));
}
