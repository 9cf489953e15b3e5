import { type Html, html } from './html.js';
import type { ReportEpoch } from './reportData.js';
import { grouped, percent } from './reportText.js';
import { type Line, lineChart } from './svgChart.js';

type Value = (epoch: ReportEpoch) => number | undefined;

/** Charts and table; `bestEpoch` is marked where accuracy is shown. */
export function learningCurves(epochs: readonly ReportEpoch[], bestEpoch?: number): Html {
  const of = (name: string, style: 'lineA' | 'lineB', value: Value) => lineOf(epochs, name, style, value);
  const accuracies = [...of('training', 'lineA', (e) => e.trainAccuracy), ...of('validation', 'lineB', (e) => e.valAccuracy)];
  const losses = [...of('training', 'lineA', (e) => e.trainLoss), ...of('validation', 'lineB', (e) => e.valLoss)];
  const mark = bestEpoch === undefined ? undefined : { x: bestEpoch, label: 'kept' };
  const single = [
    { title: 'Learning rate', lines: of('', 'lineB', (e) => e.rate), format: powers },
    { title: 'Gradient norm', lines: of('', 'lineB', (e) => e.gradientNorm), format: compact },
    { title: 'Clips a second', lines: of('', 'lineB', (e) => e.clipsPerSec), format: compact },
  ];
  const from0 = { yAtLeast: [0, 0] } as const;
  return html`<div class="charts">
${chart(losses, { title: 'Loss', format: compact })}
${chart(accuracies, { title: 'Accuracy', format: (value) => percent(value, 0), yAtLeast: [0, 1], mark })}
${single.map(({ lines, ...options }) => chart(lines, { ...options, ...from0 }))}
</div>
${epochTable(epochs)}`;
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
