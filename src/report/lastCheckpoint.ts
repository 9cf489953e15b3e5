/** Options and data digest of runs without run.json (older versions). */
import { existsSync } from 'node:fs';
import * as v from 'valibot';
import { WeightsError } from '../errors.js';
import { matching } from '../schema.js';
import { parseCheckpoint } from '../weights/checkpoint.js';
import { readSafetensors } from '../weights/files.js';

const progressSchema = v.looseObject({ options: v.record(v.string(), v.unknown()), data: v.string() });

export interface LastFacts {
  readonly options: Readonly<Record<string, unknown>>;
  readonly digest: string;
}

/** Undefined when the file is not there or is without a training state; WeightsError when it is broken. */
export async function readLastFacts(path: string): Promise<LastFacts | undefined> {
  if (!existsSync(path)) return undefined;
  const { training } = parseCheckpoint(await readSafetensors(path), path);
  if (training === undefined) return undefined;
  const progress = matching(progressSchema, training.progress);
  if (progress === undefined)
    throw new WeightsError('its training state is not understood; it is from another version', { path });
  return { options: progress.options, digest: progress.data };
}
