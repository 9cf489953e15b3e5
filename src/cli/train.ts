/** `vmf train DATA --out RUN`: trains on labelled videos. */

import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { FrameShape } from '../clip/clipShape.js';
import { type Preprocess, resizes } from '../clip/preprocess.js';
import type { RowFilter } from '../dataset/rowFilter.js';
import { segmentName } from '../dataset/videoPart.js';
import { ConfigError } from '../errors.js';
import { type PixelRange, pixelRanges } from '../inference/onnxPixels.js';
import { percent } from '../metrics/percent.js';
import type { TemporalPlan } from '../models/model.js';
import { defaultNetwork } from '../models/registry.js';
import { averageName } from '../train/finetune/keptWeights.js';
import { type TrainJob, type TrainJobEvent, type TrainSummary, train } from '../train/train.js';
import type { EpochMetrics } from '../train/trainer.js';
import type { DecoderChoice } from '../video/types.js';
import { filterOption, frameSize } from './arguments.js';
import { addDataOptions, type DataFlags, dataChoices } from './dataOptions.js';
import { readConfig } from './info.js';
import { bar, clock, ProgressLine } from './progressLine.js';
import { addRecipeOptions, decimal, type RecipeFlags, recipeChoices, wholeNumber } from './recipeFlags.js';
import { addFoldsOptions, type FoldsFlags, refuseFoldsOptions, runFolds } from './trainFolds.js';
import { runBaseline } from './trainProbe.js';

interface Flags extends FoldsFlags, RecipeFlags, DataFlags {
  readonly out?: string;
  readonly model?: string;
  readonly temporal?: TemporalPlan;
  readonly config?: string;
  readonly init?: string;
  readonly unlabelled?: string;
  readonly teacher?: string;
  readonly resume?: boolean;
  readonly baseline?: boolean;
  readonly pixels?: PixelRange;
  readonly features?: string;
  readonly teacherSize?: FrameShape;
  readonly seed?: number;
  readonly frames?: number;
  readonly size?: FrameShape;
  readonly resize?: Preprocess['resize'];
  readonly start?: number;
  readonly flip: boolean;
  readonly threads?: number;
  readonly workers?: number;
  readonly decoder: DecoderChoice;
  readonly cache: string | boolean;
  readonly filter?: readonly RowFilter[];
  readonly allowOutside?: boolean;
}

export function trainCommand(): Command {
  const command = new Command('train')
    .description('learn a network from labelled videos')
    .argument('<data>', 'folder per class, train/val/test folders of class folders, or a CSV/TSV/JSONL list (path,label,split)')
    .option('--out <run>', 'folder for checkpoints (last, best) and metrics.jsonl (default: a new one under runs/)')
    .option('--model <name>', `a name that \`vmf info\` lists (default: ${defaultNetwork}, or that of --init)`)
    .addOption(
      new Option('--temporal <plan>', 'blocks whose kernels are 3 long in time (with --model)').choices(['all', 'late', 'none']),
    )
    .option('--config <file>', 'a configuration of your own as JSON, instead of --model')
    .option(
      '--init <weights>',
      'start from a file, from pretrained weights by name, from `default`, the pretrained ones of the network, or from `none`; with --baseline also any ONNX network',
    )
    .option('--unlabelled <data>', 'learn from these videos too, which have no labels: a folder, or a list of path[,start,end]')
    .option('--teacher <file>', "learn from this network's answers too: weights, also by name, or an ONNX model")
    .option('--baseline', 'fit only a linear classifier on features of the network as it is, in seconds; use with --init')
    .addOption(
      new Option(
        '--pixels <range>',
        "how an ONNX network of other origin scales its pixels (default: as its metadata says, else imagenet: ImageNet's mean and deviation)",
      ).choices([...pixelRanges]),
    )
    .option('--features <name>', 'the output of such a network that holds its features (default: chosen by name, and said)')
    .option(
      '--teacher-size <HxW>',
      "pixels at which such a teacher sees the clips (default: its graph's, or those of the network)",
      frameSize,
    )
    .option('--resume', 'continue the run in --out exactly where it stopped')
    .option('--frames <n>', "frames of a clip (default: the network's)", wholeNumber('frames'))
    .option(
      '--size <HxW>',
      "frames' height and width in pixels, one number for a square (default: what suits the videos)",
      frameSize,
    )
    .addOption(
      new Option(
        '--resize <how>',
        'fit shows the whole frame with bars, crop its middle, stretch presses it in (default: crop or fit, by the videos)',
      ).choices([...resizes]),
    )
    .option('--start <sec>', 'sample each video from this second on (default: 0)', decimal('start'))
    .option('--no-flip', 'never mirror clips: for labels that tell left from right')
    .option(
      '--val-share <share>',
      'part of train that becomes val when the data has none (default: 0.1, with --folds 0)',
      decimal('val-share'),
    )
    .option('--threads <n>', 'threads of the network (default: the cores, at most 8)', wholeNumber('threads'))
    .option('--workers <n>', 'threads that read videos (default: the cores, at most 4)', wholeNumber('workers'))
    .addOption(new Option('--decoder <name>', 'what reads the videos').choices(['auto', 'node-av', 'ffmpeg']).default('auto'))
    .option('--cache <folder>', "where decoded clips are kept (default: the system's place for caches)")
    .option('--no-cache', 'keep decoded clips in memory only')
    .addOption(filterOption())
    .option('--allow-outside', 'let a list name files outside its own folder')
    .option('--json', 'print the summary as JSON');
  return addFoldsOptions(addRecipeOptions(addDataOptions(command))).action((data: string, flags: Flags) => run(data, flags));
}

