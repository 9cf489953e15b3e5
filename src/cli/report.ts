/** `vmf report RUN...`: an HTML page about one run, or several compared. */

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { ConfigError } from '../errors.js';
import { type Metrics, wilsonInterval } from '../metrics/metrics.js';
import { percent } from '../metrics/percent.js';
import { type ComparedRun, comparedRuns, differencesOf, disagreements, pairTests, seedGroups } from '../report/compareRuns.js';
import { comparisonPage, mostRuns } from '../report/comparisonPage.js';
import { pageMark } from '../report/page.js';
import { secondsOf } from '../report/runCost.js';
import { evaluateRun, type RunResult } from '../report/runEvaluation.js';
import { type RunFiles, readRun } from '../report/runFiles.js';
import { runPage } from '../report/runReport.js';
import { picturesOf, sampleClips } from '../report/sampleClips.js';
import { writeFileAtomically } from '../weights/files.js';
import { abortable } from './abortable.js';
import { type AnnotationFlags, addAnnotationOptions, annotationOptions } from './annotationFlags.js';
import { addMachineOptions, type MachineFlags, recogniserOptions } from './arguments.js';
import { bar, ProgressLine } from './progressLine.js';
import { jsonText } from './textTable.js';

interface Flags extends MachineFlags, AnnotationFlags {
  readonly out?: string;
  readonly data?: string;
  readonly split?: 'val' | 'test';
  readonly json?: boolean;
}

export function reportCommand(): Command {
  const command = new Command('report')
    .description(
      'a page (HTML) about a training run: curves, mistakes, classes, recipe, data, cost; or about several side by side',
    )
    .argument('<run...>', 'folders that `vmf train --out` made')
    .option('--out <file>', 'where the page goes (default: report.html in the run folder; for several runs, here)')
    .option('--data <data>', 'where the data is now (default: where it was in training)')
    .addOption(new Option('--split <name>', 'videos to test on (default: val)').choices(['val', 'test']))
    .option('--json', 'print the numbers as JSON');
  return addMachineOptions(addAnnotationOptions(command)).action((paths: readonly string[], flags: Flags) =>
    abortable('report', (signal) => run(paths, flags, signal)),
  );
}

const shownDisagreements = 24;

async function run(paths: readonly string[], flags: Flags, signal: AbortSignal): Promise<void> {
  if (paths.length > mostRuns) throw new ConfigError(`${paths.length} runs: expected at most ${mostRuns} on one page`);
  refuseTwice(paths);
  const out = flags.out ?? (paths.length === 1 ? join(paths[0] ?? '', 'report.html') : 'report.html');
  const runs: RunFiles[] = [];
  for (const path of paths) runs.push(await readRun(path));
  checkTarget(out);
  const results: { run: RunFiles; result: RunResult }[] = [];
  for (const each of runs) results.push({ run: each, result: await test(each, flags, signal) });
  const compared = comparedRuns(results);
  const many = compared.find(({ result }) => result.multiLabel !== undefined);
  if (many && compared.length > 1)
    throw new ConfigError('has several labels at once, and runs of such are shown one by one', { path: many.run.path });
  const [only] = results;
  const page = compared.length === 1 && only ? await single(only, flags, signal) : await several(compared, flags, signal);
  await writeFileAtomically(out, [new TextEncoder().encode(page)]);
  for (const { name, result } of compared) for (const note of result.notes) process.stderr.write(`note: ${name}: ${note}\n`);
  process.stdout.write(flags.json ? jsonText(asJson(compared, out)) : `${compared.map(line).join('')}report: ${out}\n`);
}

function refuseTwice(paths: readonly string[]): void {
  const twice = paths.find((path, i) => paths.some((other, k) => k < i && resolve(other) === resolve(path)));
  if (twice !== undefined) throw new ConfigError(`${twice}: is given twice; expected different runs`);
}

/** Checked before minutes of work; replaces only a page of this program. */
function checkTarget(path: string): void {
  const folder = dirname(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new ConfigError(`there is no folder ${folder}`, { path });
  const there = statSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isFile()) throw new ConfigError('is no file; expected a file to write', { path });
  if (there.size > 0 && !headOf(path).includes(pageMark))
    throw new ConfigError('is there already and no report of this program; choose another --out', { path });
}

function headOf(path: string): string {
  const bytes = Buffer.alloc(1000);
  const file = openSync(path, 'r');
  try {
    return bytes.toString('utf8', 0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}

async function test(run: RunFiles, flags: Flags, signal: AbortSignal): Promise<RunResult> {
  const line = new ProgressLine();
  const onProgress = (done: number, of: number) => line.show(`testing ${run.name} ${bar(done / of)} ${done}/${of}`);
  const { data, split } = flags;
  try {
    const choice = { data, split, ...annotationOptions(flags), recogniser: recogniserOptions(flags), onProgress, signal };
    return await evaluateRun(run, choice);
  } finally {
    line.clear();
  }
}

async function single(
  { run, result }: { run: RunFiles; result: RunResult },
  { decoder }: Flags,
  signal: AbortSignal,
): Promise<string> {
  const rows = result.evaluation?.rows ?? [];
  return runPage(run, result, await sampleClips(run.best.labels, rows, { decoder, signal }));
}

async function several(compared: readonly ComparedRun[], { decoder }: Flags, signal: AbortSignal): Promise<string> {
  const all = disagreements(compared);
  const shown = all.slice(0, shownDisagreements);
  const videos = shown.map(({ video }) => video);
  const pictures = await picturesOf(videos, { decoder, signal });
  const pictured = shown.map((each, i) => ({ ...each, frames: pictures[i] ?? [] }));
  return comparisonPage(compared, pictured, all.length);
}

function line({ name, result: { evaluation, multiLabel, split } }: ComparedRun): string {
  if (multiLabel) {
    const { map, count } = multiLabel.metrics;
    return `${name}: mAP ${map === null ? '-' : percent(map)} on ${split} (${count} videos)\n`;
  }
  if (!evaluation) return `${name}: not tested\n`;
  const { correct, count, top1 } = evaluation.metrics;
  const { low, high } = wilsonInterval(correct, count);
  return `${name}: top-1 ${percent(top1)} on ${split} (${correct} of ${count}; 95 % interval ${percent(low)} to ${percent(high)})\n`;
}

function asJson(compared: readonly ComparedRun[], out: string): object {
  const { tests } = pairTests(compared);
  const nameOf = (index: number) => compared[index]?.name;
  return {
    report: out,
    runs: compared.map(({ name, run, result }) => ({
      ...{ name, path: run.path, model: run.best.config.name, digest: run.digest, split: result.split, data: result.dataPath },
      ...(result.evaluation && { result: resultJson(result.evaluation.metrics) }),
      ...(result.multiLabel && { result: result.multiLabel.metrics }),
      ...{ epochs: run.rows.length, seconds: secondsOf(run), recipe: run.recipe, notes: result.notes },
    })),
    differences: compared.length > 1 ? differencesOf(compared) : [],
    seedGroups: seedGroups(compared).map(({ members, ...rest }) => ({ runs: members.map(nameOf), ...rest })),
    pairs: tests.map(({ first, second, ...rest }) => ({ first: nameOf(first), second: nameOf(second), ...rest })),
  };
}

function resultJson({ count, correct, top1, top5, meanClassAccuracy, confusion, perClass }: Metrics): object {
  return { count, correct, top1, interval: wilsonInterval(correct, count), top5, meanClassAccuracy, confusion, perClass };
}
