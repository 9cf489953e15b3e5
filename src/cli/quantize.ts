/** `vmf quantize`: weights as an int8 model, and the loss of accuracy. */

import { Command, InvalidArgumentError, Option } from 'commander';
import { readDataset } from '../dataset/dataset.js';
import { videosOf } from '../dataset/labelledVideos.js';
import { evaluateDataset } from '../inference/evaluate.js';
import { loadRecogniser } from '../inference/fileRecogniser.js';
import type { Metrics } from '../metrics/metrics.js';
import { percent } from '../metrics/percent.js';
import type { Distance } from '../quantize/activationRanges.js';
import { leastChannels } from '../quantize/layers.js';
import { type QuantizeSummary, quantizeWeights } from '../quantize/quantizeWeights.js';
import type { DecoderChoice } from '../video/types.js';
import { abortable } from './abortable.js';
import { whole } from './arguments.js';
import { bar, ProgressLine } from './progressLine.js';
import { jsonText, textTable } from './textTable.js';

/** Flags shared with `vmf export --int8`. */
export interface QuantizeFlags {
  readonly weights: string;
  readonly calibrate: string;
  readonly out: string;
  readonly clips?: number;
  readonly test?: string;
  readonly maxDivergence?: number;
  readonly minChannels?: number;
  readonly seed?: number;
  readonly allowOutside?: boolean;
  readonly decoder?: DecoderChoice;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function quantizeCommand(): Command {
  return new Command('quantize')
    .description(
      'int8 weights for `vmf predict` and `vmf eval` and any ONNX Runtime: calibrated on your clips, accuracy before and after',
    )
    .requiredOption('--weights <file>', 'weights that `vmf train` wrote, or pretrained ones by name')
    .requiredOption('--calibrate <data>', 'a data set; its training clips are used, their labels are not')
    .requiredOption('--out <file>', 'the model to write (ONNX)')
    .option('--clips <n>', 'clips to calibrate on, and as many others to check with', whole(1), 64)
    .option('--test <data>', 'measure top-1 before and after on the test split of this data set')
    .option('--max-divergence <nats>', 'how far answers may move before sensitive layers stay in float', divergence, 0.01)
    .option('--min-channels <n>', 'narrower layers stay in float, where they are as fast', whole(1), leastChannels)
    .option('--seed <n>', 'of the split, when the data has none: as in training (default: 0)', whole(0))
    .option('--allow-outside', 'let a list name files outside its own folder')
    .addOption(new Option('--decoder <name>', 'what reads the videos').choices(['auto', 'node-av', 'ffmpeg']).default('auto'))
    .option('--force', 'replace a file that is there')
    .option('--json', 'print as JSON')
    .action((flags: QuantizeFlags) => abortable('quantize', (signal) => quantizeAndReport(flags, signal)));
}

function divergence(text: string): number {
  const value = /^\d*\.?\d+(e-?\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0)) throw new InvalidArgumentError('Expected a number from 0, such as 0.01.');
  return value;
}

/** Quantises, measures, and prints both. */
export async function quantizeAndReport(flags: QuantizeFlags, signal: AbortSignal): Promise<void> {
  const { weights, calibrate, out, clips, maxDivergence, minChannels, decoder = 'auto', force = false } = flags;
  const data = dataOptions(flags);
  if (flags.test !== undefined) videosOf(await readDataset(flags.test, data), 'test'); // before minutes of work
  const line = new ProgressLine();
  const onProgress = (what: string, done: number, of: number) => line.show(`${what} ${bar(done / of)} ${done}/${of}`);
  try {
    const summary = await quantizeWeights(weights, calibrate, out, {
      ...{ ...data, decoder, force, onProgress, signal },
      ...(clips !== undefined && { clips }),
      ...(maxDivergence !== undefined && { maxDivergence }),
      ...(minChannels !== undefined && { minChannels }),
    });
    const tested = flags.test === undefined ? undefined : await beforeAndAfter(flags, flags.test, onProgress, signal);
    line.clear();
    process.stdout.write(flags.json ? jsonText({ ...summary, ...tested }) : describe(summary, tested));
  } finally {
    line.clear();
  }
}

