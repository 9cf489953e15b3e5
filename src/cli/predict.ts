/**
 * `vmf predict VIDEO|FOLDER...`: labels short clips, segments long videos. Unreadable videos go to stderr (exit
 * code 2). With `--out` an interrupted run resumes.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import type { Views } from '../clip/clipView.js';
import { defaultCacheFolder } from '../dataset/diskBudget.js';
import { videosBelow } from '../dataset/folders.js';
import { listedParts } from '../dataset/listedParts.js';
import { isManifest } from '../dataset/manifest.js';
import { partKey, segmentName, type VideoPart } from '../dataset/videoPart.js';
import { DatasetError } from '../errors.js';
import type { Recogniser, ResultOptions } from '../inference/recogniser.js';
import { ResultFile, type ResultFileState, resultFormat, runName } from '../inference/resultFile.js';
import { type TimelineLog, type TimelineWindows, windowOf } from '../inference/slidingWindow.js';
import { TimelineFile } from '../inference/timelineFile.js';
import { abortable } from './abortable.js';
import {
  addMachineOptions,
  type MachineFlags,
  recogniserOptions,
  seconds,
  share,
  thresholdOption,
  thresholdsGiven,
  viewsOption,
  whole,
} from './arguments.js';
import { addWeightsOption, chosenWeights } from './chosenWeights.js';
import { bar, clock, ProgressLine } from './progressLine.js';
import { type PrintedAnswer, shownResult } from './resultRows.js';
import { type AnswerSink, csvSink, fileSink, jsonSink, textSink } from './resultSinks.js';

interface Flags extends MachineFlags {
  readonly weights?: string;
  readonly top: number;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly out?: string;
  readonly window?: number;
  readonly stride?: number;
  readonly timeline?: boolean;
  readonly views?: Views;
  readonly rejectThreshold?: number;
  readonly threshold?: number;
  readonly allowOutside?: boolean;
}

/** Windows from which a video gets a timeline. */
const longWindows = 3;

export function predictCommand(): Command {
  const command = new Command('predict')
    .description('name the action in videos: a label for a short clip, a timeline for a long one')
    .argument('<video...>', 'video files, folders of them, or lists of path[,start,end]');
  addWeightsOption(command)
    .option('--top <n>', 'labels a clip', whole(1), 5)
    .option('--timeline', `say what happens when (default for videos of ${longWindows} windows or more)`)
    .option('--no-timeline', 'one answer for the whole video, however long')
    .option('--window <sec>', 'window of a timeline (default: what a clip spanned in training, or 2)', seconds)
    .option('--stride <sec>', 'from one window to the next (default: half a window)', seconds)
    .option('--views <CLIPSxCROPS>', 'clips in time and crops (1 or 3) in space that are averaged (default: 1x1)', viewsOption)
    .option('--reject-threshold <score>', 'answers with a lower score are unknown (default: as stored with the weights)', share)
    .addOption(thresholdOption())
    .option('--out <file>', 'write to this .jsonl or .csv as answers come; if it is there, go on where it ends')
    .option('--allow-outside', 'let a list name files outside its own folder')
    .option('--csv', 'print as CSV: path,startSec,endSec,rank,label,score')
    .option('--json', 'print as JSON: an array with an object per video, in order');
  return addMachineOptions(command).action((paths: string[], flags: Flags) =>
    abortable('predict', (signal) => run(paths, flags, signal)),
  );
}

interface Asked {
  readonly videos: readonly VideoPart[];
  readonly folders: number;
  readonly otherFiles: number;
}

async function run(paths: readonly string[], flags: Flags, signal: AbortSignal): Promise<void> {
  if (flags.out !== undefined) resultFormat(flags.out);
  const asked = await askedFor(paths, flags, signal);
  const mode = asked.videos.length > 1 ? 'throughput' : 'latency';
  // Wrong options are reported without them.
  const [{ loadRecogniser }, { locateWeights }] = await Promise.all([
    import('../inference/fileRecogniser.js'),
    import('../weights/locateWeights.js'),
  ]);
  const weights = await locateWeights(await chosenWeights(flags.weights));
  const recogniser = await loadRecogniser(weights, {
    ...recogniserOptions(flags),
    ...thresholdsGiven(flags),
    mode,
    background: true,
  });
  const startMs = performance.now();
  try {
    const run = runOf(weights, flags);
    const { sink, before } = openSink(run, flags);
    const todo = asked.videos.filter(({ path, segment }) => !before?.done.has(segmentName(path, segment)));
    const log = timelineFile(run, flags, asked.videos);
    const failed = await predict(recogniser, todo, flags, sink, { log, signal });
    log.remove();
    const seconds = (performance.now() - startMs) / 1000;
    if (asked.folders > 0 || before) process.stderr.write(summary(asked, todo.length, { seconds, failed, before }));
    if (failed + (before?.failedBefore ?? 0) > 0) process.exitCode = 2;
  } finally {
    await recogniser.close();
  }
}

