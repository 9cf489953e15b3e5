/**
 * run.json: the job, its data and options, and a session for the start and each resuming. Epochs are in metrics.jsonl, weights in
 * the checkpoints.
 */

import { existsSync, readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { type GuessedBy, guessedBy, isTelling } from '../../dataset/confounds.js';
import type { LeftOutVideo } from '../../dataset/dataLoader.js';
import { type LabelledVideo, type LabelledVideos, splitNames } from '../../dataset/labelledVideos.js';
import { segmentName } from '../../dataset/videoPart.js';
import { ConfigError, messageOf } from '../../errors.js';
import type { NetworkConfig } from '../../models/config.js';
import { networkCost } from '../../models/cost.js';
import { faultsOf, integer, number } from '../../schema.js';
import { writeFileAtomically } from '../../weights/files.js';
import { packageVersion } from '../../weights/packageVersion.js';
import type { TestedWeights } from '../finetune/keptWeights.js';

const format = 'video-mobile-former run 1';
const anyRecord = v.record(v.string(), v.unknown());
const count = integer(0);
const mostSaid = 100;

const sessionSchema = v.looseObject({
  startedAt: v.string(),
  endedAt: v.optional(v.string()),
  /** `running` forever when the process was killed. */
  status: v.string(),
  reason: v.optional(v.string()),
  command: v.optional(v.array(v.string())),
  version: v.string(),
  machine: v.looseObject({
    processor: v.string(),
    cores: count,
    memoryBytes: number(),
    platform: v.string(),
    node: v.string(),
  }),
  /** Notes and warnings: choices and their reasons, what was left out. */
  said: v.optional(v.array(v.string())),
  /** Absent: as many as the machine has. */
  threads: v.optional(count),
  workers: v.optional(count),
  /** Wall time, CPU time (without helper processes), and peak memory of the process. */
  seconds: v.optional(number()),
  cpuSeconds: v.optional(number()),
  peakMemoryBytes: v.optional(number()),
});

const dataSchema = v.looseObject({
  /** Made absolute; absent when the caller passed parsed data. */
  path: v.optional(v.string()),
  /** The folder that names are relative to. */
  root: v.string(),
  source: v.string(),
  splitBy: v.string(),
  options: anyRecord,
  /** Digest of names, labels and splits. */
  digest: v.string(),
  labels: v.array(v.string()),
  counts: v.array(v.looseObject({ label: v.string(), train: count, val: count, test: count })),
  notes: v.array(v.string()),
  leftOut: v.array(v.looseObject({ name: v.string(), reason: v.string() })),
  /** What gives the class away besides motion, on the training videos; `tells` where more than chance explains. */
  clues: v.array(v.looseObject({ what: v.string(), accuracy: number(), chance: number(), tells: v.boolean() })),
});

const testedSchema = v.looseObject({
  tunedShare: v.optional(number()),
  top1: v.optional(number()),
  map: v.optional(number()),
  loss: number(),
  scaledLoss: number(),
});

/** Unknown keys, of later versions, are kept. */
const recordSchema = v.looseObject({
  format: v.literal(format),
  sessions: v.pipe(v.array(sessionSchema), v.minLength(1)),
  /** All training options in force, and those that were given. */
  recipe: anyRecord,
  chosen: anyRecord,
  init: v.optional(v.string()),
  teacher: v.optional(v.looseObject({ path: v.string(), name: v.string() })),
  model: v.looseObject({ name: v.string(), parameters: count, macs: number(), config: anyRecord }),
  preprocess: anyRecord,
  data: dataSchema,
  /** After a session that ended in order. */
  outcome: v.optional(
    v.looseObject({
      epochs: count,
      bestEpoch: count,
      bestTop1: v.optional(number()),
      bestMap: v.optional(number()),
      candidates: v.optional(v.array(testedSchema)),
    }),
  ),
});

export type RunRecord = v.InferOutput<typeof recordSchema>;
export type RunSession = v.InferOutput<typeof sessionSchema>;

/** Everything known when a session begins. */
export interface RunStart {
  /** The run folder; must exist. */
  readonly folder: string;
  readonly resume: boolean;
  readonly command?: readonly string[] | undefined;
  readonly threads?: number | undefined;
  readonly workers?: number | undefined;
  /** Notes and warnings so far; those that are added later are in the record of the end. */
  readonly said?: readonly string[];
  /** All options in force, and those that were given. */
  readonly recipe: object;
  readonly chosen?: object | undefined;
  readonly init?: string | undefined;
  /** File, kind and digest of the teacher, its share of the loss and its temperature. */
  readonly teacher?: { readonly path: string; readonly name: string } | undefined;
  readonly config: NetworkConfig;
  readonly preprocess: object;
  readonly dataPath?: string | undefined;
  readonly dataOptions?: object | undefined;
  readonly data: LabelledVideos;
  /** Of names, labels and splits: see progress.ts. */
  readonly digest: string;
}

/** Result of a finished session. */
export interface RunEnd {
  readonly interrupted: boolean;
  /** Of this session. */
  readonly epochs: readonly { readonly epoch: number }[];
  readonly bestEpoch: number;
  readonly bestTop1: number | undefined;
  readonly bestMap?: number;
  /** Of fine-tuning from a probe. */
  readonly candidates?: readonly TestedWeights[];
  readonly leftOut: readonly LeftOutVideo[];
}

/** Facts of a training video once read; `width` and `height` of its frames as they were kept. */
export interface ReadVideo {
  readonly label: number;
  readonly durationSec: number;
  readonly width: number;
  readonly height: number;
}

export function recordPath(folder: string): string {
  return join(folder, 'run.json');
}

/** Writes run.json for a session that begins. A resumed run's record is continued; ConfigError when that is broken. */
export async function beginRecord(start: RunStart): Promise<Recording> {
  const before = start.resume ? readRecord(start.folder) : undefined;
  const record = before ? { ...before, sessions: [...before.sessions, session(start)] } : firstRecord(start);
  const recording = new Recording(start.folder, record, start.said ?? []);
  await recording.write();
  return recording;
}

/** The record of a run folder; undefined when it has none, as runs of older versions. ConfigError when it is broken. */
export function readRecord(folder: string): RunRecord | undefined {
  const path = recordPath(folder);
  if (!existsSync(path)) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ConfigError(`cannot be read as JSON (${reasonOf(error)}); without the file the run can be used as it is`, { path });
  }
  const parsed = v.safeParse(recordSchema, json);
  if (parsed.success) return parsed.output;
  throw new ConfigError(`is no record of a run: ${faultsOf(parsed.issues, 'content')[0]}`, { path });
}

