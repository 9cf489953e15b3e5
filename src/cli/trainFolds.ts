/** `vmf train DATA --folds COLUMN|K`: cross-validation, with confidence intervals. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Views } from '../clip/clipView.js';
import type { FoldsBy } from '../dataset/folds.js';
import { ConfigError } from '../errors.js';
import type { MeanInterval } from '../metrics/meanInterval.js';
import { percent } from '../metrics/percent.js';
import { type FoldEvent, trainFolds } from '../train/folds/folds.js';
import type { FoldsSummary, Share } from '../train/folds/foldsSummary.js';
import type { TrainJob } from '../train/train.js';
import { viewsOption } from './arguments.js';
import { bar, clock, type ProgressLine } from './progressLine.js';
import { confusionText } from './resultText.js';
import { jsonText, textTable } from './textTable.js';

export interface FoldsFlags {
  readonly folds?: FoldsBy;
  readonly seeds?: readonly number[];
  readonly views?: Views;
  readonly valShare?: number;
  readonly json?: boolean;
}

export function addFoldsOptions(command: Command): Command {
  return command
    .option(
      '--folds <column|k>',
      'train and test once for each value of this column of the list, or for each of k parts made by class; goes on when given again',
      foldsBy,
    )
    .option('--seeds <n,n,...>', 'with --folds: train all folds with each of these seeds', seedList)
    .option('--views <CLIPSxCROPS>', 'with --folds: clips in time and crops (1 or 3) in space of each tested video', viewsOption);
}

function foldsBy(text: string): FoldsBy {
  if (text.trim() === '') throw new InvalidArgumentError('Expected a column of the list, or a number of parts.');
  if (!/^\d+$/.test(text)) return text;
  if (Number(text) < 2) throw new InvalidArgumentError('Expected at least 2 parts.');
  return Number(text);
}

function seedList(text: string): number[] {
  if (!/^\d+(,\d+)*$/.test(text)) throw new InvalidArgumentError('Expected whole numbers with commas between, such as 0,1,2.');
  return text.split(',').map(Number);
}

/** Options that mean something with --folds only. */
export function refuseFoldsOptions({ folds, seeds, views }: FoldsFlags): void {
  if (folds !== undefined) return;
  const stray = [seeds && '--seeds', views && '--views'].find((name) => name !== undefined);
  if (stray !== undefined) throw new ConfigError(`${stray}: is for --folds; without it a run has one seed and tests nothing`);
}

/** Trains all folds with progress; true when a signal ended it. */
export async function runFolds(job: TrainJob, by: FoldsBy, flags: FoldsFlags, line: ProgressLine): Promise<boolean> {
  const { seeds, views, valShare } = flags;
  const onFold = (event: FoldEvent) => tellFold(event, line, (seeds?.length ?? 1) > 1);
  const given = { ...(seeds && { seeds }), ...(views && { views }), ...(valShare !== undefined && { valShare }) };
  const outcome = await trainFolds(job, { by, ...given, onFold });
  line.clear();
  if (outcome.interrupted) {
    process.stdout.write(`interrupted after ${outcome.done} of ${outcome.of} folds: the same command goes on with them\n`);
    return true;
  }
  const { interrupted: _, ...summary } = outcome;
  process.stdout.write(flags.json ? jsonText(summary) : describeFoldsSummary(summary, views ?? { clips: 1, crops: 1 }));
  return false;
}

function tellFold(event: FoldEvent, line: ProgressLine, manySeeds: boolean): void {
  if (event.kind === 'testing') {
    line.show(`testing ${bar(event.done / event.of)} ${event.done}/${event.of}`);
    return;
  }
  line.clear();
  if (event.kind === 'begin') {
    const seed = manySeeds ? `, seed ${event.seed}` : '';
    process.stderr.write(`fold ${event.fold}${seed} (${event.number} of ${event.of})\n`);
    return;
  }
  const { fold, correct, testVideos, top1, seconds } = event.result;
  const when = event.before ? 'done before' : `in ${clock(seconds)}`;
  process.stderr.write(`fold ${fold}: top-1 ${percent(top1)} (${correct} of ${testVideos}), ${when}\n`);
}

/** Counts averaged over seeds are not whole. */
const count = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(1));

function describeFoldsSummary(
  { by, labels, folds, mean, pooled, confusion, seeds, overSeeds }: FoldsSummary,
  views: Views,
): string {
  const bySeed = seeds.length > 1 ? seeds.map(({ seed }) => `seed ${seed}`) : [];
  const rows = folds.map((fold) => [
    ...[fold.fold, fold.count, count(fold.correct), percent(fold.top1), `${percent(fold.low)} to ${percent(fold.high)}`],
    ...(seeds.length > 1 ? fold.bySeed.map(percent) : []),
  ]);
  return [
    `${by}, views ${views.clips}x${views.crops}\n`,
    textTable(['fold', 'clips', 'correct', 'top-1', '95 % interval', ...bySeed], rows),
    `mean over folds  ${meanText(mean, `${folds.length} folds`)}`,
    `all clips        ${shareText(pooled)}`,
    ...seeds.flatMap((seed) => (seeds.length > 1 ? [`seed ${seed.seed}`.padEnd(17) + seedText(seed)] : [])),
    ...(seeds.length > 1 ? [`mean over seeds  ${meanText(overSeeds, `${seeds.length} seeds`)}`] : []),
    '',
    confusionText(labels, confusion),
  ].join('\n');
}

function seedText({ mean, pooled }: FoldsSummary['seeds'][number]): string {
  return `mean over folds ${percent(mean.mean)}, all clips ${percent(pooled.top1)}`;
}

function shareText({ correct, count: clips, top1, low, high }: Share): string {
  return `${percent(top1)} (${count(correct)} of ${clips}; 95 % interval ${percent(low)} to ${percent(high)})`;
}

/** The t interval of a share is clamped to 0 ... 100 %. */
function meanText({ mean, deviation, low, high, count: values }: MeanInterval, of: string): string {
  if (low === null || high === null || deviation === null) return percent(mean);
  const interval = `${percent(Math.max(low, 0))} to ${percent(Math.min(high, 1))}`;
  return `${percent(mean)} (standard deviation ${percent(deviation)}; 95 % interval ${interval}, Student's t over ${of}, ${values - 1} degree${values === 2 ? '' : 's'} of freedom)`;
}
