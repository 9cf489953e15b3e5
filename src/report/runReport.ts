import { networkCost } from '../models/cost.js';
import { composition } from './composition.js';
import { renderReport } from './report.js';
import type { ReportClip, ReportCommand, ReportData, ReportEpoch } from './reportData.js';
import { bestEpochOf, costOf, isBaseline, keptOf, machineOf, secondsOf, tunedShareOf } from './runCost.js';
import type { RunResult } from './runEvaluation.js';
import type { EpochRow, RunFiles } from './runFiles.js';
import { recipeOf } from './runRecipe.js';
import { shellLine } from './shellLine.js';

/** The page as text. `clips` are samples of what was tested. */
export function runPage(run: RunFiles, result: RunResult, clips: readonly ReportClip[]): string {
  return renderReport(runReport(run, result, clips));
}

export function runReport(run: RunFiles, result: RunResult, clips: readonly ReportClip[]): ReportData {
  const { best, bestPath, record } = run;
  const { parameters, macs } = networkCost(best.config);
  const metrics = result.evaluation?.metrics;
  const tested = metrics ?? result.multiLabel?.metrics;
  const machine = machineOf(record?.sessions.at(-1));
  const [date, version] = [record?.sessions.at(-1)?.startedAt.slice(0, 10), record?.sessions.at(-1)?.version];
  const seed = run.recipe?.['seed'] ?? best.notes['seed'];
  const trainClips = videoCount(run, result, 'train');
  const bestEpoch = bestEpochOf(run);
  const data = composition(run, result);
  return {
    title: `${best.config.name}, run ${run.name}`,
    lead: leadOf(run, result),
    ...(metrics && {
      accuracy: {
        top1: { correct: metrics.correct, count: metrics.count },
        ...{ top5: metrics.top5, meanClassAccuracy: metrics.meanClassAccuracy },
      },
      metrics,
    }),
    ...(result.multiLabel && { multiLabel: result.multiLabel.metrics }),
    model: {
      name: best.config.name,
      parameters,
      macs,
      frames: best.config.frames,
      height: best.config.height,
      width: best.config.width,
      weightsPath: bestPath,
    },
    run: {
      ...(tested && { testClips: tested.count, testName: result.split === 'val' ? 'Validation clips' : 'Test clips' }),
      ...(trainClips !== undefined && { trainClips }),
      ...{ seconds: secondsOf(run), secondsNote: record ? 'of training' : 'of training, in its epochs' },
      ...(result.dataPath !== undefined && { data: result.dataPath }),
      ...((typeof seed === 'number' || typeof seed === 'string') && { seed }),
      ...(machine !== undefined && { machine }),
      ...(date !== undefined && { date }),
      ...(version !== undefined && { version }),
    },
    epochs: run.rows.map(reportEpoch),
    ...(bestEpoch !== undefined && { bestEpoch }),
    candidates: record?.outcome?.candidates?.map((each) => ({ ...each, kept: each.tunedShare === tunedShareOf(run) })) ?? [],
    kept: keptOf(run),
    clips,
    recipe: recipeOf(run),
    ...(data && { composition: data }),
    cost: costOf(run),
    said: record?.sessions.flatMap(({ said = [] }) => said) ?? [],
    commands: commandsOf(run, result),
    notes: [...endNotes(run), ...result.notes],
  };
}

function leadOf(run: RunFiles, { split, evaluation, multiLabel }: RunResult): string {
  const epochs = run.rows.at(-1)?.epoch ?? 0;
  const { labels, config } = run.best;
  const isFixed = isBaseline(run);
  const learning = `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}${config.readout ? ' of fine-tuning from a linear probe' : ''}`;
  const how = isFixed ? 'A linear classifier on features of a network as it was' : learning;
  const learnt = `${how}, ${labels.length} classes.`;
  if (evaluation === undefined && multiLabel === undefined) return `${learnt} Nothing was tested for this page.`;
  if (split === 'test') return `${learnt} Tested on the split "test", which training never looks at.`;
  if (isFixed) return `${learnt} Tested on the validation clips, which the fit did not see.`;
  return `${learnt} Tested on the validation clips; the weights that did best on these very clips were kept, so expect a little less on new ones: --split test tells.`;
}

/** One epoch as the page wants it. */
export function reportEpoch({ epoch, values }: EpochRow): ReportEpoch {
  const {
    step: _,
    trainLoss,
    trainTop1,
    trainF1,
    valLoss,
    valTop1,
    valMap,
    rate,
    gradientNorm,
    clipsPerSec,
    seconds,
    ...more
  } = values;
  const [trainAccuracy, valAccuracy] = [trainF1 ?? trainTop1, valMap ?? valTop1];
  return {
    epoch,
    ...(trainLoss !== undefined && { trainLoss }),
    ...(trainAccuracy !== undefined && { trainAccuracy }),
    ...(valLoss !== undefined && { valLoss }),
    ...(valAccuracy !== undefined && { valAccuracy }),
    ...(rate !== undefined && { rate }),
    ...(gradientNorm !== undefined && { gradientNorm }),
    ...(clipsPerSec !== undefined && { clipsPerSec }),
    ...(seconds !== undefined && { seconds }),
    more,
  };
}

function videoCount({ record, best }: RunFiles, { data }: RunResult, split: 'train' | 'val'): number | undefined {
  if (record === undefined) return undefined;
  if (best.multiLabel) return data?.videos.filter((video) => video.split === split).length; // counts are of labels
  const leftOut = split === 'train' ? record.data.leftOut.length : 0;
  return record.data.counts.reduce((sum, row) => sum + row[split], 0) - leftOut;
}

function endNotes({ record }: RunFiles): string[] {
  const session = record?.sessions.at(-1);
  if (session === undefined || session.status === 'finished') return [];
  if (session.status === 'interrupted') return ['The run was interrupted and can be resumed; this is how far it came.'];
  if (session.status === 'failed') return [`The run failed: ${session.reason ?? 'no reason is recorded'}`];
  return ['The run is still going on, or was killed; this is how far it came.'];
}

function commandsOf(run: RunFiles, { split, dataPath }: RunResult): ReportCommand[] {
  const training = trainingCommand(run);
  return [
    ...(training === undefined ? [] : [{ what: 'the training', command: training }]),
    {
      what: 'the test alone',
      command: shellLine(['vmf', 'eval', dataPath ?? 'DATA', '--weights', run.bestPath, '--split', split]),
    },
    { what: 'this page', command: shellLine(['vmf', 'report', run.path, ...(split === 'test' ? ['--split', 'test'] : [])]) },
  ];
}

/** The command, or the call with these options; undefined if unrecorded. */
export function trainingCommand({ record, path }: RunFiles): string | undefined {
  if (record === undefined) return undefined;
  const typed = record.sessions[0]?.command;
  if (typed) return shellLine(['vmf', ...typed]);
  const { data, model, chosen, init } = record;
  const call = {
    data: data.path ?? data.root,
    out: path,
    model: model.name,
    ...(init !== undefined && { init }),
    options: chosen,
  };
  return `await train(${JSON.stringify(call, null, 2)});`;
}
