/** `vmf demo`: generate, train, test, predict, and one page of results. */

import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { type DemoEvent, type DemoResult, runDemo } from '../demo/demo.js';
import { percent } from '../metrics/percent.js';
import type { TemporalPlan } from '../models/model.js';
import { defaultNetwork } from '../models/registry.js';
import { abortable } from './abortable.js';
import { bar, clock, ProgressLine } from './progressLine.js';
import { wholeNumber } from './recipeFlags.js';
import { tell } from './train.js';

interface Flags {
  readonly out: string;
  readonly model: string;
  readonly temporal: TemporalPlan;
  readonly epochs?: number;
  readonly train?: number;
  readonly test?: number;
  readonly seed?: number;
  readonly json?: boolean;
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('generate clips of human actions, learn them, test, recognise, and write report.html and summary.json')
    .option('--out <dir>', 'folder for clips, weights and the report', 'demo')
    .option('--model <name>', 'a name that `vmf info` lists', defaultNetwork)
    .addOption(
      new Option('--temporal <plan>', 'depthwise kernels that are 3 long in time')
        .choices(['all', 'late', 'none'])
        .default('all'),
    )
    .option('--epochs <n>', 'passes over the training clips (default: 7)', wholeNumber('epochs'))
    .option('--train <n>', 'training clips (default: 960)', wholeNumber('train'))
    .option('--test <n>', 'test clips (default: 240)', wholeNumber('test'))
    .option('--seed <n>', 'another seed, other clips and weights (default: 0)', wholeNumber('seed'))
    .option('--json', 'print the summary as JSON')
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const line = new ProgressLine();
  const { out, model, temporal, epochs, train, test, seed } = flags;
  try {
    const result = await abortable('demo', (signal) =>
      runDemo({
        out,
        model,
        temporal,
        ...(epochs !== undefined && { epochs }),
        ...(train !== undefined && { trainClips: train }),
        ...(test !== undefined && { testClips: test }),
        ...(seed !== undefined && { seed }),
        signal,
        onEvent: (event) => show(event, line),
      }),
    );
    line.clear();
    process.stdout.write(flags.json ? `${JSON.stringify(result.summary, null, 2)}\n` : describe(result));
  } finally {
    line.clear();
  }
}

function show(event: DemoEvent, line: ProgressLine): void {
  if (event.kind === 'train') tell(event.event, line);
  else if (event.kind === 'progress') line.show(`${event.what} ${bar(event.done / event.of)} ${event.done}/${event.of}`);
  else {
    line.clear();
    process.stderr.write(`${event.stage} ...\n`);
  }
}

function describe({ summary, reportPath, summaryPath, weightsPath }: DemoResult): string {
  const stages = Object.entries(summary.stages).map(([stage, seconds]) => `${stage} ${clock(seconds)}`);
  return [
    `top-1 ${percent(summary.top1)}, on the reversed pairs ${percent(summary.top1Pairs)}; ${summary.testClips} test clips never seen`,
    `${summary.model}, ${summary.trainClips} training clips, ${summary.epochs} epochs; ${clock(summary.seconds)} in all (${stages.join(', ')})`,
    `weights: ${resolve(weightsPath)}`,
    `summary: ${resolve(summaryPath)}`,
    `report:  ${resolve(reportPath)}`,
    '',
  ].join('\n');
}
