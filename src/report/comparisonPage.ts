import { wilsonInterval } from '../metrics/metrics.js';
import { networkCost } from '../models/cost.js';
import {
  type ComparedRun,
  type Difference,
  type Disagreement,
  differencesOf,
  type PairTest,
  pairTests,
  seedGroups,
} from './compareRuns.js';
import { confusionFigure } from './confusionFigure.js';
import { contactStrip } from './contactStrip.js';
import { type Html, html } from './html.js';
import { compact, lineOf, powers } from './learningCurves.js';
import { factList, noteList, renderPage, section } from './page.js';
import type { ReportEpoch } from './reportData.js';
import { duration, grouped, percent, scaled } from './reportText.js';
import { bestEpochOf, costOf, isBaseline, keptOf, secondsOf } from './runCost.js';
import type { RunFiles } from './runFiles.js';
import { reportEpoch, trainingCommand } from './runReport.js';
import { type LineStyle, lineChart, type RunStyle } from './svgChart.js';

/** Most runs on a page: the number of distinct colours. */
export const mostRuns = 8;

/** A video on which the runs disagree, with frames. */
export interface PicturedDisagreement extends Disagreement {
  readonly frames: readonly string[];
}

/** The page as text. `of` is the number of all disagreements. */
export function comparisonPage(compared: readonly ComparedRun[], shown: readonly PicturedDisagreement[], of: number): string {
  const split = compared[0]?.result.split === 'test' ? 'test' : 'validation';
  const title = `${compared.length} runs side by side`;
  const names = compared.map(({ name }) => name);
  const differences = differencesOf(compared);
  return renderPage(
    title,
    html`<header>
<h1>${title}</h1>
<p class="lead">${lead(split)}</p>
${resultTable(compared)}${seeds(compared)}
${noteList([...warnings(compared), ...compared.flatMap(({ name, result }) => result.notes.map((note) => `${name}: ${note}`))])}
</header>
<main>
${section('More than chance?', chance(compared))}
${section('What differs', differenceTable(names, differences))}
${section('Learning', overlaidCurves(compared))}
${section('Classes', classComparison(compared))}
${shown.length > 0 ? section('Where they disagree', disagreementCards(names, shown, of)) : ''}
${section('Confusion matrices', html`${compared.map(matrix)}`)}
${section('Time and cost', html`${compared.map(cost)}`)}
${section('To repeat this', html`<ol class="commands">${compared.map(command)}</ol>`)}
</main>`,
  );
}

function lead(split: string): string {
  return split === 'test'
    ? 'Each run’s best weights on the split “test”, which training never looks at.'
    : 'Each run’s best weights on the validation clips. They were chosen by these clips, so expect a little less on new ones: --split test tells.';
}

const styles: readonly RunStyle[] = ['run0', 'run1', 'run2', 'run3', 'run4', 'run5', 'run6', 'run7'];
const styleOf = (index: number): RunStyle => styles[index % styles.length] ?? 'run0';

function swatch(index: number): Html {
  return html`<svg class="swatch" viewBox="0 0 18 8" aria-hidden="true"><path class="${styleOf(index)}" d="M1 4H17"/></svg>`;
}

const runName = (name: string, index: number): Html => html`${swatch(index)} <bdi>${name}</bdi>`;

