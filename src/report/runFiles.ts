/** Reads and checks a run folder: epoch metrics, best weights, and run.json or (older versions) the `last` checkpoint. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ConfigError } from '../errors.js';
import { type RunRecord, readRecord } from '../train/runFolder/runRecord.js';
import { type Checkpoint, parseCheckpoint } from '../weights/checkpoint.js';
import { readSafetensors } from '../weights/files.js';
import { readOnnxWeights } from '../weights/onnxFile.js';
import type { OnnxWeights } from '../weights/onnxWeights.js';
import { readLastFacts } from './lastCheckpoint.js';

/** One line of metrics.jsonl: whatever numbers it has, by name. A value that was no number when written is NaN. */
export interface EpochRow {
  readonly epoch: number;
  readonly values: Readonly<Record<string, number>>;
}

export interface RunFiles {
  /** As given. */
  readonly path: string;
  /** Display name: the folder's name. */
  readonly name: string;
  /** In order of time; at least one. */
  readonly rows: readonly EpochRow[];
  readonly record: RunRecord | undefined;
  readonly bestPath: string;
  /** A model for a linear probe on an ONNX network. */
  readonly best: Checkpoint | OnnxWeights;
  /** All training options in force; undefined if unrecorded. */
  readonly recipe: Readonly<Record<string, unknown>> | undefined;
  /** Digest of names, labels and splits of the data; undefined if unrecorded. */
  readonly digest: string | undefined;
}

/** Reads a run. ConfigError or WeightsError, one line, for what is no run or is broken. */
export async function readRun(path: string): Promise<RunFiles> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new ConfigError('expected the folder of a run, as `vmf train --out` makes it', { path });
  }
  const rows = readMetrics(join(path, 'metrics.jsonl'));
  const record = readRecord(path);
  const modelPath = join(path, 'best.onnx');
  const isModel = existsSync(modelPath);
  const bestPath = isModel ? modelPath : join(path, 'best.safetensors');
  const best = isModel ? await readOnnxWeights(bestPath) : parseCheckpoint(await readSafetensors(bestPath), bestPath);
  const last = record === undefined ? await readLastFacts(join(path, 'last.safetensors')) : undefined;
  return {
    ...{ path, rows, record, bestPath, best, name: basename(resolve(path)) },
    recipe: record?.recipe ?? last?.options,
    digest: record?.data.digest ?? last?.digest,
  };
}

function readMetrics(path: string): EpochRow[] {
  if (!existsSync(path)) throw new ConfigError('is not there; a report needs a run with at least one finished epoch', { path });
  const lines = readFileSync(path, 'utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) throw new ConfigError('is empty; a report needs a run with at least one finished epoch', { path });
  return lines.map((line, i) => epochRow(line, `${path}:${i + 1}`)).sort((a, b) => a.epoch - b.epoch);
}

function epochRow(line: string, where: string): EpochRow {
  const value = parsed(line, where);
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const fields: [string, unknown][] = isObject ? Object.entries(value) : [];
  const { epoch, ...values } = Object.fromEntries(fields.flatMap(([name, each]) => numberOf(name, each)));
  if (epoch === undefined || !Number.isInteger(epoch) || epoch < 0) {
    throw new ConfigError(`${where}: expected a JSON object with a number "epoch", got ${JSON.stringify(line.slice(0, 40))}`);
  }
  return { epoch, values };
}

function parsed(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new ConfigError(`${where}: is no JSON (cut off?); resume the run, which mends it, or delete the line`);
  }
}

/** JSON stores NaN as null. */
function numberOf(name: string, value: unknown): [string, number][] {
  if (typeof value === 'number') return [[name, value]];
  return value === null ? [[name, Number.NaN]] : [];
}