const dataOptions = ({ seed, allowOutside = false }: QuantizeFlags) => ({ allowOutside, ...(seed !== undefined && { seed }) });

interface BeforeAndAfter {
  readonly before: Tested;
  readonly after: Tested;
}

type Tested = Pick<Metrics, 'count' | 'correct' | 'top1'> & { readonly seconds: number };

async function beforeAndAfter(
  flags: QuantizeFlags,
  test: string,
  onProgress: (what: string, done: number, of: number) => void,
  signal: AbortSignal,
): Promise<BeforeAndAfter> {
  const videos = videosOf(await readDataset(test, dataOptions(flags)), 'test');
  const tested = async (weights: string, what: string): Promise<Tested> => {
    const recogniser = await loadRecogniser(weights, { decoder: flags.decoder ?? 'auto' });
    try {
      const started = performance.now();
      const options = { signal, onProgress: (done: number, of: number) => onProgress(`testing ${what}`, done, of) };
      const { count, correct, top1 } = (await evaluateDataset(recogniser, videos, options)).metrics;
      return { count, correct, top1, seconds: Number(((performance.now() - started) / 1000).toFixed(3)) };
    } finally {
      await recogniser.close();
    }
  };
  return { before: await tested(flags.weights, 'float'), after: await tested(flags.out, 'int8') };
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const nats = (value: number): string => value.toPrecision(2);

function describe(summary: QuantizeSummary, tested: BeforeAndAfter | undefined): string {
  const { path, bytes, model, methods, calibrated, checked } = summary;
  const rows = methods.map((each) => [each.method, nats(each.divergence), percent(each.agreement)]);
  const near = (what: string, { agreement, clips, divergence }: Distance & { readonly clips: number }) =>
    `${what}: same answer as float on ${percent(agreement)} of ${clips}, divergence ${nats(divergence)} nats`;
  return [
    `${path}: ${model} in int8, ${megabytes(bytes)}\n`,
    textTable(['ranges by', 'divergence, nats', 'same answer'], rows),
    ...layerLines(summary),
    near('calibration clips', calibrated),
    ...(checked ? [near('other clips', checked)] : []),
    ...(tested ? [accuracy(tested)] : []),
    '',
  ].join('\n');
}

function layerLines({ method, layers }: QuantizeSummary): string[] {
  const tried = layers.flatMap(({ name, divergence, inFloat }) =>
    divergence === undefined ? [] : [{ name, divergence, inFloat }],
  );
  const sensitive = tried.filter(({ inFloat }) => inFloat).map(({ name }) => name);
  const worst = tried.toSorted((a, b) => b.divergence - a.divergence).slice(0, 5);
  const inFloat = [
    ...(tried.length < layers.length ? [`${layers.length - tried.length} too narrow to gain`] : []),
    ...(sensitive.length > 0 ? [`too sensitive: ${sensitive.join(', ')}`] : []),
  ];
  const rest = inFloat.length > 0 ? `; in float: ${inFloat.join('; ')}` : '';
  const whole = tried.length - sensitive.length;
  return [
    `ranges by ${method}; ${whole} of ${layers.length} 1x1 convolutions in int8${rest}`,
    ...(worst.length > 0
      ? [`most sensitive: ${worst.map(({ name, divergence }) => `${name} ${nats(divergence)}`).join(', ')}`]
      : []),
  ];
}

function accuracy({ before, after }: BeforeAndAfter): string {
  const of = ({ correct, count, top1 }: Tested) => `${percent(top1)} (${correct} of ${count})`;
  return `top-1 before: ${of(before)}, after: ${of(after)}`;
}
