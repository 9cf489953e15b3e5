/** `vmf eval --calibrate`: fits temperature and threshold on validation videos and stores them with the weights. */

import type { Views } from '../clip/clipView.js';
import { type LabelledVideos, type Split, videosOf } from '../dataset/labelledVideos.js';
import { ConfigError } from '../errors.js';
import { type Calibrated, calibrateCheckpoint } from '../inference/calibrateTemperature.js';
import type { RecogniserOptions } from '../inference/fileRecogniser.js';
import { leastCalibrationClips, type ReliabilityBin } from '../metrics/calibration.js';
import { percent } from '../metrics/percent.js';
import { bar, ProgressLine } from './progressLine.js';
import { jsonText, textTable } from './textTable.js';

export interface CalibrateFlags {
  readonly calibrate?: boolean;
  readonly calibratedOut?: string;
  readonly unknown?: number;
}

interface Asked extends CalibrateFlags {
  readonly weights: string;
  readonly split: Split | 'all';
  readonly views: Views;
  readonly json?: boolean;
  readonly csv?: string;
  readonly report?: string;
}

/** The split to fit on; never the test split. Throws a ConfigError for contradictory options. */
export function calibrationSplit({ calibrate, ...flags }: Asked, given: Split | 'all' | undefined): Split | undefined {
  if (!calibrate) {
    if (flags.calibratedOut !== undefined)
      throw new ConfigError('--calibrated-out: says where --calibrate writes; add --calibrate');
    if (flags.unknown !== undefined) {
      throw new ConfigError('--unknown: chooses a threshold with --calibrate; to set one by hand use --reject-threshold');
    }
    return undefined;
  }
  const output = [flags.csv && '--csv', flags.report && '--report'].find((name) => name !== undefined);
  if (output !== undefined) throw new ConfigError(`${output}: --calibrate writes weights only; test them with another vmf eval`);
  if (given === 'test' || given === 'all') {
    throw new ConfigError(`--calibrate: nothing is fitted on test videos (--split ${given}); use val, which is the default`);
  }
  return given ?? 'val';
}

/** Fits, writes, and prints what it did. */
export async function calibrate(
  data: LabelledVideos,
  split: Split,
  { weights, views, unknown, calibratedOut, json }: Asked,
  machine: RecogniserOptions,
  signal: AbortSignal,
): Promise<void> {
  const videos = videosOf(data, split);
  if (videos.length < leastCalibrationClips) {
    throw new ConfigError(
      `--calibrate: split ${split} has ${videos.length} videos; at least ${leastCalibrationClips} are needed`,
    );
  }
  for (const note of data.notes) process.stderr.write(`note: ${note}\n`);
  if (split === 'train') {
    process.stderr.write('warning: the answers about training videos are surer than those about others; calibrate on val\n');
  }
  const line = new ProgressLine();
  const onProgress = (done: number, of: number) => line.show(`calibrating ${bar(done / of)} ${done}/${of}`);
  try {
    const done = await calibrateCheckpoint(weights, videos, {
      ...{ split, views, machine, onProgress, signal },
      ...(unknown !== undefined && { unknown }),
      ...(calibratedOut !== undefined && { out: calibratedOut }),
    });
    line.clear();
    process.stdout.write(json ? jsonText(done) : describe(done));
  } finally {
    line.clear();
  }
}

function describe({ path, calibration, before, after }: Calibrated): string {
  const { temperature, fittedOn, rejectThreshold, unknownFit } = calibration;
  const row = (name: string, from: number, to: number, text: (value: number) => string) => [name, text(from), text(to)];
  const three = (value: number) => value.toFixed(3);
  const rows = [
    row('expected calibration error', before.ece, after.ece, percent),
    row('the same, bins of equal counts', before.adaptiveEce, after.adaptiveEce, percent),
    row('negative log likelihood', before.nll, after.nll, three),
    row('Brier score', before.brier, after.brier, three),
  ];
  const unknown =
    rejectThreshold === undefined || unknownFit === undefined
      ? []
      : [
          `unknown below ${rejectThreshold.toFixed(3)}: ${percent(unknownFit.coverage)} of these videos are answered, ${percent(unknownFit.precision)} of the answers are right (asked for ${percent(unknownFit.wanted)})\n`,
        ];
  return [
    `${path}: temperature ${temperature.toFixed(3)}, fitted on ${fittedOn.videos} videos of split ${fittedOn.split}, views ${fittedOn.views}\n`,
    textTable(['on these videos', 'before', 'after'], rows),
    ...unknown,
    'with this temperature',
    reliabilityText(after.bins),
  ].join('\n');
}

/** Bins that have videos. */
export function reliabilityText(bins: readonly ReliabilityBin[]): string {
  const rows = bins.flatMap(({ low, high, count, confidence, accuracy }) =>
    confidence === null || accuracy === null
      ? []
      : [[`${percent(low)} to ${percent(high)}`, count, percent(confidence), percent(accuracy)]],
  );
  return textTable(['score', 'videos', 'mean score', 'right'], rows);
}
