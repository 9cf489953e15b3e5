/** `vmf explain VIDEO|DATA --weights FILE`: attention of the global tokens and the effect of ablating each. */
import { statSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { Command, Option } from 'commander';
import { isLabelFile } from '../dataset/annotationFiles.js';
import { readDataset } from '../dataset/dataset.js';
import { type Split, videosOf } from '../dataset/labelledVideos.js';
import { isManifest } from '../dataset/manifest.js';
import { ConfigError } from '../errors.js';
import { type DatasetExplanation, explainDataset, type NamedEffect } from '../explain/explainDataset.js';
import { explainVideo, type VideoExplanation } from '../explain/explainVideo.js';
import { wholePercent } from '../explain/heatmapRows.js';
import { type Blindness, blindnesses } from '../models/ablationGraph.js';
import { abortable } from './abortable.js';
import { addMachineOptions, type MachineFlags, whole } from './arguments.js';
import { addWeightsOption, chosenWeights } from './chosenWeights.js';
import { addDataOptions, type DataFlags, dataChoices } from './dataOptions.js';
import { bar, ProgressLine } from './progressLine.js';
import { jsonText, textTable } from './textTable.js';

interface Flags extends MachineFlags, DataFlags {
  readonly weights?: string;
  readonly out?: string;
  readonly blocks?: boolean;
  readonly video: boolean;
  readonly blind: Blindness;
  readonly split?: Split | 'all';
  readonly seed?: number;
  readonly allowOutside?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function explainCommand(): Command {
  const command = new Command('explain')
    .description(
      'what the global tokens look at in a video, as pictures and a video; or, over a data set, which token drives which class',
    )
    .argument('<video>', 'a video file; or a data set: a folder per class, or a CSV/TSV/JSONL list (path,label,split)');
  addWeightsOption(command)
    .option('--out <dir>', 'folder to write into (default: for a video its name with .explain, here; for a data set none)')
    .option('--blocks', 'a picture for each block too; over a data set: measure each block too')
    .option('--no-video', 'leave out attention.mp4')
    .addOption(new Option('--blind <with>', 'what a blind token finds').choices(blindnesses).default('average'))
    .addOption(new Option('--split <name>', 'of a data set (default: test)').choices(['test', 'val', 'train', 'all']))
    .option('--seed <n>', 'of the split, when the data has none: as in training (default: 0)', whole(0))
    .option('--allow-outside', 'let a list name files outside its own folder')
    .option('--force', 'replace files that are there')
    .option('--json', 'print as JSON');
  return addMachineOptions(addDataOptions(command)).action((path: string, flags: Flags) =>
    abortable('explain', (signal) => (isDataset(path) ? overDataset(path, flags, signal) : ofVideo(path, flags, signal))),
  );
}

const isDataset = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true || isManifest(path) || isLabelFile(path);

const machine = ({ decoder, threads, workers }: MachineFlags) => ({
  decoder,
  ...(threads !== undefined && { threads }),
  ...(workers !== undefined && { workers }),
});

async function ofVideo(path: string, flags: Flags, signal: AbortSignal): Promise<void> {
  const { blocks = false, video, blind: blindness, force = false } = flags;
  for (const name of ['split', 'seed', 'allowOutside'] as const) {
    if (flags[name] !== undefined)
      throw new ConfigError(
        `explain: ${path} is a video; --${name === 'allowOutside' ? 'allow-outside' : name} is for data sets`,
      );
  }
  const out = flags.out ?? `${basename(path, extname(path))}.explain`;
  const options = { out, blocks, video, blindness, force, signal, workers: 1 };
  const weights = await chosenWeights(flags.weights);
  const explanation = await explainVideo(weights, path, { ...machine(flags), ...options });
  if (explanation.truncated !== undefined)
    process.stderr.write(`warning: ${path}: truncated: ${explanation.truncated}; what is there was used\n`);
  process.stdout.write(flags.json ? jsonText(explanation) : describe(explanation));
}

function describe(explanation: VideoExplanation): string {
  const { video, weights, model, predictions, tokens, places, blindness, files, timesSec, leastOverlap, headReads, caveat } =
    explanation;
  const [best] = predictions;
  const rows = tokens.map(({ token, inBlocks, blind }) => [
    `token ${token}`,
    inBlocks ? wholePercent(inBlocks.halfOn) : '-',
    inBlocks?.motion === undefined ? '-' : inBlocks.motion.toFixed(1),
    ...becomes(blind),
  ]);
  const spots = places.map(({ name, attention: [first], blind, leastOverlap: alike }, i) => [
    name,
    first ? wholePercent(first.halfOn) : '-',
    first ? `${(timesSec[first.peak.frame] ?? 0).toFixed(2)} s` : '-',
    i === places.length - 1 && headReads === 'token 0' ? 'token 0 alone' : wholePercent(alike),
    ...becomes(blind),
  ]);
  const effect = [`${best?.label ?? ''} then`, 'answer', 'spoke for', 'spoke against'];
  const finds = blindness === 'average' ? 'the average of all positions' : 'nothing';
  return [
    `${video}: ${best?.label ?? ''} ${wholePercent(best?.score ?? 0)}, with ${weights} (${model})\n`,
    `each token blind in turn, everywhere (it finds ${finds} instead of what it looks for)`,
    textTable(['', 'half of it on', 'motion', ...effect], rows),
    `all tokens blind at one place; ${places.at(-1)?.name} is the last look before the head, which reads ${headReads === 'all' ? 'all tokens' : 'token 0 alone'}`,
    textTable(['', 'half of it on', 'most at', 'tokens overlap', ...effect], spots),
    caveat,
    `in the blocks any two tokens' maps overlap by at least ${wholePercent(leastOverlap)}\n`,
    ...files.map((file) => `wrote ${file}`),
    '',
  ].join('\n');
}

function becomes({ score, predicted, supports, suppresses }: VideoExplanation['tokens'][number]['blind']): string[] {
  const change = ({ label, evidence }: typeof supports) => `${label} ${signed(evidence)}`;
  return [wholePercent(score), predicted, change(supports), change(suppresses)];
}

const tenths = (share: number): string => `${(100 * share).toFixed(1)} %`;
const signed = (value: number): string => (value < 0 ? '' : '+') + value.toFixed(2);

async function overDataset(path: string, flags: Flags, signal: AbortSignal): Promise<void> {
  const { out, blocks = false, blind: blindness, force = false, split = 'test', seed, allowOutside = false } = flags;
  const weights = await chosenWeights(flags.weights);
  const options = { allowOutside, ...(seed !== undefined && { seed }), ...dataChoices(flags) };
  const data = await readDataset(path, options, { decoder: flags.decoder, signal });
  for (const note of data.notes) process.stderr.write(`note: ${note}\n`);
  const videos = split === 'all' ? data.videos : videosOf(data, split);
  const line = new ProgressLine();
  const onProgress = (done: number, of: number) => line.show(`watching ${bar(done / of)} ${done}/${of}`);
  const chosen = { blocks, blindness, force, signal, onProgress, ...(out !== undefined && { out }) };
  try {
    const explanation = await explainDataset(weights, videos, { ...machine(flags), ...chosen });
    line.clear();
    for (const { name, reason } of explanation.truncated)
      process.stderr.write(`warning: ${name}: truncated: ${reason}; what is there was used\n`);
    process.stdout.write(flags.json ? jsonText({ data: path, split, ...explanation }) : describeSet(path, split, explanation));
  } finally {
    line.clear();
  }
}

function describeSet(path: string, split: string, explanation: DatasetExplanation): string {
  const { subjects, classes, count, top1, weights, model, blindness, leastOverlap, caveat } = explanation;
  // Earlier places are in the first table, and in JSON by class.
  const shown = (name: string) => name.startsWith('token ') || name === subjects.at(-1)?.name;
  const cells = classes.map(({ label, count: clips, effects, driver }) => [
    label,
    clips,
    ...effects.filter(({ subject }) => shown(subject)).map(({ evidence, clear }) => `${signed(evidence)}${clear ? '*' : ' '}`),
    driver === undefined ? '-' : drives(driver),
  ]);
  const names = subjects.map(({ name }) => name).filter(shown);
  const finds = blindness === 'average' ? 'the average of all positions' : 'nothing';
  return [
    `${path}, split ${split}, ${count} clips with ${weights} (${model}): top-1 ${tenths(top1)}`,
    `who is blind finds ${finds}; in the blocks any two tokens' maps overlap by ${wholePercent(leastOverlap)} on average\n`,
    textTable(
      ['blind', 'top-1', 'evidence', 'half of it on', 'motion'],
      subjects.map((each) => [
        each.name,
        wholePercent(each.top1),
        numberOf(each.halfOn, wholePercent),
        numberOf(each.motion, (x) => x.toFixed(2)),
      ]),
    ),
    'evidence for the true class that goes when blind (logit against the mean logit, mean over the clips of the class;',
    '* more than two standard errors above 0, over 5 clips or more), and who drives the class: in how many clips evidence goes',
    textTable(['class', 'clips', ...names, 'driven by'], cells),
    caveat,
    ...explanation.files.map((file) => `wrote ${file}`),
    '',
  ].join('\n');
}

function drives({ subject, lower, count, lost, lostTo }: NamedEffect): string {
  const where = lostTo ? ` (${lostTo.count} to ${lostTo.label})` : '';
  return `${subject}: ${lower} of ${count} clips, ${lost} answers lost${where}`;
}

const numberOf = (value: number | undefined, show: (value: number) => string): string =>
  value === undefined ? '-' : show(value);
