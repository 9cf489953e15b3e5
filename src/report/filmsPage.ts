import type { SegmentationScores, SegmentMetrics } from '../metrics/segments/segmentMetrics.js';
import { type DrawnFilm, filmLegend, filmStrip } from './filmStrip.js';
import { type Html, html } from './html.js';
import { commandList, factList, renderPage, section } from './page.js';
import type { ReportCommand, ReportFact } from './reportData.js';
import { percent } from './reportText.js';

export interface FilmsPage {
  readonly title: string;
  readonly lead: string;
  readonly metrics: SegmentMetrics;
  readonly films: readonly DrawnFilm[];
  readonly facts: readonly ReportFact[];
  readonly commands: readonly ReportCommand[];
}

const rate = (value: number): string => (Number.isFinite(value) ? percent(value) : '–');

/** The page of a test on whole films, as HTML text. */
export function filmsPage({ title, lead, metrics, films, facts, commands }: FilmsPage): string {
  const labels = [...new Set(films.flatMap(({ truth, predicted }) => [...truth, ...predicted].map(({ label }) => label)))].sort();
  return renderPage(
    title,
    html`<header>
<h1>${title}</h1>
<p class="lead">${lead}</p>
<dl class="headline">${headline(metrics)}</dl>
${factList(facts)}
</header>
<main>
${section('Truth and timeline', html`${filmLegend(labels)}${films.map((film) => filmStrip(film, labels))}`)}
${section('All measures', measures(metrics))}
${section('Classes', classes(metrics))}
${section('To repeat this', commandList(commands))}
</main>`,
  );
}

function headline({ f1, map, edit, accuracy }: SegmentMetrics): Html[] {
  const shown = [
    ['segment F1 at 50 %', f1.find(({ overlap }) => overlap === 0.5)?.value, 'right label, overlap of at least a half'],
    ['mAP at 0.5', map.find(({ overlap }) => overlap === 0.5)?.value, 'ActivityNet’s definition'],
    ['edit score', edit, 'right things in the right order'],
    ['frame accuracy', accuracy, 'of the labelled time'],
  ] as const;
  return shown.map(
    ([name, value, what]) => html`<div><dt>${name}</dt><dd>${rate(value ?? Number.NaN)}</dd><dd>${what}</dd></div>`,
  );
}

function measures({ map, averageMap, withBackground, ...plain }: SegmentMetrics): Html {
  const row = (name: string, scores: SegmentationScores) => html`<tr><th scope="row">${name}</th>
${[...scores.f1.map(({ value }) => value), scores.edit, scores.accuracy, scores.meanF1].map((value) => html`<td>${rate(value)}</td>`)}</tr>`;
  return html`<div class="scroll" role="region" aria-label="Measures" tabindex="0"><table class="list">
<thead><tr><th scope="col"></th>${plain.f1.map(({ overlap }) => html`<th scope="col">F1 at ${Math.round(100 * overlap)} %</th>`)}
<th scope="col">Edit</th><th scope="col">Frame accuracy</th><th scope="col">Mean frame F1</th></tr></thead>
<tbody>${row('actions', plain)}${row('with background', withBackground)}</tbody></table>
<table class="list"><thead><tr>${map.map(({ overlap }) => html`<th scope="col">mAP at ${overlap}</th>`)}<th scope="col">Mean</th></tr></thead>
<tbody><tr>${[...map.map(({ value }) => value), averageMap].map((value) => html`<td>${rate(value)}</td>`)}</tr></tbody></table></div>`;
}

function classes({ perClass }: SegmentMetrics): Html {
  const rows = [...perClass]
    .sort((a, b) => a.f1 - b.f1)
    .map(
      ({ label, truth, predicted, averagePrecision, f1, frameF1 }) => html`<tr><th scope="row"><bdi>${label}</bdi></th>
<td>${truth}</td><td>${predicted}</td><td>${rate(averagePrecision)}</td><td>${rate(f1)}</td><td>${rate(frameF1)}</td></tr>\n`,
    );
  return html`<div class="scroll" role="region" aria-label="Classes" tabindex="0"><table class="list">
<caption>The weakest first; average precision and F1 at an overlap of a half.</caption>
<thead><tr><th scope="col">Class</th><th scope="col">True</th><th scope="col">Found</th><th scope="col">AP</th><th scope="col">F1</th><th scope="col">Frame F1</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}
