import { averageName, type TestedWeights } from '../train/finetune/keptWeights.js';
import { type Html, html } from './html.js';
import type { ReportCandidate, ReportEpoch } from './reportData.js';
import { grouped, percent } from './reportText.js';
import { type Line, lineChart } from './svgChart.js';

type Value = (epoch: ReportEpoch) => number | undefined;

/** Charts and table; `kept` is marked where accuracy is shown. A probe that training started from is epoch 0 of validation. */
export function learningCurves(epochs: readonly ReportEpoch[], kept?: number, probe?: TestedWeights, multiLabel = false): Html {
  const start: ReportEpoch[] = probe
    ? [{ epoch: 0, valAccuracy: probe.map ?? probe.top1 ?? Number.NaN, valLoss: probe.loss }]
    : [];
  const of = (name: string, style: 'lineA' | 'lineB', value: Value) => lineOf([...start, ...epochs], name, style, value);
  const accuracies = [...of('training', 'lineA', (e) => e.trainAccuracy), ...of('validation', 'lineB', (e) => e.valAccuracy)];
  const losses = [...of('training', 'lineA', (e) => e.trainLoss), ...of('validation', 'lineB', (e) => e.valLoss)];
  const mark = kept === undefined ? undefined : { x: kept, label: 'kept' };
  const single = [
    { title: 'Learning rate', lines: of('', 'lineB', (e) => e.rate), format: powers },
    { title: 'Gradient norm', lines: of('', 'lineB', (e) => e.gradientNorm), format: compact },
    { title: 'Clips a second', lines: of('', 'lineB', (e) => e.clipsPerSec), format: compact },
  ];
  const from0 = { yAtLeast: [0, 0] } as const;
  return html`<div class="charts">
${chart(losses, { title: 'Loss', format: compact })}
${chart(accuracies, { title: multiLabel ? 'F1 in training, mAP in validation' : 'Accuracy', format: (value) => percent(value, 0), yAtLeast: [0, 1], mark })}
${single.map(({ lines, ...options }) => chart(lines, { ...options, ...from0 }))}
</div>
${epochTable(epochs)}`;
}

/** How the weights that fine-tuning chose from answer on the validation videos; those that were kept in bold. */
export function candidateTable(candidates: readonly ReportCandidate[]): Html {
  const rows = candidates.map(({ tunedShare, top1, map, loss, scaledLoss, kept }) => {
    const name = averageName(tunedShare);
    const numbers = [percent(map ?? top1 ?? Number.NaN), loss.toFixed(4), scaledLoss.toFixed(4)].map(
      (number) => html`<td>${number}</td>`,
    );
    return html`<tr><th scope="row">${kept ? html`<b>${name}, kept</b>` : name}</th>${numbers}</tr>\n`;
  });
  return html`<h3>Linear probe and averages</h3>
<p class="muted">Training started from a linear probe, which is epoch 0 of the validation lines. At the end, averages of its weights and those of the last epoch were tested. Kept were, of those right at least as often as the probe, the ones of least loss at their best temperature.</p>
<div class="scroll" role="region" aria-label="Linear probe and averages" tabindex="0"><table class="list">
<thead><tr><th scope="col">Weights</th><th scope="col">Validation accuracy</th><th scope="col">Validation loss</th><th scope="col">at its best temperature</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

/** A line of those epochs that have the value; none when no epoch has it. */
export function lineOf<Style extends Line['style']>(
  epochs: readonly ReportEpoch[],
  name: string,
  style: Style,
  value: Value,
): Line[] {
  const points = epochs.flatMap((epoch) => {
    const y = value(epoch);
    return y === undefined ? [] : [{ x: epoch.epoch, y }];
  });
  return points.length > 0 ? [{ name, style, points }] : [];
}

function chart(lines: readonly Line[], options: Omit<Parameters<typeof lineChart>[1], 'xLabel'>): Html {
  return lines.length === 0 ? html`` : lineChart(lines, { ...options, xLabel: 'epoch' });
}

/** Three significant digits, exponent only for extreme values. */
export function compact(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return '0';
  if (size >= 1000) return grouped(Math.round(value));
  return size < 1e-3
    ? value.toExponential(1).replace('.0e', 'e')
    : String(Number(value.toPrecision(size >= 100 ? 3 : 2 + Number(size >= 1))));
}

/** 0.00025 -> 2.5e-4: rates, whose power of ten matters most. */
export function powers(value: number): string {
  return value === 0 ? '0' : value.toExponential(1).replace('.0e', 'e').replace('e+', 'e');
}

interface Column {
  readonly name: string;
  readonly value: Value;
  readonly format: (value: number) => string;
}

const known: readonly Column[] = [
  { name: 'Training loss', value: (e) => e.trainLoss, format: (value) => value.toFixed(4) },
  { name: 'Training accuracy', value: (e) => e.trainAccuracy, format: (value) => percent(value) },
  { name: 'Validation loss', value: (e) => e.valLoss, format: (value) => value.toFixed(4) },
  { name: 'Validation accuracy', value: (e) => e.valAccuracy, format: (value) => percent(value) },
  { name: 'Learning rate', value: (e) => e.rate, format: (value) => value.toExponential(2) },
  { name: 'Gradient norm', value: (e) => e.gradientNorm, format: (value) => value.toPrecision(3) },
  { name: 'Clips a second', value: (e) => e.clipsPerSec, format: (value) => value.toFixed(1) },
  { name: 'Seconds', value: (e) => e.seconds, format: (value) => value.toFixed(1) },
];

function epochTable(epochs: readonly ReportEpoch[]): Html {
  const others = [...new Set(epochs.flatMap(({ more = {} }) => Object.keys(more)))];
  const unknown = others.map((name): Column => ({ name, value: (e) => e.more?.[name], format: (value) => String(value) }));
  const columns = [...known, ...unknown].filter(({ value }) => epochs.some((epoch) => value(epoch) !== undefined));
  const cell = (epoch: ReportEpoch, { value, format }: Column) => {
    const number = value(epoch);
    return number === undefined ? '–' : Number.isFinite(number) ? format(number) : 'not finite';
  };
  const rows = epochs.map(
    (epoch) =>
      html`<tr><th scope="row">${epoch.epoch}</th>${columns.map((column) => html`<td>${cell(epoch, column)}</td>`)}</tr>\n`,
  );
  return html`<details><summary>Every epoch as numbers</summary><div class="scroll" role="region" aria-label="Every epoch" tabindex="0">
<table class="list epochs"><thead><tr><th scope="col">Epoch</th>${columns.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div></details>`;
}
