/** Renders a report as one self-contained HTML page: no scripts, requests or fonts. Computes no results. */
import { wilsonInterval } from '../metrics/metrics.js';
import { classTable } from './classTable.js';
import { confusionFigure } from './confusionFigure.js';
import { contactStrips } from './contactStrip.js';
import { type Html, type HtmlValue, html } from './html.js';
import { candidateTable, learningCurves } from './learningCurves.js';
import { multiLabelTable } from './multiLabelTable.js';
import { commandList, factList, noteList, renderPage, section } from './page.js';
import { compositionTable, recipeLists } from './recipeSection.js';
import type { CorrectCount, ReportAccuracy, ReportData, ReportFact } from './reportData.js';
import { duration, grouped, percent, scaled } from './reportText.js';

export type * from './reportData.js';

/** The page as text. The same data gives the same page. Throws `ConfigError` for a frame that is not a picture in a data URI. */
export function renderReport(data: ReportData): string {
  return renderPage(
    data.title,
    html`<header>
<h1>${data.title}</h1>
${data.lead && html`<p class="lead">${data.lead}</p>`}
${headline(data)}${facts(data)}${noteList(data.notes ?? [])}
</header>
<main>
${filled(data.epochs) && section('Learning', learning(data))}
${filled(data.clips) && section('Clips', contactStrips(data.clips ?? [], data.metrics?.count))}
${data.metrics && section('Confusion matrix', confusionFigure(data.metrics))}
${data.metrics && section('Classes', classTable(data.metrics))}
${data.multiLabel && section('Classes', multiLabelTable(data.multiLabel))}
${filled(data.recipe) && section('Recipe', recipeLists(data.recipe ?? []))}
${data.composition && section('Data', compositionTable(data.composition))}
${filled(data.cost) && section('Time and cost', factList(data.cost ?? []))}
${filled(data.said) && section('Said in training', noteList(data.said ?? []))}
${filled(data.commands) && section('To repeat this', commandList(data.commands ?? []))}
</main>`,
  );
}

function learning({ epochs = [], bestEpoch, candidates = [], multiLabel }: ReportData): Html {
  const probe = candidates.find(({ tunedShare }) => tunedShare === 0);
  const keptEpoch = bestEpoch ?? (probe?.kept ? 0 : undefined);
  return html`${learningCurves(epochs, keptEpoch, probe, multiLabel !== undefined)}${filled(candidates) && candidateTable(candidates)}`;
}

/** For templates: true for a non-empty list. */
function filled(items: readonly unknown[] | undefined): true | undefined {
  return items && items.length > 0 ? true : undefined;
}

function headline({ accuracy, multiLabel, run }: ReportData): Html {
  const items: Html[] = [];
  const add = (name: string, value: string, ...small: HtmlValue[]) =>
    items.push(html`<div><dt>${name}</dt><dd>${value}</dd>${small.map((line) => html`<dd>${line}</dd>`)}</div>\n`);
  if (accuracy) {
    add('Top-1', ...accuracyLines(accuracy.top1));
    if (accuracy.top1Pairs) add('Top-1, reversed pairs', ...accuracyLines(accuracy.top1Pairs));
    else if (accuracy.meanClassAccuracy !== undefined)
      add('Mean class accuracy', percent(accuracy.meanClassAccuracy), 'each class weighs the same');
  }
  if (multiLabel) {
    const share = (value: number | null) => (value === null ? '–' : percent(value));
    add('mAP', share(multiLabel.map), 'mean average precision of the classes');
    add('F1', share(multiLabel.microF1), `mean of the classes ${share(multiLabel.macroF1)}`);
    add('Exact', percent(multiLabel.exactMatch), 'clips with all labels right');
  }
  if (run?.testClips !== undefined) add(run.testName ?? 'Test clips', grouped(run.testClips), ...trainedOn(run.trainClips));
  if (run?.seconds !== undefined) add('Time', duration(run.seconds), run.secondsNote ?? 'from start to end');
  return items.length > 0 ? html`<dl class="headline">${items}</dl>` : html``;
}

function accuracyLines({ correct, count }: CorrectCount): [string, string, string] {
  const { low, high } = wilsonInterval(correct, count);
  const range = `${(low * 100).toFixed(1)} to ${percent(high)}`;
  return [percent(correct / count), `${grouped(correct)} of ${grouped(count)} clips`, `95\u202f% interval ${range}`];
}

function trainedOn(trainClips: number | undefined): string[] {
  return trainClips === undefined ? [] : [`trained on ${grouped(trainClips)} others`];
}

function facts({ accuracy, model, run, kept }: ReportData): Html {
  const rows: ReportFact[] = [
    ['Model', model?.name],
    ['Parameters', model?.parameters === undefined ? undefined : grouped(model.parameters)],
    ['Multiply-adds', model?.macs === undefined ? undefined : `${scaled(model.macs)} a view`],
    ['View', viewText(model)],
    ['Weights', model?.weightsPath],
    ['Kept', kept],
    ...accuracyFacts(accuracy),
    ['Validation', run?.valClips === undefined ? undefined : `${grouped(run.valClips)} clips`],
    ['Data', run?.data],
    ['Seed', run?.seed],
    ['Machine', run?.machine],
    ['Date', run?.date],
    ['Version', run?.version],
  ];
  return factList(rows);
}

function accuracyFacts(accuracy: ReportAccuracy | undefined): [string, string][] {
  const out: [string, string][] = [];
  if (accuracy?.top5 !== undefined) out.push(['Top-5', percent(accuracy.top5)]);
  if (accuracy?.top1Pairs && accuracy.meanClassAccuracy !== undefined)
    out.push(['Class mean', percent(accuracy.meanClassAccuracy)]);
  return out;
}

function viewText({
  frames,
  height,
  width,
}: NonNullable<ReportData['model']> | Record<string, undefined> = {}): string | undefined {
  if (frames === undefined || height === undefined || width === undefined) return undefined;
  return `${frames} ${frames === 1 ? 'frame' : 'frames'} of ${height} × ${width}`;
}
