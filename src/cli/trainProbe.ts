/** `vmf train DATA --baseline`: a linear probe on frozen features. */

import { segmentName } from '../dataset/videoPart.js';
import { ConfigError } from '../errors.js';
import { wilsonInterval } from '../metrics/metrics.js';
import { percent } from '../metrics/percent.js';
import type { PenaltyTrial } from '../train/linearProbe/fitProbe.js';
import { type LinearProbeSummary, trainLinearProbe } from '../train/linearProbe/linearProbe.js';
import type { TrainJob } from '../train/train.js';
import type { ProgressLine } from './progressLine.js';

/** Fits and prints; options of training, which it has none of but two, are refused. */
export async function runBaseline(job: TrainJob, flags: { readonly json?: boolean }, line: ProgressLine): Promise<void> {
  const { options = {}, resume, recipe, unlabelled, teacherSize, ...rest } = job;
  const { seed, maxBadShare, ...others } = options;
  const extra = [...Object.entries({ resume, recipe, unlabelled, teacherSize }), ...Object.entries(others)];
  const stray = extra.filter(([, value]) => value !== undefined).map(([name]) => name);
  if (stray.length > 0) throw new ConfigError(`--baseline trains nothing; leave out ${stray.join(', ')}`);
  const kept = { ...(seed !== undefined && { seed }), ...(maxBadShare !== undefined && { maxBadShare }) };
  const summary = await trainLinearProbe({ ...rest, options: kept });
  line.clear();
  process.stdout.write(flags.json ? `${JSON.stringify(summary, null, 2)}\n` : describe(summary));
  if (summary.interrupted) process.exitCode = 130;
}

function describe(summary: LinearProbeSummary): string {
  const { config, labels, trainVideos, leftOut, seconds, bestPath, foreseen } = summary;
  if (!foreseen) return 'interrupted: nothing was stored; the same command begins anew\n';
  const lines = [
    `${config.name} as it is, with a linear readout: ${labels.length} classes, ${trainVideos} training videos, ${seconds.toFixed(1)} s`,
    `${foreseenText(summary, foreseen)}`,
    `best: ${bestPath}${valText(summary)}`,
  ];
  if (leftOut.length > 0)
    lines.push(
      `${leftOut.length} training videos left out: ${leftOut.map(({ path, segment }) => segmentName(path, segment)).join(', ')}`,
    );
  return `${lines.join('\n')}\n`;
}

function foreseenText(summary: LinearProbeSummary, { top1, map }: PenaltyTrial): string {
  const of = `of the training videos, ${leftOutText(summary)}`;
  if (map !== undefined) return `mAP ${percent(map)} ${of}; scores at random: ${percent(summary.chanceMap ?? Number.NaN)}`;
  const share = top1 ?? Number.NaN;
  return `top-1 ${percent(share)} ${intervalText(summary, share)} ${of}; ${chanceText(summary, share)}`;
}

function intervalText({ trainVideos }: LinearProbeSummary, top1: number): string {
  const { low, high } = wilsonInterval(Math.round(top1 * trainVideos), trainVideos);
  return `(95 % interval ${percent(low)} to ${percent(high)})`;
}

/** Clips of one recording are alike: without them the estimate is one for new recordings. */
const leftOutText = ({ leftOutBy }: LinearProbeSummary): string =>
  leftOutBy === undefined ? 'each predicted without itself' : `each predicted without its recording (${leftOutBy})`;

/** Chance level: the share of the largest class. */
function chanceText({ chanceTop1 = Number.NaN, trainVideos }: LinearProbeSummary, top1: number): string {
  const chance = `always the largest class: ${percent(chanceTop1)}`;
  const { low } = wilsonInterval(Math.round(top1 * trainVideos), trainVideos);
  return low > chanceTop1 ? chance : `${chance}, so these features may tell nothing here`;
}

function valText({ bestTop1, bestMap, valVideos }: LinearProbeSummary): string {
  if (bestMap !== undefined) return ` (val mAP ${percent(bestMap)} of ${valVideos} videos)`;
  return bestTop1 === undefined ? ' (no validation videos)' : ` (val top-1 ${percent(bestTop1)} of ${valVideos} videos)`;
}
