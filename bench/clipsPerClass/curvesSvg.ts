/** Accuracy over clips a class as an SVG chart, a curve a way of learning. */

import { roundTicks } from '../../src/report/svgChart.js';
import { at, escaped, machineLine, type Provenance, style } from '../svgParts.js';
import type { CurvePoint } from './curves.js';
import type { Count } from './draws.js';
import { type Kind, kinds } from './resultsFile.js';

export interface Curves extends Provenance {
  readonly rows: readonly Pick<
    CurvePoint,
    'kind' | 'count' | 'perClass' | 'top1' | 'low' | 'high' | 'draws' | 'testClips' | 'largestClass'
  >[];
  readonly data: { readonly name: string; readonly classes: number };
  readonly weights?: { readonly name: string; readonly sha256: string };
}

const plot = { left: 64, right: 640, top: 62, bottom: 372 };
const size = { width: 860, height: 444 };
const colours: Readonly<Record<Kind, string>> = { scratch: 'c3', frozen: 'c0', tuned: 'c1' };
/** Curves stand a little apart, so that intervals do not cover each other. */
const aside: Readonly<Record<Kind, number>> = { scratch: -5, frozen: 0, tuned: 5 };
const names: Readonly<Record<Kind, string>> = {
  scratch: 'from scratch',
  frozen: 'frozen, linear classifier',
  tuned: 'fine-tuned',
};

/** "All" stands at its mean number a class, but at least this factor right of the last count. */
const leastStep = 1.4;

export function curvesSvg(curves: Curves): string {
  const { rows, data } = curves;
  const y = (share: number) => plot.bottom - share * (plot.bottom - plot.top);
  const places = placesOf(rows);
  const shown = kinds.filter((kind) => rows.some((row) => row.kind === kind));
  const [{ testClips, largestClass } = { testClips: 0, largestClass: 0 }] = rows;
  const lines = shown.map((kind) =>
    curve(
      rows.filter((row) => row.kind === kind),
      kind,
      places,
      y,
    ),
  );
  const title = `Accuracy by clips of each class: ${data.name}, ${data.classes} classes`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escaped(`${title}; ${spoken(curves)}`)}">
${style}
<rect class="back" width="${size.width}" height="${size.height}"/>
<text class="title" x="16" y="26">${escaped(title)}</text>
<text class="small" x="16" y="45">top-1 of the same ${testClips} test videos: mean over random draws, bars are Student's 95 % interval of the mean</text>
${grid(places, y)}
<line class="chance" x1="${plot.left}" x2="${plot.right}" y1="${at(y(largestClass))}" y2="${at(y(largestClass))}"/>
${lines.join('\n')}
${legend(curves, shown, largestClass)}
<text class="small" x="16" y="${size.height - 14}">${footer(curves)}</text>
</svg>
`;
}

type Places = ReadonlyMap<Count, { readonly x: number; readonly label: string; readonly below?: string }>;

function placesOf(rows: Curves['rows']): Places {
  const counts = [...new Set(rows.map(({ count }) => count))];
  const last = Math.max(1 / leastStep, ...counts.filter((count) => count !== 'all'));
  const mean = rows.find(({ count }) => count === 'all')?.perClass ?? 1;
  const value = (count: Count) => (count === 'all' ? Math.max(mean, last * leastStep) : count);
  const [low, high] = [Math.min(...counts.map(value)), Math.max(...counts.map(value))];
  const [from, to] = [plot.left + 24, plot.right - 24];
  const x = (count: Count) =>
    high > low ? from + (Math.log2(value(count) / low) / Math.log2(high / low)) * (to - from) : (from + to) / 2;
  return new Map(
    counts.map((count) => [
      count,
      {
        x: x(count),
        label: String(count),
        ...(count === 'all' && { below: `${mean.toFixed(mean % 1 === 0 ? 0 : 1)} on average` }),
      },
    ]),
  );
}

function grid(places: Places, y: (share: number) => number): string {
  const across = roundTicks(0, 1, 5).map(
    (tick) => `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${at(y(tick))}" y2="${at(y(tick))}"/>
<text class="small" x="${plot.left - 8}" y="${at(y(tick) + 4)}" text-anchor="end">${Math.round(100 * tick)} %</text>`,
  );
  const down = [...places.values()].map(
    ({ x, label, below }) => `<line class="grid" x1="${at(x)}" x2="${at(x)}" y1="${plot.top}" y2="${plot.bottom + 4}"/>
<text x="${at(x)}" y="${plot.bottom + 19}" text-anchor="middle">${label}</text>${below ? `<text class="small" x="${at(x)}" y="${plot.bottom + 33}" text-anchor="middle">${below}</text>` : ''}`,
  );
  const axis = `<text class="small" x="${plot.left}" y="${plot.bottom + 33}">clips of each class (logarithmic)</text>`;
  return [...across, ...down, axis].join('\n');
}

function curve(rows: Curves['rows'], kind: Kind, places: Places, y: (share: number) => number): string {
  const colour = colours[kind];
  const points = rows.map((row) => ({ ...row, at: [(places.get(row.count)?.x ?? 0) + aside[kind], y(row.top1)] as const }));
  const path = points.map(({ at: [px, py] }, i) => `${i ? 'L' : 'M'}${at(px)} ${at(py)}`).join('');
  const marks = points.map(({ at: [px, py], low, high }) => {
    const dot = `<circle class="${colour}" cx="${at(px)}" cy="${at(py)}" r="3.5"/>`;
    if (low === null || high === null) return dot;
    const [top, bottom] = [y(Math.min(high, 1)), y(Math.max(low, 0))];
    return `${dot}<path class="line ${colour}" d="M${at(px)} ${at(top)}V${at(bottom)}M${at(px - 4)} ${at(top)}h8M${at(px - 4)} ${at(bottom)}h8"/>`;
  });
  return `<path class="line ${colour}" d="${path}"/>${marks.join('')}`;
}

/** In the order of the curves' right ends, the highest first. */
function legend({ rows }: Curves, shown: readonly Kind[], largestClass: number): string {
  const ends = shown.map((kind) => ({ kind, top1: rows.filter((row) => row.kind === kind).at(-1)?.top1 ?? 0 }));
  const entries = ends.sort((a, b) => b.top1 - a.top1).map(({ kind }) => ({ style: `line ${colours[kind]}`, name: names[kind] }));
  const all = [...entries, { style: 'chance', name: `largest class, ${(100 * largestClass).toFixed(1)} %` }];
  return all
    .map(({ style: of, name }, i) => {
      const y = plot.top + 16 + i * 24;
      return `<line class="${of}" x1="656" x2="680" y1="${y}" y2="${y}"/><text x="688" y="${y + 4}">${escaped(name)}</text>`;
    })
    .join('\n');
}

function footer({ rows, weights, ...provenance }: Curves): string {
  const draws = Math.max(1, ...rows.map((row) => row.draws));
  const from = weights ? `; frozen and tuned from ${escaped(weights.name)} (SHA-256 ${weights.sha256.slice(0, 12)})` : '';
  return `${draws} ${draws === 1 ? 'draw' : 'draws'}${from}; ${machineLine(provenance)}`;
}

const spoken = ({ rows }: Curves): string =>
  rows.map(({ kind, count, top1 }) => `${names[kind]}, ${count}: ${(100 * top1).toFixed(1)} %`).join('; ');
