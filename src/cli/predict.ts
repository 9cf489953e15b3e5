/**
 * `vmf predict VIDEO... --weights FILE`: names the action in short clips, and says what happens when in long videos. A video that
 * cannot be read is told on stderr, the others are done, and the exit code is 2.
 */
import { Command } from 'commander';
import { faultOf } from '../dataset/fault.js';
import { inOrder } from '../dataset/inOrder.js';
import { windowOf } from '../recognise/longVideo.js';
import { loadRecogniser, type Prediction, type Recognised, type Recogniser } from '../recognise/recogniser.js';
import type { Segment } from '../scores/timeline.js';
import { abortable } from './abortable.js';
import { addMachineOptions, type MachineFlags, recogniserOptions, seconds, whole } from './arguments.js';
import { bar, clock, ProgressLine } from './progressLine.js';
import { csvTable, jsonText } from './textTable.js';

interface Flags extends MachineFlags {
  readonly weights: string;
  readonly top: number;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly window?: number;
  readonly stride?: number;
  readonly timeline?: boolean;
}

/** Videos of this many windows or more get a timeline. */
const longWindows = 3;

export function predictCommand(): Command {
  const command = new Command('predict')
    .description('name the action in videos: a label for a short clip, a timeline for a long one')
    .argument('<video...>', 'video files')
    .requiredOption('--weights <file>', 'weights that `vmf train` wrote')
    .option('--top <n>', 'labels a clip', whole(1), 5)
    .option('--timeline', `say what happens when (default for videos of ${longWindows} windows or more)`)
    .option('--no-timeline', 'one answer for the whole video, however long')
    .option('--window <sec>', 'window of a timeline (default: what a clip spanned in training, or 2)', seconds)
    .option('--stride <sec>', 'from one window to the next (default: half a window)', seconds)
    .option('--csv', 'print as CSV: path,startSec,endSec,rank,label,score')
    .option('--json', 'print as JSON: an array with an object per video, in order');
  return addMachineOptions(command).action((paths: string[], flags: Flags) =>
    abortable('predict', (signal) => run(paths, flags, signal)),
  );
}

interface Timed {
  readonly path: string;
  readonly durationSec: number;
  readonly windowSec: number;
  readonly strideSec: number;
  readonly segments: readonly Omit<Segment, 'labelIndex'>[];
  readonly truncated?: string;
}

interface Named {
  readonly path: string;
  readonly durationSec: number;
  readonly predictions: readonly Prediction[];
  readonly truncated?: string;
}

interface Failed {
  readonly path: string;
  readonly error: string;
}

type Answer = Named | Timed | Failed;

async function run(paths: readonly string[], flags: Flags, signal: AbortSignal): Promise<void> {
  const recogniser = await loadRecogniser(flags.weights, { ...recogniserOptions(flags), background: true });
  const line = new ProgressLine();
  const answers: Answer[] = [];
  try {
    for await (const answer of answersOf(recogniser, paths, flags, line, signal)) {
      line.clear();
      tell(answer);
      answers.push(answer);
      if (!flags.json && !flags.csv && !('error' in answer)) process.stdout.write(describe(answer));
    }
  } finally {
    line.clear();
    await recogniser.close();
  }
  if (flags.json) process.stdout.write(jsonText(answers));
  else if (flags.csv) process.stdout.write(csvOf(answers));
  if (answers.some((answer) => 'error' in answer)) process.exitCode = 2;
}

/** Several videos under way at once, in order. */
async function* answersOf(
  recogniser: Recogniser,
  paths: readonly string[],
  flags: Flags,
  line: ProgressLine,
  signal: AbortSignal,
): AsyncGenerator<Answer> {
  const one = (path: string, leaving: AbortSignal) => answerOf(recogniser, path, flags, line, leaving);
  for await (const [path, outcome] of inOrder(paths, recogniser.workers + 2, one, signal)) {
    if ('value' in outcome) yield outcome.value;
    else yield { path, error: reasonOf(path, outcome.error) };
  }
}

/** What is wrong with this file; anything else is thrown. */
function reasonOf(path: string, error: unknown): string {
  const reason = faultOf(path, error);
  if (reason === undefined) throw error;
  return reason;
}

async function answerOf(
  recogniser: Recogniser,
  path: string,
  flags: Flags,
  line: ProgressLine,
  signal: AbortSignal,
): Promise<Answer> {
  if (!(await wantsTimeline(recogniser, path, flags, signal)))
    return named(await recogniser.recognise(path, { top: flags.top, signal }));
  const { window: windowSec, stride: strideSec } = flags;
  const onProgress = (doneSec: number, ofSec: number) =>
    line.show(`${path} ${bar(doneSec / ofSec)} ${clock(doneSec)} of ${clock(ofSec)}`);
  const timeline = await recogniser.timeline(path, {
    ...{ onProgress, signal },
    ...(windowSec !== undefined && { windowSec }),
    ...(strideSec !== undefined && { strideSec }),
  });
  return {
    ...timeline,
    durationSec: micro(timeline.durationSec),
    segments: timeline.segments.map(({ labelIndex: _, ...segment }) => segment),
  };
}

function named({ scores: _, durationSec, path, ...rest }: Recognised): Named {
  return { path, durationSec: micro(durationSec), ...rest };
}

/** Seconds without the noise of binary fractions. */
const micro = (sec: number): number => Math.round(sec * 1e6) / 1e6;

async function wantsTimeline(recogniser: Recogniser, path: string, flags: Flags, signal: AbortSignal): Promise<boolean> {
  if (flags.timeline !== undefined) return flags.timeline;
  const { durationSec } = await recogniser.facts(path, signal);
  return durationSec >= longWindows * (flags.window ?? windowOf(recogniser.preprocess));
}

/** What goes to stderr in every format. */
function tell(answer: Answer): void {
  if ('error' in answer) process.stderr.write(`vmf: ${answer.path}: ${answer.error}\n`);
  else if (answer.truncated !== undefined) {
    process.stderr.write(`warning: ${answer.path}: truncated: ${answer.truncated}; what is there was used\n`);
  }
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`.padStart(7);
const at = (sec: number): string => sec.toFixed(2).padStart(8);

function describe(answer: Named | Timed): string {
  const title = `${answer.path}  (${answer.durationSec.toFixed(2)} s`;
  if ('predictions' in answer) {
    return `${title})\n${answer.predictions.map(({ label, score }) => `  ${percent(score)}  ${label}\n`).join('')}`;
  }
  const { windowSec, strideSec, segments } = answer;
  const lines = segments.map(
    ({ startSec, endSec, label, score }) => `  ${at(startSec)} s to ${at(endSec)} s  ${percent(score)}  ${label}\n`,
  );
  return `${title}, windows of ${short(windowSec)} s every ${short(strideSec)} s)\n${lines.join('')}`;
}

const short = (value: number): string => String(Number(value.toFixed(3)));

function csvOf(answers: readonly Answer[]): string {
  const rows = answers.flatMap((answer): (string | number)[][] => {
    if ('error' in answer) return [];
    if ('segments' in answer) {
      return answer.segments.map(({ startSec, endSec, label, score }) => [answer.path, startSec, endSec, 1, label, score]);
    }
    return answer.predictions.map(({ label, score }, i) => [answer.path, 0, answer.durationSec, i + 1, label, score]);
  });
  return csvTable(['path', 'startSec', 'endSec', 'rank', 'label', 'score'], rows);
}
