/** SVG charts of the kept results, with a light and a dark palette. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as v from 'valibot';
import { number } from '../src/schema.js';
import { MissingError } from './errors.js';
import { at, escaped, machineLine, style } from './svgParts.js';

export interface PlotRow {
  readonly what: string;
}

const setting = { date: v.string(), machine: v.object({ cpu: v.string(), vectors: v.string(), cores: number() }) };
const raceSchema = v.object({
  ...setting,
  rows: v.array(
    v.object({
      ...{ row: v.string(), what: v.string(), oursMs: number(), peerMs: number(), ratio: number(), target: number() },
      against: v.string(),
    }),
  ),
});
const scalingSchema = v.object({
  ...setting,
  rows: v.array(
    v.object({
      ...{ use: v.picklist(['inference', 'training']), axis: v.string(), timeExponent: number(), memoryExponent: number() },
      points: v.array(v.object({ x: number(), ms: number(), mb: number() })),
    }),
  ),
});

type Race = v.InferOutput<typeof raceSchema>;
type Scaling = v.InferOutput<typeof scalingSchema>;

/** Draws a picture for every race and scaling result in the folder, beside it. */
export function plot(folder: string): PlotRow[] {
  const files = readdirSync(folder).filter((name) => /^(race|scaling)-.*\.json$/.test(name));
  if (files.length === 0) throw new MissingError(`${folder}: no kept result; measure with --keep first`);
  return files.map((name) => {
    const result: unknown = JSON.parse(readFileSync(`${folder}${name}`, 'utf8'));
    const svg = name.startsWith('race') ? raceSvg(v.parse(raceSchema, result)) : scalingSvg(v.parse(scalingSchema, result));
    const path = `${folder}${name.replace(/json$/, 'svg')}`;
    writeFileSync(path, svg);
    return { what: path };
  });
}

