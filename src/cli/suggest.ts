/** `vmf suggest FILMS`: the moments whose labels would teach most, and the labels that look wrong. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { type Writer, writeAnnotations, writerFor, writerNamed } from '../annotations/formats.js';
import { describeLosses } from '../annotations/reduce.js';
import { secondsText } from '../annotations/time.js';
import { readDataset } from '../dataset/dataset.js';
import { videosBelow } from '../dataset/folders.js';
import { ConfigError, DatasetError } from '../errors.js';
import { percent } from '../metrics/percent.js';
import type { Suggestions } from '../suggest/suggest.js';
import { abortable } from './abortable.js';
import { type AnnotationFlags, addAnnotationOptions, annotationOptions } from './annotationFlags.js';
import { addMachineOptions, type MachineFlags, seconds, whole } from './arguments.js';
import { addWeightsOption } from './chosenWeights.js';
import { bar, ProgressLine } from './progressLine.js';
import { storeFiles } from './storeFiles.js';
import { jsonText, textTable } from './textTable.js';

interface Flags extends MachineFlags, AnnotationFlags {
  readonly weights?: string;
  readonly labelled?: string;
  readonly count: number;
  readonly window?: number;
  readonly out?: string;
  readonly to?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function suggestCommand(): Command {
  const command = new Command('suggest')
    .description('name the moments of films whose labels would teach most, and labels that look wrong')
    .argument('<video...>', 'films, short clips, or folders of them');
  addAnnotationOptions(addMachineOptions(addWeightsOption(command)))
    .option('--labelled <data>', 'what is labelled already: a list, annotations of a labelling program, or a folder per class')
    .option('--count <n>', 'moments to suggest', whole(1), 20)
    .option(
      '--window <sec>',
      'length of a moment (default: that of the labelled ones, or what a clip spanned in training)',
      seconds,
    )
    .option('--out <file>', 'write them as predictions, in the format of its name: .csv, or as --to says')
    .option('--to <format>', 'format of --out; `vmf convert --help` names them')
    .option('--force', 'replace --out when it is there')
    .option('--json', 'print as JSON')
    .action((paths: string[], flags: Flags) => abortable('suggest', (signal) => run(paths, flags, signal)));
  return command;
}

/** A film, or all below a folder, by absolute paths. */
function filmsAt(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [resolve(path)];
  const found = videosBelow(resolve(path)).paths;
  if (found.length === 0) throw new DatasetError('no video in this folder', { path });
  return [...found];
}

async function run(paths: readonly string[], flags: Flags, signal: AbortSignal): Promise<void> {
  const { out, count, window: windowSec, threads, workers, decoder } = flags;
  const format = out === undefined ? undefined : formatOf(out, flags);
  const films = paths.flatMap(filmsAt);
  const labelled =
    flags.labelled === undefined
      ? undefined
      : await readDataset(flags.labelled, { ignoreSplits: true, ...annotationOptions(flags) });
  const [{ suggest }, { suggestWeights }] = await Promise.all([
    import('../suggest/suggest.js'),
    import('../suggest/suggestWeights.js'),
  ]);
  const { weights, where, notes } = await suggestWeights(flags.weights, films);
  for (const note of notes) process.stderr.write(`vmf: ${note}\n`);
  const line = new ProgressLine();
  const warn = (message: string) => {
    line.clear();
    process.stderr.write(`warning: ${message}\n`);
  };
  const onProgress = (done: number, of: number) => line.show(`${bar(done / of)} ${done} of ${of} moments`);
  const job = {
    films,
    weights,
    where,
    labelled,
    count,
    windowSec,
    threads,
    workers,
    decoder,
    signal,
    onProgress,
    onWarning: warn,
  };
  const found = await suggest(job).finally(() => line.clear());
  if (out !== undefined && format) await store(found, out, format);
  process.stdout.write(flags.json ? jsonText(found) : describe(found, out));
}

function formatOf(out: string, { to, force = false }: Flags): Writer {
  if (existsSync(out) && !force) throw new ConfigError(`${out}: is there already; --force replaces it`);
  const format = to === undefined ? writerFor(out) : writerNamed(to);
  if (format) return format;
  throw new ConfigError(`${out}: its name tells no format; say which with --to`);
}

/** Films by their path from the folder of the output, so that it can be used as a list there. */
async function store(found: Suggestions, out: string, format: Writer): Promise<void> {
  const { asAnnotations } = await import('../suggest/asAnnotations.js');
  const named = (path: string) => relative(dirname(resolve(out)), path).replaceAll('\\', '/');
  const annotations = asAnnotations(found);
  const films = annotations.films.map((film) => ({ ...film, film: named(film.film) }));
  const { files, losses } = writeAnnotations(format, { ...annotations, films });
  const lost = describeLosses(losses, format.title);
  if (lost !== undefined) process.stderr.write(`lost: ${lost}\n`);
  await storeFiles(files.map(({ name, content }) => ({ path: join(out, name), content })));
}

function describe({ moments, doubtful, considered, windowSec, notes }: Suggestions, out: string | undefined): string {
  const rows = moments.map(({ path, startSec, endSec, label, score, uncertainty }, i) => [
    ...[String(i + 1), path, secondsText(startSec), secondsText(endSec)],
    ...[`${label} ${percent(score, 0)}`, uncertainty.toFixed(2)],
  ]);
  const doubts = doubtful.map(({ name, given, likely, likelyScore }) => [name, given, `${likely} ${percent(likelyScore, 0)}`]);
  return [
    `label next (of ${considered} moments of ${secondsText(windowSec)} s without label)`,
    textTable(['', 'film', 'start', 'end', 'perhaps', 'uncertainty'], rows),
    ...(doubts.length > 0 ? ['labels that look wrong', textTable(['', 'label', 'rather'], doubts)] : []),
    ...notes.map((note) => `note: ${note}\n`),
    ...(out === undefined ? [] : [`wrote ${out}\n`]),
  ].join('\n');
}
