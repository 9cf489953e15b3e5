/** `vmf check DATA`: reads every video and reports problems; exit code 1 if any. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { checkDataset, type DatasetReport, type Problem } from '../dataset/check.js';
import type { ClassCounts, Count, Spread } from '../dataset/checkSummary.js';
import { readDataset } from '../dataset/dataset.js';
import type { RowFilter } from '../dataset/rowFilter.js';
import type { DecoderChoice } from '../video/types.js';
import { filterOption } from './arguments.js';
import { addDataOptions, type DataFlags, dataChoices } from './dataOptions.js';

interface CheckFlags extends DataFlags {
  readonly json?: boolean;
  readonly decoder: DecoderChoice;
  readonly workers?: number;
  readonly filter?: readonly RowFilter[];
  readonly allowOutside?: boolean;
}

/** `print` takes the report; standard output by default. */
export function checkCommand(print: (text: string) => void = (text) => process.stdout.write(text)): Command {
  const command = new Command('check')
    .description('read every video of a data set and report what is there and what is wrong with it')
    .argument(
      '<data>',
      'folder of class folders, folder of train/val/test folders, or a list (.csv, .tsv, .jsonl: path,label[,split])',
    )
    .option('--json', 'print the report as JSON')
    .addOption(new Option('--decoder <name>', 'what reads the videos').choices(['auto', 'node-av', 'ffmpeg']).default('auto'))
    .option('--workers <count>', 'videos read at once', wholeNumber)
    .addOption(filterOption())
    .option('--allow-outside', 'let a list name files outside its own folder');
  return addDataOptions(command).action(async (path: string, flags: CheckFlags) => {
    const report = await run(path, flags);
    print(flags.json ? `${JSON.stringify(report, null, 2)}\n` : `${describe(report)}\n`);
    if (report.problems.length > 0) process.exitCode = 1;
  });
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number from 1.');
  return value;
}

async function run(path: string, flags: CheckFlags): Promise<DatasetReport> {
  const { filter, allowOutside = false } = flags;
  const options = { keepMissing: true, allowOutside, ...(filter && { filter }), ...dataChoices(flags) };
  const data = await readDataset(path, options, { decoder: flags.decoder });
  const { stderr } = process;
  const onProgress = (done: number, of: number) => {
    if (stderr.isTTY) stderr.write(done < of ? `\rreading ${done}/${of}` : '\r\x1b[K');
  };
  const size = flags.workers === undefined ? {} : { size: flags.workers };
  return checkDataset(data, { decoder: flags.decoder, onProgress, ...size });
}

function describe(report: DatasetReport): string {
  const { problems, warnings, notes } = report;
  const verdict = problems.length === 0 ? 'no problems' : `${problems.length} problem${problems.length === 1 ? '' : 's'}`;
  return [
    `${report.root}: ${report.source}, ${report.classes.length} classes, ${report.videos} videos, split ${report.splitBy}`,
    '',
    ...table(['class', 'train', 'val', 'test', 'all'], classRows(report.classes)),
    '',
    ...facts(report),
    ...segmentLines(report),
    ...section('note', notes),
    ...section('warning', warnings),
    ...section('problem', problems.map(problemLine)),
    '',
    `${report.readable} of ${report.videos} videos can be read; ${verdict}`,
  ].join('\n');
}

function classRows(classes: readonly ClassCounts[]): string[][] {
  const row = (label: string, train: number, val: number, test: number) => [
    label,
    ...[train, val, test, train + val + test].map(String),
  ];
  const sum = (split: 'train' | 'val' | 'test') => classes.reduce((total, counts) => total + counts[split], 0);
  return [
    ...classes.map(({ label, train, val, test }) => row(label, train, val, test)),
    row('all', sum('train'), sum('val'), sum('test')),
  ];
}

function table(header: readonly string[], rows: readonly string[][]): string[] {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  );
}

function facts(report: DatasetReport): string[] {
  if (report.readable === 0) return [];
  return [
    `length  ${spread(report.lengthSec, 2)} s, ${(report.totalSec / 60).toFixed(1)} min in all`,
    `frames  ${spread(report.frames, 0)}`,
    `fps     ${counts(report.frameRates)}`,
    `size    ${counts(report.sizes)}`,
    `codec   ${counts(report.codecs)}`,
  ];
}

function segmentLines({ segments }: DatasetReport): string[] {
  if (segments === undefined) return [];
  const { films, filmSec, labelledSec, overlapSec, classes } = segments;
  const overlap = overlapSec > 0 ? `, ${minutes(overlapSec)} of it more than once` : '';
  const rows = classes.map(({ label, segments: count, lengthSec: { least, median, most } }) => {
    return [label, String(count), ...[least, median, most].map((sec) => sec.toFixed(2))];
  });
  return [
    `segments ${segments.segments} of ${films} film${films === 1 ? '' : 's'}: ${minutes(labelledSec)} of ${minutes(filmSec)}${overlap}`,
    '',
    ...table(['class', 'segments', 'shortest s', 'median s', 'longest s'], rows),
  ];
}

const minutes = (sec: number): string => (sec < 120 ? `${sec.toFixed(1)} s` : `${(sec / 60).toFixed(1)} min`);

function spread({ least, median, most }: Spread, digits: number): string {
  return `${least.toFixed(digits)} to ${most.toFixed(digits)}, median ${median.toFixed(digits)}`;
}

function counts(of: readonly Count[]): string {
  const shown = of.slice(0, 4).map(({ value, videos }) => `${value} (${videos})`);
  return of.length > 4 ? `${shown.join(', ')} and ${of.length - 4} others` : shown.join(', ');
}

function section(name: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', ...lines.map((line) => `${name}: ${line}`)];
}

function problemLine({ name, split, kind, reason }: Problem): string {
  return reason.startsWith(kind) || kind === 'unreadable'
    ? `${name} (${split}): ${reason}`
    : `${name} (${split}): ${kind}: ${reason}`;
}