/** Top-1 with confidence intervals on one scale. */
function resultTable(compared: readonly ComparedRun[]): Html {
  const intervals = compared.flatMap(({ result: { evaluation } }) =>
    evaluation ? [wilsonInterval(evaluation.metrics.correct, evaluation.metrics.count)] : [],
  );
  const low = Math.max(0, Math.floor(10 * Math.min(1, ...intervals.map((each) => each.low))) / 10);
  const rows = compared.map(({ name, run, result }, i) => {
    const { parameters, macs } = networkCost(run.best.config);
    return html`<tr><th scope="row">${runName(name, i)}</th>${accuracyCells(result, styleOf(i), low)}
<td>${bestEpoch(run)}</td><td>${scaled(parameters)}</td><td>${scaled(macs)}</td><td>${duration(secondsOf(run))}</td></tr>\n`;
  });
  return html`<div class="scroll" role="region" aria-label="Results" tabindex="0"><table class="list results">
<thead><tr><th scope="col">Run</th><th scope="col">Top-1</th><th scope="col">95\u202f% interval</th>
<td class="axis"><span>${percent(low, 0)}</span><span>100\u202f%</span></td><th scope="col">Class mean</th><th scope="col">Best epoch</th><th scope="col">Parameters</th><th scope="col">Mult.-adds</th><th scope="col">Time</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

function bestEpoch(run: RunFiles): string {
  const epoch = isBaseline(run) ? undefined : bestEpochOf(run);
  return epoch === undefined ? (keptOf(run) ?? '–') : `${epoch} of ${run.rows.at(-1)?.epoch}`;
}

function seeds(compared: readonly ComparedRun[]): Html {
  const groups = seedGroups(compared).map(({ members, mean, least, most }) => {
    const names = members.map((i, k) => html`${k > 0 ? ', ' : ''}${runName(compared[i]?.name ?? '', i)}`);
    return html`<p class="seeds">One recipe, ${members.length} seeds: ${names}: mean <b>${percent(mean)}</b>, from ${percent(least)} to ${percent(most)}</p>`;
  });
  return html`${groups}`;
}

function accuracyCells({ evaluation }: ComparedRun['result'], style: RunStyle, axisLow: number): Html {
  if (!evaluation) return html`<td>–</td><td>not tested</td><td></td><td>–</td>`;
  const { correct, count, top1, meanClassAccuracy } = evaluation.metrics;
  const { low, high } = wilsonInterval(correct, count);
  const at = (share: number) => ((share - axisLow) / (1 - axisLow)).toFixed(4);
  return html`<td class="big">${percent(top1)}</td><td>${(low * 100).toFixed(1)} to ${percent(high)}<br><span class="muted">${grouped(correct)} of ${grouped(count)}</span></td>
<td class="interval ${style}"><span style="--low:${at(low)};--high:${at(high)};--at:${at(top1)}"></span></td><td>${percent(meanClassAccuracy)}</td>`;
}

function warnings(compared: readonly ComparedRun[]): string[] {
  const digests = new Set(compared.map(({ run }) => run.digest ?? 'unknown'));
  const out: string[] = [];
  if (digests.has('unknown')) out.push('Not every run says what data it learnt from: whether they are comparable is not known.');
  digests.delete('unknown');
  if (digests.size > 1) {
    out.push(
      'The runs learnt from different data (names, labels or splits differ): their numbers are not comparable, and clips that test one may have trained another.',
    );
  }
  return out;
}

function chance(compared: readonly ComparedRun[]): Html {
  const { tests, untested } = pairTests(compared);
  const nameOf = (index: number) => compared[index]?.name ?? '';
  const missing = untested.map(
    ([a, b]) => html`<li><bdi>${nameOf(a)}</bdi> and <bdi>${nameOf(b)}</bdi> were not tested on the same videos.</li>`,
  );
  const rows = tests.map((test) => pairRow(test, nameOf));
  const table = html`<div class="scroll" role="region" aria-label="Pairs of runs" tabindex="0"><table class="list pairs">
<thead><tr><th scope="col">Pair</th><th scope="col">Only the first right</th><th scope="col">Only the second right</th><th scope="col">p</th><th scope="col">Verdict</th></tr></thead>
<tbody>${rows}</tbody></table></div>
<p class="muted">McNemar’s exact test on the clips where just one of the two is right${tests.length > 1 ? `; p is made stricter for ${tests.length} pairs (Holm)` : ''}. It tells whether these weights differ on such clips. Whether the
recipes do, only runs with other seeds can tell: the same recipe with another seed often moves by as much.</p>`;
  return html`${tests.length > 0 ? table : ''}${missing.length > 0 ? html`<ul class="notes">${missing}</ul>` : ''}`;
}

function pairRow({ first, second, videos, onlyFirst, onlySecond, adjusted }: PairTest, nameOf: (index: number) => string): Html {
  const better = onlyFirst > onlySecond ? first : second;
  const verdict =
    adjusted < 0.05 ? html`<b><bdi>${nameOf(better)}</bdi> is better</b>` : html`<span class="muted">chance explains it</span>`;
  return html`<tr><th scope="row">${runName(nameOf(first), first)} <span class="muted">against</span> ${runName(nameOf(second), second)}</th>
<td>${onlyFirst} of ${grouped(videos)}</td><td>${onlySecond} of ${grouped(videos)}</td><td>${pText(adjusted)}</td><td>${verdict}</td></tr>\n`;
}

export function pText(p: number): string {
  return p < 0.001 ? '<\u202f0.001' : p.toFixed(p < 0.1 ? 3 : 2);
}

function differenceTable(names: readonly string[], differences: readonly Difference[]): Html {
  if (differences.length === 0) return html`<p>Recipes, networks and data are the same, as far as the runs tell.</p>`;
  const rows = differences.map(
    ({ name, values }) => html`<tr><th scope="row">${name}</th>${values.map((value) => html`<td>${value}</td>`)}</tr>\n`,
  );
  return html`<div class="scroll" role="region" aria-label="What differs" tabindex="0"><table class="list options differences">
<thead><tr><th scope="col"></th>${names.map((name, i) => html`<th scope="col">${runName(name, i)}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>
<p class="muted">Everything else that the runs tell of recipe, network and data is the same.</p>`;
}

function overlaidCurves(compared: readonly ComparedRun[]): Html {
  const epochs = compared.map(({ run }) => run.rows.map(reportEpoch));
  const chart = (
    title: string,
    value: (e: ReportEpoch) => number | undefined,
    format: (value: number) => string,
    yAtLeast?: [number, number],
  ) => {
    const lines = compared.flatMap(({ name }, i) => lineOf<LineStyle>(epochs[i] ?? [], name, styleOf(i), value));
    return lines.length === 0 ? html`` : lineChart(lines, { title, xLabel: 'epoch', format, ...(yAtLeast && { yAtLeast }) });
  };
  return html`<div class="charts">
${chart(
  'Validation accuracy',
  (e) => e.valAccuracy,
  (value) => percent(value, 0),
  [0, 1],
)}
${chart('Training loss', (e) => e.trainLoss, compact)}
${chart('Validation loss', (e) => e.valLoss, compact)}
${chart('Learning rate', (e) => e.rate, powers, [0, 0])}
</div>`;
}

/** Recall per class and run, widest gaps first. */
function classComparison(compared: readonly ComparedRun[]): Html {
  const tested = compared.flatMap(({ name, result }, i) =>
    result.evaluation ? [{ name, i, metrics: result.evaluation.metrics }] : [],
  );
  if (tested.length === 0) return html`<p>Nothing was tested.</p>`;
  const labels = [...new Set(tested.flatMap(({ metrics }) => metrics.perClass.map(({ label }) => label)))];
  const rows = labels.map((label) => {
    const recalls = tested.map(({ metrics }) => metrics.perClass.find((row) => row.label === label)?.recall ?? undefined);
    const known = recalls.filter((recall) => recall !== undefined);
    return { label, recalls, best: Math.max(...known), gap: Math.max(...known) - Math.min(...known) };
  });
  rows.sort((a, b) => (b.gap || 0) - (a.gap || 0));
  const cell = (recall: number | undefined, best: number, i: number) =>
    recall === undefined
      ? html`<td>–</td>`
      : html`<td class="recall ${styleOf(i)}" style="--share:${recall.toFixed(4)}">${recall === best ? html`<b>${percent(recall, 0)}</b>` : percent(recall, 0)}</td>`;
  return html`<div class="scroll" role="region" aria-label="Recall by class" tabindex="0"><table class="list class-comparison">
<caption>Recall: how many clips of the class were recognised. The widest gaps first, the best in bold.</caption>
<thead><tr><th scope="col">Class</th>${tested.map(({ name, i }) => html`<th scope="col">${runName(name, i)}</th>`)}</tr></thead>
<tbody>${rows.map(({ label, recalls, best }) => html`<tr><th scope="row"><bdi>${label}</bdi></th>${recalls.map((recall, k) => cell(recall, best, tested[k]?.i ?? 0))}</tr>\n`)}</tbody></table></div>`;
}

function disagreementCards(names: readonly string[], shown: readonly PicturedDisagreement[], of: number): Html {
  const sample = shown.length < of ? `${shown.length} of ${grouped(of)} clips, the surest mistakes first. ` : '';
  const cards = shown.map(
    ({ video, answers, frames }) => html`<article class="clip">
${frames.length > 0 ? contactStrip(frames, video.name) : ''}
<div class="answer"><h4><bdi>${video.label}</bdi></h4>
<ol class="bars">${answers.map(
      ({ predicted, score, correct }, i) =>
        html`<li class="${correct ? 'right' : 'wrong'}" style="--share:${score.toFixed(3)}"><span class="who">${swatch(i)} <bdi>${predicted}</bdi> <span class="muted">${names[i]}</span></span><span>${correct ? '✓' : '✗'} ${percent(score, 0)}</span></li>\n`,
    )}</ol>
<p class="path"><bdi>${video.name}</bdi></p></div>
</article>\n`,
  );
  return html`<p class="muted">${sample}What the clip shows, and what each run said with what probability.</p><div class="clips">${cards}</div>`;
}

function matrix({ name, result }: ComparedRun, i: number): Html {
  if (!result.evaluation) return html`<p>${runName(name, i)}: not tested.</p>`;
  return html`<details class="whole"><summary>${runName(name, i)}</summary>${confusionFigure(result.evaluation.metrics)}</details>`;
}

function cost({ name, run }: ComparedRun, i: number): Html {
  return html`<h3>${runName(name, i)}</h3>${factList(costOf(run))}`;
}

function command({ name, run }: ComparedRun, i: number): Html {
  return html`<li><span class="muted">${runName(name, i)}</span><pre><code>${trainingCommand(run) ?? 'not recorded: the run is of a version that wrote no run.json'}</code></pre></li>\n`;
}
