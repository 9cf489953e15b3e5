/** `vmf convert IN OUT`: annotations of one labelling program to another's. Losses are said before anything is written. */
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { counted } from '../annotations/films.js';
import { annotationFormats } from '../annotations/formats.js';
import { describeLosses } from '../annotations/reduce.js';
import { type Conversion, planConversion } from '../dataset/convert.js';
import { some } from '../dataset/some.js';
import { ConfigError, DatasetError } from '../errors.js';
import { type AnnotationFlags, addAnnotationOptions, annotationChoices } from './annotationFlags.js';
import { storeFiles } from './storeFiles.js';
import { jsonText } from './textTable.js';

interface Flags extends AnnotationFlags {
  readonly to?: string;
  readonly lossy?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function convertCommand(): Command {
  const command = new Command('convert')
    .description('convert labelled moments of films from one program to another; what cannot be kept is said first')
    .argument('<in>', 'a file of a labelling program, or a folder of such files, one a film')
    .argument('<out>', 'the file to write, or a folder for formats of a file a film')
    .option('--to <format>', 'format to write (default: by the name of the output)');
  return addAnnotationOptions(command)
    .option('--lossy', 'write even when whole moments cannot be kept')
    .option('--force', 'replace files that are there')
    .option('--json', 'print what was done as JSON')
    .addHelpText('after', () => `\nFormats:\n${formatLines()}`)
    .action((input: string, output: string, flags: Flags) => run(input, output, flags));
}

const formatLines = (): string =>
  annotationFormats
    .map(
      ({ name, title, read, write }) =>
        `  ${name.padEnd(16)}${title} (${[read && 'read', write && 'write'].filter(Boolean).join(', ')})`,
    )
    .join('\n');

async function run(input: string, output: string, { to, around, lossy, force, json, ...flags }: Flags): Promise<void> {
  const choices = {
    ...annotationChoices(flags),
    ...(to !== undefined && { to }),
    ...(around !== undefined && { aroundSec: around }),
  };
  const plan = await planConversion(input, output, choices);
  const losses = describeLosses(plan.losses, plan.to.title);
  if (lossy !== true) refuseLostMoments(plan, losses);
  if (force !== true) refuseOverwriting(plan);
  for (const note of plan.notes) process.stderr.write(`note: ${note}\n`);
  if (losses !== undefined) process.stderr.write(`lost: ${losses}\n`);
  await storeFiles(plan.files);
  process.stdout.write(json ? jsonText(summaryOf(plan)) : `${described(plan, output)}\n`);
}

function refuseLostMoments({ losses }: Conversion, described: string | undefined): void {
  if (!losses.some(({ moments }) => moments)) return;
  const advice = [
    losses.some(({ what }) => what === 'points') ? '; --around SEC gives points a width' : '',
    losses.some(({ what }) => what === 'moments without end') ? '; --videos FOLDER looks up where their films end' : '',
  ];
  throw new DatasetError(`${described}: nothing was written; --lossy writes the rest${advice.join('')}`);
}

function refuseOverwriting({ files }: Conversion): void {
  const there = files.map(({ path }) => path).filter((path) => existsSync(path));
  if (there.length > 0) throw new ConfigError(`${some(there)}: already there; --force replaces`);
}

const summaryOf = ({ to, films, moments, labels, notes, losses, files }: Conversion) => ({
  ...{ to: to.name, films, moments, labels, notes, losses },
  files: files.map(({ path }) => path),
});

const described = ({ to, films, moments, labels, files }: Conversion, output: string): string =>
  `${output}: ${counted(films, 'films')}, ${counted(moments, 'moments')} of ${counted(labels.length, 'classes')}, as ${to.title}` +
  (files.length > 1 ? ` in ${files.length} files` : '');
