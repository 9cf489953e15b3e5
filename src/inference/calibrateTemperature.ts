/**
 * Fits temperature and, if asked, the reject threshold, stored with the weights. The caller chooses the labelled videos: none of
 * training or test.
 */
import type { Views } from '../clip/clipView.js';
import { ConfigError } from '../errors.js';
import {
  binaryCalibration,
  fitBinaryTemperature,
  fitThresholds,
  type MultiLabelLogits,
  scoredMany,
} from '../metrics/binaryCalibration.js';
import {
  type CalibrationReport,
  calibrationReport,
  fitTemperature,
  type LogitClip,
  scored,
  unknownThreshold,
} from '../metrics/calibration.js';
import type { Calibration } from '../weights/calibration.js';
import { parseCheckpoint } from '../weights/checkpoint.js';
import { readSafetensors, writeSafetensors } from '../weights/files.js';
import { locateWeights } from '../weights/locateWeights.js';
import { isOnnxFile } from '../weights/onnxFile.js';
import { type EvaluateOptions, evaluateDataset, type TestVideo } from './evaluate.js';
import { evaluateMultiLabel } from './evaluateMultiLabel.js';
import { openRecogniser, type RecogniserOptions } from './fileRecogniser.js';
import type { Recogniser } from './recogniser.js';

export interface CalibrateOptions {
  /** Name of the videos' split, for the record; `val` by default. */
  readonly split?: string;
  readonly views?: Views;
  /** Choose a threshold too, so that at least this share of the answers is right. */
  readonly unknown?: number;
  /** Where the calibrated weights go; the file itself by default. */
  readonly out?: string;
  readonly machine?: RecogniserOptions;
  readonly onProgress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface Calibrated {
  readonly path: string;
  readonly calibration: Calibration;
  /** On the videos that it was fitted on, without and with the temperature. */
  readonly before: CalibrationReport;
  readonly after: CalibrationReport;
}

/**
 * Calibrates a weights file and writes it, all its tensors as they were; pretrained weights, given by name, to `out` only. ConfigError for fewer than 20 videos, or when they cannot tell
 * (see `fitTemperature`, `unknownThreshold`), and for a model file; rejects as `loadRecogniser` and `evaluateDataset`. Nothing is
 * written then.
 */
export async function calibrateCheckpoint(
  weights: string,
  videos: readonly TestVideo[],
  options: CalibrateOptions = {},
): Promise<Calibrated> {
  const path = await locateWeights(weights);
  const { split = 'val', views = { clips: 1, crops: 1 }, unknown, out = path, machine, onProgress, signal } = options;
  if (path !== weights && options.out === undefined) {
    const message = 'pretrained weights stay as they are: name a file for the calibrated ones (--calibrated-out)';
    throw new ConfigError(message, { path: weights });
  }
  if (await isOnnxFile(path))
    throw new ConfigError('is a model; calibrate the weights that `vmf train` wrote, then export them', { path });
  const file = await readSafetensors(path);
  const recogniser = await openRecogniser(parseCheckpoint(file, path), { mode: 'throughput', ...machine }, path);
  try {
    const asked = { ...views, logits: true, signal, ...(onProgress && { onProgress }) };
    const source = { split, views: `${views.clips}x${views.crops}` };
    const fitted = recogniser.multiLabel
      ? fitMany(await multiLabelLogits(recogniser, videos, asked), source, recogniser.labels.length, unknown)
      : fit(await oneLabelLogits(recogniser, videos, asked), source, unknown);
    signal?.throwIfAborted();
    await writeSafetensors(out, { ...file, metadata: { ...file.metadata, calibration: JSON.stringify(fitted.calibration) } });
    return { path: out, ...fitted };
  } finally {
    await recogniser.close();
  }
}

/** What it was fitted on: split and views. */
interface Source {
  readonly split: string;
  readonly views: string;
}

type Ask = [recogniser: Recogniser, videos: readonly TestVideo[], asked: EvaluateOptions];

const placesIn = ({ labels }: Recogniser): ((label: string) => number) => {
  const place = new Map(labels.map((label, i) => [label, i]));
  return (label) => place.get(label) ?? -1;
};

async function oneLabelLogits(...ask: Ask): Promise<LogitClip[]> {
  const placeOf = placesIn(ask[0]);
  return (await evaluateDataset(...ask)).rows.map(({ label, logits = [] }) => ({ labelIndex: placeOf(label), logits }));
}

async function multiLabelLogits(...ask: Ask): Promise<MultiLabelLogits[]> {
  const placeOf = placesIn(ask[0]);
  return (await evaluateMultiLabel(...ask)).rows.map(({ labels, logits = [] }) => ({
    labelIndices: labels.map(placeOf),
    logits,
  }));
}

/** A temperature, and for each class the threshold of greatest F1. */
function fitMany(
  clips: readonly MultiLabelLogits[],
  source: Source,
  classes: number,
  unknown: number | undefined,
): Omit<Calibrated, 'path'> {
  if (unknown !== undefined)
    throw new ConfigError('--unknown: is for weights of one label; with several at once each gets a threshold anyway');
  const { temperature, nllBefore, nllAfter } = fitBinaryTemperature(clips);
  const calibrated = clips.map((clip) => scoredMany(clip, temperature));
  const [before, after] = [clips.map((clip) => scoredMany(clip, 1)), calibrated].map(binaryCalibration) as [
    CalibrationReport,
    CalibrationReport,
  ];
  const fittedOn = { videos: clips.length, ...source, eceBefore: before.ece, eceAfter: after.ece, nllBefore, nllAfter };
  return { calibration: { temperature, fittedOn, thresholds: fitThresholds(calibrated, classes) }, before, after };
}

function fit(clips: readonly LogitClip[], source: Source, wanted: number | undefined): Omit<Calibrated, 'path'> {
  const { temperature, nllBefore, nllAfter } = fitTemperature(clips);
  const calibrated = clips.map((clip) => scored(clip, temperature));
  const [before, after] = [calibrationReport(clips.map((clip) => scored(clip, 1))), calibrationReport(calibrated)];
  const fittedOn = { videos: clips.length, ...source, eceBefore: before.ece, eceAfter: after.ece, nllBefore, nllAfter };
  if (wanted === undefined) return { calibration: { temperature, fittedOn }, before, after };
  const { below, precision, coverage } = unknownThreshold(calibrated, wanted);
  const threshold = { rejectThreshold: below, unknownFit: { wanted, precision, coverage } };
  return { calibration: { temperature, fittedOn, ...threshold }, before, after };
}
