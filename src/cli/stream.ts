/**
 * `vmf stream SOURCE --weights FILE`: live predictions on stdout, dropped frames and a summary on stderr. Ctrl-C ends it with
 * exit code 0.
 */

import { Command, InvalidArgumentError } from 'commander';
import { percent } from '../metrics/percent.js';
import { openStream, type StreamOptions, type StreamResult, type StreamSummary } from '../stream/openStream.js';
import type { ThroughputReport } from '../stream/throughputMonitor.js';
import { share, thresholdOption, whole } from './arguments.js';
import { addWeightsOption, chosenWeights } from './chosenWeights.js';
import { unknownText } from './resultRows.js';

interface Flags {
  readonly weights?: string;
  readonly hop?: number;
  readonly fps?: number;
  readonly smooth: number;
  readonly top: number;
  readonly rejectThreshold?: number;
  readonly threshold?: number;
  readonly threads?: number;
  readonly live?: boolean;
  readonly loop?: boolean;
  readonly json?: boolean;
}

export function streamCommand(): Command {
  const command = new Command('stream')
    .description("name what happens in a video, camera or network stream while it happens (needs the system's ffmpeg)")
    .argument('<source>', 'a video file, camera:0 or /dev/video0, rtsp://... or http(s)://..., - for standard input');
  return addWeightsOption(command, 'weights that `vmf train` wrote (those of a ...-causal network cost least)')
    .option('--hop <n>', 'frames from one answer to the next (default: half a window)', whole(1))
    .option('--fps <n>', 'frames a second that the network sees (default: as in training)', rate)
    .option('--smooth <n>', 'answers are the mean of the last n', whole(1), 1)
    .option('--top <n>', 'labels an answer', whole(1), 1)
    .option('--reject-threshold <score>', 'answers with a lower score are unknown (default: as stored with the weights)', share)
    .addOption(thresholdOption())
    .option('--threads <n>', 'threads of the network (default: one for a small network, else all cores)', whole(1))
    .option('--live', 'play a file at its own pace and drop frames that come too fast, as with a camera')
    .option('--loop', 'play a file again and again')
    .option('--json', 'print a JSON object an answer: timeSec, label, score, predictions, delayMs, dropped')
    .action(run);
}

function rate(text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value <= 1000)) throw new InvalidArgumentError('Expected frames a second above 0, at most 1000.');
  return value;
}

async function run(source: string, { weights: given, json = false, ...flags }: Flags): Promise<void> {
  const weights = await chosenWeights(given);
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  let warned = false;
  const onBehind = (report: ThroughputReport) => {
    if (!warned) process.stderr.write(`vmf: ${behind(report)}\n`);
    warned = true;
  };
  const options: StreamOptions = { ...flags, signal: stop.signal, onBehind };
  try {
    const results = openStream(weights, source, options);
    let next = await results.next();
    for (; !next.done; next = await results.next()) process.stdout.write(json ? jsonLine(next.value) : line(next.value));
    process.stderr.write(`${summary(next.value)}\n`);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

const behind = ({ usedPerSec, arrivedPerSec, delayMs }: ThroughputReport): string =>
  `cannot keep up: ${usedPerSec.toFixed(1)} of ${arrivedPerSec.toFixed(1)} frames/s; delay up to ${delayMs.toFixed(0)} ms; ` +
  'the others are dropped and counted. A lower --fps, a larger --hop or a smaller network helps';

function line({ timeSec, predictions, labels: there, unknown, delayMs, dropped }: StreamResult): string {
  const open = unknown ? `${unknownText(predictions[0])}   ` : there?.length === 0 ? 'nothing   ' : '';
  const shown = there ? predictions.filter(({ label }) => there.includes(label)) : predictions;
  const labels = shown.map(({ label, score }) => `${percent(score).padStart(7)}  ${label}`).join('   ');
  const lost = dropped > 0 ? `   dropped ${dropped}` : '';
  return `${timeSec.toFixed(2).padStart(8)} s  ${open}${labels}   delay ${delayMs.toFixed(0)} ms${lost}\n`;
}

function jsonLine({ timeSec, predictions, labels, unknown, delayMs, dropped }: StreamResult): string {
  const [best] = predictions;
  const numbers = { delayMs: Math.round(delayMs * 10) / 10, dropped };
  return `${JSON.stringify({ timeSec: Math.round(timeSec * 1e6) / 1e6, ...best, predictions, ...(labels && { labels }), ...(unknown && { unknown }), ...numbers })}\n`;
}

function summary({ source, seconds, framesUsed, dropped, results, delayMs, fps }: StreamSummary): string {
  const delays = results > 0 ? `, delay ${delayMs.median.toFixed(0)} ms (95 %: ${delayMs.p95.toFixed(0)} ms)` : '';
  const enough = results > 0 ? '' : '; too few frames for one answer';
  const perSec = (framesUsed / seconds).toFixed(1);
  return `${source}: ${framesUsed} frames at ${Number(fps.toFixed(3))}/s in ${seconds.toFixed(1)} s (${perSec}/s), ${dropped} dropped, ${results} answers${delays}${enough}`;
}