/** A session on its way. */
export class Recording {
  private readonly startedMs = performance.now();
  private readonly startedCpu = process.cpuUsage();

  constructor(
    private readonly folder: string,
    private record: RunRecord,
    private readonly said: readonly string[],
  ) {}

  /** Runs the session and writes how it ended, whichever way. */
  async during<T extends RunEnd>(work: () => Promise<T>): Promise<T> {
    let end: T;
    try {
      end = await work();
    } catch (error) {
      this.closeSession('failed', reasonOf(error));
      await this.write().catch(() => {}); // report the first failure
      throw error;
    }
    await this.finish(end);
    return end;
  }

  /** Notes what the training videos give away besides motion; written with the next change. */
  noteClues(videos: readonly ReadVideo[]): void {
    this.record = { ...this.record, data: { ...this.record.data, clues: cluesOf(videos) } };
  }

  private async finish({ interrupted, epochs, bestEpoch, bestTop1, bestMap, candidates, leftOut }: RunEnd): Promise<void> {
    const { data, outcome: before } = this.record;
    const named = leftOut.map(({ path, segment, reason }) => ({
      name: segmentName(nameBelow(data.root, path), segment),
      reason,
    }));
    this.record = {
      ...this.record,
      data: { ...data, leftOut: named },
      outcome: {
        ...{ epochs: epochs.at(-1)?.epoch ?? before?.epochs ?? 0, bestEpoch, ...(bestTop1 !== undefined && { bestTop1 }) },
        ...(bestMap !== undefined && { bestMap }),
        ...(candidates && { candidates: candidates.map((each) => ({ ...each })) }),
      },
    };
    this.closeSession(interrupted ? 'interrupted' : 'finished');
    await this.write();
  }

