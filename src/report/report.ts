/**
 * One HTML page about a run: its numbers, curves, sample clips with what was said about them, the confusion matrix, and the commands
 * to repeat it. Self-contained: no script, no request, no font; works from file://, in the dark, on a phone and on paper. Draws what
 * it is given and computes no result of its own.
 */
import { type Metrics, wilsonInterval } from '../scores/metrics.js';
import { confusionFigure } from './confusionFigure.js';
import { filmStrips } from './filmStrip.js';
import { Html, type HtmlValue, html } from './html.js';
import type { CorrectCount, ReportAccuracy, ReportCommand, ReportData, ReportEpoch } from './reportData.js';
import { reportStyle } from './reportStyle.js';
import { duration, grouped, percent, scaled } from './reportText.js';
import { lineChart } from './svgChart.js';

export type * from './reportData.js';

/** The page as text. The same data gives the same page. Throws `ConfigError` for a frame that is not a picture in a data URI. */
export function renderReport(data: ReportData): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="generator" content="video-mobile-former">
<title>${data.title}</title>
<style>${new Html(reportStyle)}</style>
</head>
<body>
<header>
<h1>${data.title}</h1>
${data.lead && html`<p class="lead">${data.lead}</p>`}
${headline(data)}${facts(data)}
${list(data.notes) && html`<ul class="notes">${data.notes?.map((note) => html`<li>${note}</li>`)}</ul>`}
</header>
<main>
${list(data.epochs) && section('Learning', curves(data.epochs ?? []))}
${list(data.clips) && section('Clips', filmStrips(data.clips ?? [], data.metrics?.count))}
${data.metrics && section('Confusion matrix', confusionFigure(data.metrics))}
${data.metrics && section('Classes', classTable(data.metrics))}
${list(data.commands) && section('To repeat this', commandList(data.commands ?? []))}
</main>
</body>
</html>
`;
  return page.markup;
}

/** True for a list with something in it, undefined otherwise, as templates want it. */
function list(items: readonly unknown[] | undefined): true | undefined {
  return items && items.length > 0 ? true : undefined;
}

function section(heading: string, content: Html): Html {
  return html`<section>\n<h2>${heading}</h2>\n${content}\n</section>`;
}

/** The few large numbers. */
function headline({ accuracy, run }: ReportData): Html {
  const items: Html[] = [];
  const add = (name: string, value: string, ...small: HtmlValue[]) =>
    items.push(html`<div><dt>${name}</dt><dd>${value}</dd>${small.map((line) => html`<dd>${line}</dd>`)}</div>\n`);
  if (accuracy) {
    add('Top-1', ...accuracyLines(accuracy.top1));
    if (accuracy.top1Pairs) add('Top-1, reversed pairs', ...accuracyLines(accuracy.top1Pairs));
    else if (accuracy.meanClassAccuracy !== undefined)
      add('Mean class accuracy', percent(accuracy.meanClassAccuracy), 'each class weighs the same');
  }
  if (run?.testClips !== undefined) add('Test clips', grouped(run.testClips), ...trainedOn(run.trainClips));
  if (run?.seconds !== undefined) add('Time', duration(run.seconds), 'from start to end');
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

/** The small print: everything needed to know what the numbers are of. */
function facts({ accuracy, model, run }: ReportData): Html {
  const rows: [string, string | number | undefined][] = [
    ['Model', model?.name],
    ['Parameters', model?.parameters === undefined ? undefined : grouped(model.parameters)],
    ['Multiply-adds', model?.macs === undefined ? undefined : `${scaled(model.macs)} a view`],
    ['View', viewText(model?.frames, model?.size)],
    ['Weights', model?.weightsPath],
    ...accuracyFacts(accuracy),
    ['Validation', run?.valClips === undefined ? undefined : `${grouped(run.valClips)} clips`],
    ['Data', run?.data],
    ['Seed', run?.seed],
    ['Machine', run?.machine],
    ['Date', run?.date],
    ['Version', run?.version],
  ];
  const shown = rows.filter(([, value]) => value !== undefined);
  if (shown.length === 0) return html``;
  return html`<dl class="facts">${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`;
}

function accuracyFacts(accuracy: ReportAccuracy | undefined): [string, string][] {
  const out: [string, string][] = [];
  if (accuracy?.top5 !== undefined) out.push(['Top-5', percent(accuracy.top5)]);
  if (accuracy?.top1Pairs && accuracy.meanClassAccuracy !== undefined)
    out.push(['Class mean', percent(accuracy.meanClassAccuracy)]);
  return out;
}

function viewText(frames: number | undefined, size: number | undefined): string | undefined {
  if (frames === undefined || size === undefined) return undefined;
  return `${frames} ${frames === 1 ? 'frame' : 'frames'} of ${size} × ${size}`;
}

function curves(epochs: readonly ReportEpoch[]): Html {
  const line = (name: string, style: 'lineA' | 'lineB', of: (epoch: ReportEpoch) => number | undefined) => {
    const points = epochs.flatMap((epoch) => {
      const y = of(epoch);
      return y === undefined ? [] : [{ x: epoch.epoch, y }];
    });
    return points.length > 0 ? [{ name, style, points }] : [];
  };
  const accuracies = [...line('training', 'lineA', (e) => e.trainAccuracy), ...line('validation', 'lineB', (e) => e.valAccuracy)];
  const losses = [...line('training', 'lineA', (e) => e.trainLoss), ...line('validation', 'lineB', (e) => e.valLoss)];
  const axis = { xLabel: 'epoch' };
  return html`<div class="charts">
${losses.length > 0 ? lineChart(losses, { ...axis, title: 'Loss', format: (value) => trimmed(value) }) : ''}
${accuracies.length > 0 ? lineChart(accuracies, { ...axis, title: 'Accuracy', format: (value) => percent(value, 0), yAtLeast: [0, 1] }) : ''}
</div>
${epochTable(epochs)}`;
}

function trimmed(value: number): string {
  return value === 0 ? '0' : value.toFixed(Math.abs(value) < 10 ? 2 : 0);
}

function epochTable(epochs: readonly ReportEpoch[]): Html {
  const loss = (value: number | undefined) => (value === undefined ? '–' : value.toFixed(4));
  const share = (value: number | undefined) => (value === undefined ? '–' : percent(value));
  const rows = epochs.map(
    (e) => html`<tr><th scope="row">${e.epoch}</th><td>${loss(e.trainLoss)}</td><td>${share(e.trainAccuracy)}</td>
<td>${loss(e.valLoss)}</td><td>${share(e.valAccuracy)}</td></tr>\n`,
  );
  return html`<details><summary>Every epoch as numbers</summary><div class="scroll" role="region" aria-label="Every epoch" tabindex="0">
<table class="list"><thead><tr><th scope="col">Epoch</th><th scope="col">Training loss</th><th scope="col">Training accuracy</th>
<th scope="col">Validation loss</th><th scope="col">Validation accuracy</th></tr></thead><tbody>${rows}</tbody></table></div></details>`;
}

/** Classes with the weakest first; those without test clips last. */
function classTable({ perClass }: Metrics): Html {
  const sorted = [...perClass].sort((a, b) => (a.recall ?? 2) - (b.recall ?? 2) || (a.precision ?? 2) - (b.precision ?? 2));
  const rate = (value: number | null) => (value === null ? '–' : percent(value));
  const rows = sorted.map(
    ({
      label,
      count,
      correct,
      recall,
      precision,
    }) => html`<tr><th scope="row"><bdi>${label}</bdi></th><td>${correct} of ${count}</td>
<td>${rate(precision)}</td><td>${rate(recall)}</td><td class="meter"><span style="--share:${(recall ?? 0).toFixed(3)}"></span></td></tr>\n`,
  );
  return html`<div class="scroll" role="region" aria-label="Classes" tabindex="0"><table class="list">
<caption>The weakest first. Precision: how many of the clips given this label are of the class. Recall: how many of the class were recognised.</caption>
<thead><tr><th scope="col">Class</th><th scope="col">Right</th><th scope="col">Precision</th><th scope="col">Recall</th><td class="meter"></td></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

function commandList(commands: readonly ReportCommand[]): Html {
  return html`<ol class="commands">${commands.map(
    ({ what, command }) => html`<li>${what && html`<span class="muted">${what}</span>`}<pre><code>${command}</code></pre></li>\n`,
  )}</ol>`;
}