/** Lists the videos of folders and lists. Rejects with a DatasetError for one without any. */
async function askedFor(paths: readonly string[], { decoder, allowOutside }: Flags, signal: AbortSignal): Promise<Asked> {
  let [folders, otherFiles] = [0, 0];
  const videos: VideoPart[] = [];
  for (const path of paths) {
    if (isManifest(path) && statSync(path, { throwIfNoEntry: false })?.isFile()) {
      videos.push(...(await listedParts(path, { allowOutside, decoder, signal })));
      folders++;
    } else if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      const below = videosBelow(path);
      if (below.paths.length === 0)
        throw new DatasetError(`no video in this folder (${below.otherFiles} files of other kinds)`, { path });
      folders++;
      otherFiles += below.otherFiles;
      videos.push(...below.paths.map((below) => ({ path: below })));
    } else videos.push({ path });
  }
  return { videos, folders, otherFiles };
}

/** The name of these weights with these options. */
function runOf(weights: string, flags: Flags): string {
  const { top, timeline, window, stride, views } = flags;
  const changed = { ...(views && { views }), ...thresholdsGiven(flags) };
  return runName(readFileSync(weights), { top, timeline, window, stride, ...changed });
}

/** Where scores of a long video are kept until it is done: beside the results, or among the system's caches. */
function timelineFile(run: string, { out }: Flags, videos: readonly VideoPart[]): TimelineFile {
  const name = createHash('sha256')
    .update(JSON.stringify([run, ...videos.map(({ path, segment }) => partKey({ path: resolve(path), segment }))]))
    .digest('hex');
  const path = out === undefined ? join(defaultCacheFolder(), 'timelines', `${name.slice(0, 20)}.partial`) : `${out}.partial`;
  const onResume = (film: TimelineWindows, knownSec: number) =>
    process.stderr.write(`vmf: ${film.path}: goes on at ${clock(knownSec)} of ${clock(film.durationSec)}\n`);
  return new TimelineFile({ path, run, onResume });
}

function openSink(run: string, { out, json, csv }: Flags): { readonly sink: AnswerSink; readonly before?: ResultFileState } {
  if (out !== undefined) {
    const format = resultFormat(out);
    const file = ResultFile.open(out, run);
    return { sink: fileSink(file, format), before: file.state };
  }
  return { sink: json ? jsonSink() : csv ? csvSink() : textSink };
}

/** Returns the number of unreadable videos. */
async function predict(
  recogniser: Recogniser,
  videos: readonly VideoPart[],
  flags: Flags,
  sink: AnswerSink,
  { log, signal }: { readonly log: TimelineLog; readonly signal: AbortSignal },
): Promise<number> {
  const line = new ProgressLine();
  let [done, failed] = [0, 0];
  try {
    for await (const found of recogniser.results(videos, { ...answerOptions(recogniser, flags, line, log), signal })) {
      const answer = shownResult(found, videos[done]?.segment);
      line.clear();
      tell(answer);
      sink.add(answer);
      if ('error' in answer) failed++;
      done++;
      if (flags.out !== undefined) line.show(`${bar(done / videos.length)} ${done} of ${videos.length} videos`);
    }
  } finally {
    line.clear();
  }
  sink.close();
  return failed;
}

function answerOptions(recogniser: Recogniser, flags: Flags, line: ProgressLine, log: TimelineLog): ResultOptions {
  const { top, timeline, window: windowSec, stride: strideSec } = flags;
  const longSec = longWindows * (windowSec ?? windowOf(recogniser.preprocess));
  const onProgress = (doneSec: number, ofSec: number) =>
    line.show(`${bar(doneSec / ofSec)} ${clock(doneSec)} of ${clock(ofSec)}`);
  return {
    ...flags.views,
    ...{ top, timelineFromSec: timeline === undefined ? longSec : timeline ? 0 : Infinity },
    timeline: { onProgress, log, ...(windowSec !== undefined && { windowSec }), ...(strideSec !== undefined && { strideSec }) },
  };
}

function tell(answer: PrintedAnswer): void {
  if ('error' in answer) process.stderr.write(`vmf: ${answer.path}: ${answer.error}\n`);
  else if (answer.truncated !== undefined) {
    process.stderr.write(`warning: ${answer.path}: truncated: ${answer.truncated}; what is there was used\n`);
  }
}

interface Outcome {
  readonly seconds: number;
  readonly failed: number;
  readonly before: ResultFileState | undefined;
}

function summary(asked: Asked, count: number, { seconds, failed, before }: Outcome): string {
  const rate = count > 0 ? ` (${(count / seconds).toFixed(1)} videos/s)` : '';
  const parts = [`${count} ${count === 1 ? 'video' : 'videos'} in ${seconds.toFixed(1)} s${rate}`];
  if (failed > 0) parts.push(`${failed} of them could not be read`);
  const known = asked.videos.length - count;
  const failedBefore = before?.failedBefore ?? 0;
  if (known > 0) parts.push(`${known} done before${failedBefore > 0 ? ` (${failedBefore} could not be read)` : ''}`);
  if (asked.otherFiles > 0) parts.push(`${asked.otherFiles} files without a video's ending passed over`);
  return `vmf: ${parts.join('; ')}\n`;
}