  private closeSession(status: string, reason?: string): void {
    const { user, system } = process.cpuUsage(this.startedCpu);
    const ended = {
      ...{ status, endedAt: new Date().toISOString(), ...(reason !== undefined && { reason }) },
      ...(this.said.length > 0 && { said: saidOf(this.said) }),
      seconds: rounded((performance.now() - this.startedMs) / 1000),
      cpuSeconds: rounded((user + system) / 1e6),
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    };
    const { sessions } = this.record;
    this.record = {
      ...this.record,
      sessions: sessions.map((each, i) => (i === sessions.length - 1 ? { ...each, ...ended } : each)),
    };
  }

  async write(): Promise<void> {
    const text = `${JSON.stringify(this.record, null, 2)}\n`;
    await writeFileAtomically(recordPath(this.folder), [new TextEncoder().encode(text)]);
  }
}

function firstRecord(start: RunStart): RunRecord {
  const { config, data, recipe, chosen, init, preprocess, teacher } = start;
  const { parameters, macs } = networkCost(config);
  return {
    format,
    sessions: [session(start)],
    ...{ recipe: { ...recipe }, chosen: { ...chosen }, ...(init !== undefined && { init }) },
    ...(teacher && { teacher }),
    model: { name: config.name, parameters, macs, config: { ...config } },
    preprocess: { ...preprocess },
    data: {
      ...(start.dataPath !== undefined && { path: resolve(start.dataPath) }),
      ...{ root: data.root, source: data.source, splitBy: data.splitBy },
      ...{ options: { ...start.dataOptions }, digest: start.digest, labels: [...data.labels] },
      ...{ counts: countsOf(data), notes: [...data.notes], leftOut: [], clues: [] },
    },
  };
}

function countsOf({ labels, videos }: LabelledVideos): RunRecord['data']['counts'] {
  const counts = labels.map((label) => ({ label, train: 0, val: 0, test: 0 }));
  const places = (video: LabelledVideo) => video.labelIndices ?? [video.labelIndex];
  for (const { split, place } of videos.flatMap((video) => places(video).map((place) => ({ split: video.split, place })))) {
    const row = counts[place];
    if (row && splitNames.includes(split)) row[split]++;
  }
  return counts;
}

/** The first ones: a thousand warnings say no more than a few. */
function saidOf(said: readonly string[]): string[] {
  return said.length <= mostSaid ? [...said] : [...said.slice(0, mostSaid), `and ${said.length - mostSaid} more`];
}

function session({ command, threads, workers, said = [] }: RunStart): RunSession {
  const processors = cpus();
  return {
    startedAt: new Date().toISOString(),
    status: 'running',
    version: packageVersion(),
    machine: {
      processor: processors[0]?.model.trim() || 'unknown processor',
      cores: processors.length,
      memoryBytes: totalmem(),
      platform: `${process.platform} ${process.arch}`,
      node: process.version,
    },
    ...(said.length > 0 && { said: saidOf(said) }),
    ...(command && { command: [...command] }),
    ...(threads !== undefined && { threads }),
    ...(workers !== undefined && { workers }),
  };
}

/** What length and shape alone tell of the class; stretched frames have equal shapes, so those are left out. */
function cluesOf(videos: readonly ReadVideo[]): RunRecord['data']['clues'] {
  const labels = videos.map(({ label }) => String(label));
  const clue = (what: string, values: readonly number[]) => {
    const guess: GuessedBy = guessedBy(values.map(Math.log), labels);
    return { what, ...guess, tells: isTelling(guess, videos.length) };
  };
  const shapes = videos.map(({ width, height }) => width / height);
  const clues =
    videos.length === 0
      ? []
      : [
          clue(
            'length',
            videos.map(({ durationSec }) => durationSec),
          ),
        ];
  return new Set(shapes).size > 1 ? [...clues, clue('shape (width to height)', shapes)] : clues;
}

function nameBelow(root: string, path: string): string {
  return path.startsWith(root)
    ? path
        .slice(root.length)
        .replace(/^[/\\]/, '')
        .replaceAll('\\', '/')
    : path;
}

const rounded = (seconds: number): number => Number(seconds.toFixed(3));

function reasonOf(error: unknown): string {
  return messageOf(error);
}
