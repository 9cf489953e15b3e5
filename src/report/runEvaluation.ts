import type { AnnotationOptions } from '../dataset/annotatedData.js';
import { type DatasetOptions, readDataset } from '../dataset/dataset.js';
import { type LabelledVideos, type Split, videosOf } from '../dataset/labelledVideos.js';
import { DatasetError } from '../errors.js';
import { type Evaluation, evaluateDataset } from '../inference/evaluate.js';
import { evaluateMultiLabel, type MultiLabelEvaluation } from '../inference/evaluateMultiLabel.js';
import { openRecogniser, type RecogniserOptions } from '../inference/fileRecogniser.js';
import { dataDigest } from '../train/progress.js';
import type { RunFiles } from './runFiles.js';

export interface EvaluationChoice {
  /** Data other than what the run names: moved, or new. A failure to read it is then an error. */
  readonly data?: string | undefined;
  /** Where films are and how annotations are read, where that is no longer as in training. */
  readonly annotations?: AnnotationOptions;
  /** `val` by default; an explicitly chosen empty split is an error. */
  readonly split?: 'val' | 'test' | undefined;
  readonly recogniser?: RecogniserOptions;
  readonly onProgress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The evaluation of a run, or why there is none. */
export interface RunResult {
  readonly split: Split;
  readonly dataPath: string | undefined;
  readonly data: LabelledVideos | undefined;
  /** Absent if the videos are unavailable; `notes` give the reason. */
  readonly evaluation: Evaluation | undefined;
  /** Instead of it for weights of several labels at once. */
  readonly multiLabel?: MultiLabelEvaluation;
  /** Wall time of the test. */
  readonly seconds: number;
  readonly notes: readonly string[];
}

/** Rejects with a DatasetError when the given data or split cannot be used, and as `evaluateDataset` for an unreadable video. */
export async function evaluateRun(run: RunFiles, choice: EvaluationChoice): Promise<RunResult> {
  const { split = 'val' } = choice;
  const found = await findData(run, choice);
  if (found.data === undefined) return { split, dataPath: found.path, ...nothing(found.data, found.notes) };
  const videos =
    choice.split === undefined ? found.data.videos.filter((video) => video.split === split) : videosOf(found.data, split);
  if (videos.length === 0) {
    const notes = [...found.notes, `The data has no videos in split "${split}": nothing was tested.`];
    return { split, dataPath: found.path, ...nothing(found.data, notes) };
  }
  const { onProgress, signal, recogniser: options = {} } = choice;
  const recogniser = await openRecogniser(run.best, options, run.bestPath);
  try {
    const started = performance.now();
    const options = { ...(onProgress && { onProgress }), signal };
    const tested = recogniser.multiLabel
      ? { evaluation: undefined, multiLabel: await evaluateMultiLabel(recogniser, videos, options) }
      : { evaluation: await evaluateDataset(recogniser, videos, options) };
    const seconds = (performance.now() - started) / 1000;
    return { split, dataPath: found.path, data: found.data, ...tested, seconds, notes: found.notes };
  } finally {
    await recogniser.close();
  }
}

function nothing(data: LabelledVideos | undefined, notes: readonly string[]) {
  return { data, evaluation: undefined, seconds: 0, notes };
}

interface Found {
  readonly path: string | undefined;
  readonly data: LabelledVideos | undefined;
  readonly notes: readonly string[];
}

async function findData(run: RunFiles, { data: given, annotations }: EvaluationChoice): Promise<Found> {
  const path = given ?? run.record?.data.path ?? run.record?.data.root ?? run.best.notes['data'];
  if (path === undefined) return { path, data: undefined, notes: ['The run does not say what data it learnt from; use --data.'] };
  const options = splitOptions(run, annotations);
  const data = given === undefined ? await dataIfThere(path, options) : await readDataset(path, options);
  if (typeof data === 'string') {
    const notes = [`The data cannot be used any more, so that nothing was tested (${data}). --data DATA says where it is.`];
    return { path, data: undefined, notes };
  }
  if (run.digest === undefined || dataDigest(data) === run.digest) return { path, data, notes: [] };
  const differs = 'are not what the run learnt from: names, labels or splits differ';
  if (given !== undefined) {
    return { path, data, notes: [`The data at ${path} ${differs}. Clips tested here may have been trained on.`] };
  }
  const notes = [`The data at ${path} ${differs}: nothing was tested. --data ${path} tests on them all the same.`];
  return { path, data: undefined, notes };
}

async function dataIfThere(path: string, options: DatasetOptions): Promise<LabelledVideos | string> {
  try {
    return await readDataset(path, options);
  } catch (error) {
    if (error instanceof DatasetError) return error.message;
    throw error;
  }
}

/** Options that reproduce the splits. Old runs split by the training seed. */
function splitOptions({ record, best }: RunFiles, annotations: AnnotationOptions | undefined): DatasetOptions {
  const options: DatasetOptions | undefined = record?.data.options;
  const read = annotations && { annotations: { ...options?.annotations, ...annotations } };
  if (options) return { ...options, ...read };
  const seed = Number(best.notes['seed']);
  return { ...(Number.isInteger(seed) && { seed }), ...read };
}
