import { type Html, html } from './html.js';

export type LineStyle = 'lineA' | 'lineB' | RunStyle;
export type RunStyle = `run${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7}`;

export interface Line {
  readonly name: string;
  /** The style sheet's class of the line: two for one run, eight for runs side by side. */
  readonly style: LineStyle;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface ChartOptions {
  readonly title: string;
  readonly xLabel: string;
  /** Writes a value of the y axis. */
  readonly format: (value: number) => string;
  /** The y axis reaches at least from the first to the second. */
  readonly yAtLeast?: readonly [number, number];
  /** A place on the x axis to point out. */
  readonly mark?: { readonly x: number; readonly label: string } | undefined;
}

const width = 440;
const height = 230;
const plot = { left: 46, right: width - 12, top: 12, bottom: height - 36 };

/** A figure with the chart. Points that are not finite are left out and counted in the legend. */
export function lineChart(lines: readonly Line[], options: ChartOptions): Html {
  const drawn = lines.map((line) => ({
    ...line,
    points: line.points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)),
  }));
  const all = drawn.flatMap(({ points }) => points);
  const [low, high] = options.yAtLeast ?? [Infinity, -Infinity];
  const yTicks = roundTicks(Math.min(low, ...all.map(({ y }) => y)), Math.max(high, ...all.map(({ y }) => y)), 4);
  const xTicks = wholeTicks(all.map(({ x }) => x));
  const x = scale(Math.min(...all.map((point) => point.x)), Math.max(...all.map((point) => point.x)), plot.left, plot.right);
  const y = scale(yTicks[0] ?? 0, yTicks.at(-1) ?? 1, plot.bottom, plot.top);
  const legend = lines.map((line, i) => legendEntry(line, drawn[i]?.points ?? [], options.format));
  return html`<figure class="chart">
<figcaption><strong>${options.title}</strong><span class="legend">${legend}</span></figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${options.title}: ${spoken(drawn, options)}">
${yTicks.map(
  (tick) => html`<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${at(y(tick))}" y2="${at(y(tick))}"/>
<text x="${plot.left - 8}" y="${at(y(tick) + 4)}" text-anchor="end">${options.format(tick)}</text>
`,
)}${xTicks.map((tick) => html`<text x="${at(x(tick))}" y="${plot.bottom + 18}" text-anchor="middle">${tick}</text>\n`)}
${markLine(
  options.mark,
  x,
  drawn.every(({ points }) => y(points.at(-1)?.y ?? 0) > (plot.top + plot.bottom) / 2),
)}<text class="axis" x="${plot.right}" y="${height - 2}" text-anchor="end">${options.xLabel}</text>
${drawn.map((line) => linePath(line, x, y))}
</svg>
</figure>`;
}

type Scale = (value: number) => number;

/** A range of zero length maps to its middle. */
function scale(from: number, to: number, start: number, end: number): Scale {
  return (value) => (to === from ? (start + end) / 2 : start + ((value - from) / (to - from)) * (end - start));
}

/** Placed at the end away from the lines. */
function markLine(mark: ChartOptions['mark'], x: Scale, linesAreLow: boolean): Html {
  if (!mark) return html``;
  const place = at(x(mark.x));
  const anchor = x(mark.x) > (plot.left + plot.right) / 2 ? 'end' : 'start';
  return html`<line class="mark" x1="${place}" x2="${place}" y1="${plot.top}" y2="${plot.bottom}"/>
<text class="mark" x="${at(x(mark.x) + (anchor === 'end' ? -5 : 5))}" y="${linesAreLow ? plot.top + 10 : plot.bottom - 6}" text-anchor="${anchor}">${mark.label}</text>
`;
}

function linePath({ points, style }: Line, x: Scale, y: Scale): Html {
  const last = points.at(-1);
  if (!last) return html``;
  const path = points.map((point, i) => `${i ? 'L' : 'M'}${at(x(point.x))} ${at(y(point.y))}`).join('');
  return html`<path class="${style}" d="${path}"/><circle class="${style}" cx="${at(x(last.x))}" cy="${at(y(last.y))}" r="3.5"/>\n`;
}

function legendEntry(line: Line, drawn: Line['points'], format: ChartOptions['format']): Html {
  const last = drawn.at(-1);
  const missing = line.points.length - drawn.length;
  return html`<span class="entry"><svg class="swatch" viewBox="0 0 18 8" aria-hidden="true"><path class="${line.style}" d="M1 4H17"/></svg>
${line.name} <b>${last ? format(last.y) : '–'}</b>${missing > 0 ? ` (${missing} not finite, left out)` : ''}</span>`;
}

function spoken(lines: readonly Line[], { format, xLabel }: ChartOptions): string {
  const ends = lines.map(({ name, points }) => {
    const [first, last] = [points[0], points.at(-1)];
    return first && last
      ? `${name} from ${format(first.y)} to ${format(last.y)} at ${xLabel} ${last.x}`
      : `${name} without values`;
  });
  return ends.join('; ');
}

/** About `count` round steps (1, 2, 2.5 or 5 times a power of ten) that enclose the range. */
export function roundTicks(low: number, high: number, count: number): number[] {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  const span = high - low;
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (span <= Math.max(size * 1e-9, 1e-12)) {
    const room = size > 1e-9 ? size / 2 : 0.5; // room around a flat line
    return roundTicks(low - room, high + room, count);
  }
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power * count >= span * 0.999) ?? 10);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(Math.ceil(high / step - 1e-9), first + 1);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(15)));
}

/** At most eight whole numbers in range, on round steps. */
function wholeTicks(values: readonly number[]): number[] {
  if (values.length === 0) return [];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const step =
    [1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000].find((each) => (high - low) / each <= 7) ?? Math.ceil((high - low) / 7);
  const first = Math.ceil(low / step) * step;
  return Array.from({ length: Math.floor((high - first) / step) + 1 }, (_, i) => first + i * step);
}

/** One decimal keeps the file small. */
function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}