async function run(data: string, flags: Flags): Promise<void> {
  refuseFoldsOptions(flags);
  const line = new ProgressLine();
  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(130); // a second Ctrl-C does not wait
    line.clear();
    process.stderr.write('stopping after this step; press again to stop at once\n');
    stop.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    const job: TrainJob = { ...jobOf(data, flags), onEvent: (event) => tell(event, line), signal: stop.signal };
    if (flags.folds !== undefined) {
      if (await runFolds(job, flags.folds, flags, line)) process.exitCode = 130;
      return;
    }
    if (flags.baseline) {
      if (flags.teacher !== undefined) throw new ConfigError('--baseline fits a readout to labels; leave out --teacher');
      await runBaseline(job, flags, line);
      return;
    }
    const summary = await train(job);
    line.clear();
    process.stdout.write(flags.json ? `${JSON.stringify(summary, null, 2)}\n` : describe(summary));
    if (summary.interrupted) process.exitCode = 130;
  } finally {
    line.clear();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/** Passes on given flags only, since a resumed run accepts no others. */
function jobOf(data: string, flags: Flags): TrainJob {
  if (flags.resume && flags.out === undefined) throw new ConfigError('--resume needs --out, the run to continue');
  if (flags.model !== undefined && flags.config !== undefined) throw new ConfigError('--model and --config exclude each other');
  if (flags.temporal !== undefined && flags.config !== undefined)
    throw new ConfigError('--config says its own temporal kernels; leave out --temporal');
  const model = flags.config === undefined ? flags.model : readConfig(flags.config);
  const options = recipeChoices({ ...flags });
  const preprocess = given<Partial<Preprocess>>({
    frames: flags.frames,
    ...flags.size,
    resize: flags.resize,
    startSec: flags.start,
    flip: flags.flip ? undefined : false,
  });
  const dataset = given<NonNullable<TrainJob['dataset']>>({
    valShare: flags.valShare,
    seed: flags.seed,
    allowOutside: flags.allowOutside,
    filter: flags.filter,
    ...dataChoices(flags),
  });
  return {
    data,
    out: flags.out ?? newRunFolder(data),
    command: process.argv.slice(2),
    decoder: flags.decoder,
    ...(dataset && { dataset }),
    ...(options && { options }),
    ...(flags.recipe !== undefined && { recipe: flags.recipe === 'none' ? (false as const) : flags.recipe }),
    ...(preprocess && { preprocess }),
    ...(model !== undefined && { model }),
    ...(flags.temporal !== undefined && { temporal: flags.temporal }),
    ...(flags.init !== undefined && { init: flags.init }),
    ...(flags.unlabelled !== undefined && { unlabelled: flags.unlabelled }),
    ...(flags.teacher !== undefined && { teacher: flags.teacher }),
    ...(flags.pixels !== undefined && { pixels: flags.pixels }),
    ...(flags.features !== undefined && { features: flags.features }),
    ...(flags.teacherSize !== undefined && { teacherSize: flags.teacherSize }),
    ...(flags.resume && { resume: true }),
    ...(flags.threads !== undefined && { threads: flags.threads }),
    ...(flags.workers !== undefined && { workers: flags.workers }),
    ...(typeof flags.cache === 'string' && { cacheFolder: flags.cache }),
    ...(flags.cache === false && { cacheFolder: false }),
  };
}

/** runs/DATA, or the first free runs/DATA-2, ... */
function newRunFolder(data: string): string {
  const name = basename(resolve(data)).replace(/\.[^.]*$/, '');
  for (let number = 1; ; number++) {
    const path = join('runs', number === 1 ? name : `${name}-${number}`);
    if (!existsSync(path)) return path;
  }
}

function given<T extends object>(values: { [K in keyof T]?: T[K] | undefined }): T | undefined {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as T);
}