/** Two bars a row as long as their times, in units of ours, with what was to be reached. */
export function raceSvg(race: Race): string {
  const [width, left, rowHeight, top] = [860, 330, 46, 62];
  const most = Math.max(...race.rows.flatMap(({ ratio, target }) => [ratio, target, 1])) * 1.08;
  const x = (ratio: number) => left + (ratio / most) * (width - left - 90);
  const height = top + rowHeight * race.rows.length + 44;
  const rows = race.rows.map((row, i) => {
    const y = top + i * rowHeight;
    const [title, below] = labelOf(row);
    return `<text x="${left - 12}" y="${y + 13}" text-anchor="end">${escaped(title)}</text>
<text x="${left - 12}" y="${y + 29}" text-anchor="end" class="small">${escaped(below)}</text>
<rect class="ours" x="${left}" y="${y + 2}" width="${at(x(1) - left)}" height="13" rx="2"/>
<rect class="peer" x="${left}" y="${y + 18}" width="${at(x(row.ratio) - left)}" height="13" rx="2"/>
<text class="small" x="${at(x(1) + 6)}" y="${y + 12}">${ms(row.oursMs)}</text>
<text x="${at(Math.max(x(row.ratio), x(row.target)) + 8)}" y="${y + 29}">${row.ratio.toFixed(2)}x <tspan class="small">${ms(row.peerMs)}</tspan></text>
<line class="mark" x1="${at(x(row.target))}" x2="${at(x(row.target))}" y1="${y + 15}" y2="${y + 34}"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(spoken(race))}">
${style}
<rect class="back" width="${width}" height="${height}"/>
<text class="title" x="16" y="26">Time against others, in turn in one run; shorter is better</text>
<rect class="ours" x="16" y="38" width="12" height="10" rx="2"/><text class="small" x="34" y="47">this project</text>
<rect class="peer" x="116" y="38" width="12" height="10" rx="2"/><text class="small" x="134" y="47">the other, named on the left</text>
<line class="mark" x1="306" x2="306" y1="36" y2="50"/><text class="small" x="314" y="47">to be reached</text>
${rows.join('\n')}
<text class="small" x="16" y="${height - 14}">${machineLine(race)}; medians</text>
</svg>
`;
}

function labelOf({ what, against, row }: Race['rows'][number]): [title: string, below: string] {
  const network = /(vmf-[\d.]+g|\d+M layout)/.exec(what)?.[1] ?? row;
  const kind = what.split(',')[0] ?? row;
  const batch = /batch (\d+)/.exec(what)?.[1];
  return [`${kind}, ${network}${kind.startsWith('training') ? `, batch ${batch}` : ''}`, `against ${against}`];
}

const spoken = ({ rows }: Race): string =>
  rows
    .map(({ ratio, oursMs, peerMs, ...row }) => `${labelOf({ ratio, oursMs, peerMs, ...row }).join(' ')}: ${ratio} times as fast`)
    .join('; ');

const ms = (value: number): string => (value < 10 ? `${value.toFixed(1)} ms` : `${value.toFixed(0)} ms`);

/** Time and memory in multiples of the least, each axis a line over multiples of its first value; both logarithmic. */
export function scalingSvg(result: Scaling): string {
  const panels = (['inference', 'training'] as const).flatMap((use) => [panel(result, use, 'ms'), panel(result, use, 'mb')]);
  const placed = panels.map((svg, i) => `<g transform="translate(${(i % 2) * 430} ${40 + Math.floor(i / 2) * 330})">${svg}</g>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 730" role="img" aria-label="How time and memory grow, 52M layout">
${style}
<rect class="back" width="860" height="730"/>
<text class="title" x="16" y="26">How cost grows: 52M layout, from 8 frames of 96 px, one thread; exponents in the legend</text>
${placed.join('\n')}
<text class="small" x="16" y="716">${machineLine(result)}; memory above that of a process that runs next to nothing</text>
</svg>
`;
}

function panel({ rows }: Scaling, use: 'inference' | 'training', what: 'ms' | 'mb'): string {
  const own = rows.filter((row) => row.use === use && !(what === 'mb' && row.axis === 'threads'));
  const lines = own.map((row) => {
    const usable = row.points.filter((point) => point[what] > 0);
    const [first] = usable;
    return { ...row, curve: usable.map((point) => [point.x / (first?.x ?? 1), point[what] / (first?.[what] ?? 1)] as const) };
  });
  const all = lines.flatMap(({ curve }) => curve);
  const [mostX, mostY] = [Math.max(2, ...all.map(([x]) => x)), Math.max(2, ...all.map(([, y]) => y))];
  const leastY = Math.min(1, ...all.map(([, y]) => y));
  const x = (value: number) => 52 + (Math.log(value) / Math.log(mostX)) * 240;
  const y = (value: number) => 270 - (Math.log(value / leastY) / Math.log(mostY / leastY)) * 220;
  const ticks = [1, 2, 4, 8, 16, 32, 64, 128];
  const grid = [
    ...ticks.filter((tick) => tick <= mostX * 1.01).map((tick) => `<line class="grid" x1="${at(x(tick))}" x2="${at(x(tick))}" y1="50" y2="270"/><text class="small" x="${at(x(tick))}" y="286" text-anchor="middle">${tick}x</text>`),
    ...ticks.filter((tick) => tick <= mostY * 1.01).map((tick) => `<line class="grid" x1="52" x2="292" y1="${at(y(tick))}" y2="${at(y(tick))}"/><text class="small" x="46" y="${at(y(tick) + 4)}" text-anchor="end">${tick}x</text>`),
  ]; // biome-ignore format: a line a tick
  const names = ['frames', 'size', 'batch', 'tokens', 'threads'];
  const drawn = lines.map(({ axis, curve, timeExponent, memoryExponent }, i) => {
    const colour = `c${names.indexOf(axis)}`;
    const path = curve.map(([cx, cy], k) => `${k ? 'L' : 'M'}${at(x(cx))} ${at(y(cy))}`).join('');
    const dots = curve.map(([cx, cy]) => `<circle class="${colour}" cx="${at(x(cx))}" cy="${at(y(cy))}" r="3"/>`).join('');
    const legend = `<line class="line ${colour}" x1="306" x2="324" y1="${66 + i * 20}" y2="${66 + i * 20}"/><text x="330" y="${70 + i * 20}">${axis} <tspan class="small">${(what === 'ms' ? timeExponent : memoryExponent).toFixed(2)}</tspan></text>`;
    return `<path class="line ${colour}" d="${path}"/>${dots}${legend}`;
  });
  const title = `${use === 'inference' ? 'Inference' : 'Training step, batch 4'}: ${what === 'ms' ? 'time' : 'memory'}`;
  return `<text x="52" y="36">${title}</text>${grid.join('')}${drawn.join('')}<text class="small" x="292" y="304" text-anchor="end">times the first value</text>`;
}
