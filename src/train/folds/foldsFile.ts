/**
 * RUN/folds.jsonl: the options of a cross-validation in the first line, then a line for each finished fold. A file of other
 * options is refused, so that no result mixes two recipes.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import * as v from 'valibot';
import { ConfigError } from '../../errors.js';
import { parsedJson } from '../../json.js';
import { integer, matching, number } from '../../schema.js';
import { writeFileAtomically } from '../../weights/files.js';

const answerSchema = v.strictObject({
  name: v.string(),
  label: v.string(),
  predicted: v.string(),
  /** Probability of the predicted class. */
  score: number(),
});

const foldSchema = v.strictObject({
  fold: v.string(),
  seed: integer(),
  /** Relative to RUN. */
  folder: v.string(),
  trainVideos: integer(),
  testVideos: integer(),
  correct: integer(),
  top1: number(),
  /** Training and testing, in the session that ended it. */
  seconds: number(),
  answers: v.array(answerSchema),
});

const headSchema = v.object({ run: v.string(), by: v.string() });

/** One fold that is done, with what was answered about each of its clips. */
export type FoldResult = Readonly<v.InferOutput<typeof foldSchema>>;

export interface FoldsHead {
  /** A name that changes with every option that changes results. */
  readonly run: string;
  /** Description of the folds, for people. */
  readonly by: string;
}

export class FoldsFile {
  private constructor(
    private readonly path: string,
    /** Folds that were done before. */
    readonly before: readonly FoldResult[],
  ) {}

  /**
   * Creates the file, or resumes it without a cut-off last line. ConfigError when it is of other options and a fold was
   * finished or `begun` with them.
   */
  static async open(path: string, head: FoldsHead, begun: boolean): Promise<FoldsFile> {
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
    const [first, ...rest] = lines;
    if (first !== undefined && (begun || rest.length > 0)) checkHead(path, first, head);
    const before = rest.map((line, i) => parsed(path, line, i + 2));
    await writeFileAtomically(path, [new TextEncoder().encode([JSON.stringify(head), ...rest, ''].join('\n'))]);
    return new FoldsFile(path, before);
  }

  add(result: FoldResult): void {
    appendFileSync(this.path, `${JSON.stringify(result)}\n`);
  }
}

function checkHead(path: string, line: string, { run, by }: FoldsHead): void {
  const head = matching(headSchema, parsedJson(line));
  if (head === undefined) throw new ConfigError('is not a file that folds wrote; name another --out', { path });
  if (head.run === run) return;
  const what = head.by === by ? 'other options or other videos' : `${head.by}, asked for are ${by}`;
  throw new ConfigError(`holds folds of ${what}; give the same command again to go on with them, or name another --out`, {
    path,
  });
}

function parsed(path: string, line: string, number: number): FoldResult {
  const row = matching(foldSchema, parsedJson(line));
  if (row !== undefined) return row;
  throw new ConfigError(`${path}:${number}: is not a line that folds wrote; remove it, and its fold is done again`);
}