/** Shows one event of a run: what lasts as lines on stderr, what passes in the progress line. */
export function tell(event: TrainJobEvent, line: ProgressLine): void {
  switch (event.kind) {
    case 'reading':
      line.show(`reading videos ${bar(event.done / event.of)} ${event.done}/${event.of}`);
      return;
    case 'step': {
      const { epoch, batch, batches, loss, clipsPerSec, secondsLeft } = event;
      const speed = `${clipsPerSec.toFixed(1)} clips/s, ${clock(secondsLeft)} left`;
      line.show(`epoch ${epoch} ${bar(batch / batches)} loss ${loss.toFixed(3)}, ${seenText(event.top1, event.f1)}, ${speed}`);
      return;
    }
    case 'epoch':
      line.clear();
      process.stderr.write(`${epochLine(event.metrics, event.best)}\n`);
      return;
    default:
      line.clear();
      process.stderr.write(`${event.kind}: ${event.message}\n`);
  }
}

/** How right the network is on training clips: with several labels at once F1 at score 0.5. */
const seenText = (top1: number | undefined, f1: number | undefined): string =>
  f1 === undefined ? `top-1 ${percent(top1 ?? Number.NaN)}` : `F1 ${percent(f1)}`;

function epochLine(m: EpochMetrics, best: boolean): string {
  const quality = m.valMap === undefined ? `top-1 ${percent(m.valTop1 ?? Number.NaN)}` : `mAP ${percent(m.valMap)}`;
  const val = m.valLoss === undefined ? '' : `, val loss ${m.valLoss.toFixed(3)}, val ${quality}`;
  const speed = `${m.clipsPerSec.toFixed(1)} clips/s`;
  return `epoch ${m.epoch}: loss ${m.trainLoss.toFixed(3)}, ${seenText(m.trainTop1, m.trainF1)}${val}, ${speed}${best ? ', best' : ''}`;
}

/** An epoch, or what came of the probe and the last epoch. */
function keptText({ bestEpoch, tunedShare }: TrainSummary): string {
  return tunedShare === undefined && bestEpoch > 0 ? `epoch ${bestEpoch}` : averageName(tunedShare ?? 0);
}

function interruptedText({ lastPath }: TrainSummary): string {
  return existsSync(lastPath)
    ? `interrupted: vmf train DATA --out RUN --resume continues from ${lastPath}`
    : 'interrupted: nothing was stored; the same command begins anew';
}

function describe(summary: TrainSummary): string {
  const { config, labels, trainVideos, valVideos, leftOut, bestTop1, bestMap, interrupted } = summary;
  const quality = bestMap === undefined ? bestTop1 : bestMap;
  const lines = [`${config.name}: ${labels.length} classes, ${trainVideos} training videos, ${valVideos} for validation`];
  if (leftOut.length > 0)
    lines.push(
      `${leftOut.length} training videos left out: ${leftOut.map(({ path, segment }) => segmentName(path, segment)).join(', ')}`,
    );
  const measure = bestMap === undefined ? 'top-1' : 'mAP';
  if (quality !== undefined) lines.push(`best: ${summary.bestPath} (${keptText(summary)}, val ${measure} ${percent(quality)})`);
  else if (!interrupted) lines.push(`best: ${summary.bestPath} (no validation videos: the last epoch)`);
  if (interrupted) lines.push(interruptedText(summary));
  return `${lines.join('\n')}\n`;
}
