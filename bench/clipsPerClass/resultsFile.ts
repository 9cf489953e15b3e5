/** Finished runs, kept in a folder so that an interrupted benchmark goes on where it was. */

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { parsedJson } from '../../src/json.js';
import { integer, matching, number } from '../../src/schema.js';
import { takeLock } from '../../src/train/runFolder/runLock.js';
import { writeFileAtomically } from '../../src/weights/files.js';
import { UsageError } from '../errors.js';
import type { Count } from './draws.js';

export const kinds = ['scratch', 'frozen', 'tuned'] as const;
export type Kind = (typeof kinds)[number];

/** What is one for all runs of a folder. */
const headSchema = v.object({
  /** Digest of names, labels and splits of the videos. */
  data: v.string(),
  split: v.string(),
  startSec: number(),
  /** Digest of the recipes that `vmf train` chooses from. */
  recipes: v.string(),
});

const runSchema = v.object({
  kind: v.picklist(kinds),
  count: v.union([integer(1), v.literal('all')]),
  /** Seed of draw and training. */
  draw: integer(0),
  /** SHA-256 of the weights it starts from; null from scratch. */
  weights: v.nullable(v.string()),
  network: v.string(),
  /** Clips that it learnt from, and that validated. */
  trainClips: integer(0),
  valClips: integer(0),
  correct: integer(0),
  testClips: integer(1),
  seconds: number(0),
  machine: v.string(),
  date: v.string(),
});

const fileSchema = v.object({ head: headSchema, runs: v.array(runSchema) });

export type Head = Readonly<v.InferOutput<typeof headSchema>>;
export type Run = Readonly<v.InferOutput<typeof runSchema>>;
/** What makes a run the same run. */
export interface RunKey extends Pick<Run, 'kind' | 'draw' | 'weights' | 'network'> {
  readonly count: Count;
}

export class ResultsFile {
  private writing: Promise<void> = Promise.resolve();

  private constructor(
    readonly path: string,
    private readonly head: Head,
    private readonly finished: Run[],
    readonly close: () => void,
  ) {}

  /** Makes the folder if missing. UsageError when it holds results of other data or options, ConfigError while another process writes here. */
  static open(folder: string, head: Head): ResultsFile {
    mkdirSync(folder, { recursive: true });
    const close = takeLock(join(folder, 'lock'));
    try {
      const path = join(folder, 'clips-per-class.json');
      return new ResultsFile(path, head, existsSync(path) ? readRuns(path, head) : [], close);
    } catch (error) {
      close();
      throw error;
    }
  }

  get runs(): readonly Run[] {
    return this.finished;
  }

  find(key: RunKey): Run | undefined {
    return this.finished.find((run) => same(run, key));
  }

  /** `more` is written beside the runs. */
  async add(run: Run, more: () => object): Promise<void> {
    this.finished.push(run);
    await this.write(more());
  }

  /** One write after the other, so that the last one stays. */
  write(more: object): Promise<void> {
    const text = `${JSON.stringify({ head: this.head, ...more, runs: this.finished }, undefined, 1)}\n`;
    this.writing = this.writing.then(() => writeFileAtomically(this.path, [new TextEncoder().encode(text)]));
    return this.writing;
  }
}

function readRuns(path: string, head: Head): Run[] {
  const found = matching(fileSchema, parsedJson(readFileSync(path, 'utf8')));
  if (!found) throw new UsageError(`${path}: no results of this benchmark; use another --out`);
  const keys = ['data', 'split', 'startSec', 'recipes'] as const;
  const other = keys.filter((key) => found.head[key] !== head[key]);
  if (other.length === 0) return found.runs;
  const { split, startSec } = found.head;
  const named = { data: 'other videos', split: `--split ${split}`, startSec: `--start ${startSec}`, recipes: 'other recipes' };
  throw new UsageError(`${path}: results of ${other.map((key) => named[key]).join(', ')}; use another --out`);
}

const same = (a: RunKey, b: RunKey): boolean =>
  (['kind', 'count', 'draw', 'weights', 'network'] as const).every((part) => a[part] === b[part]);
