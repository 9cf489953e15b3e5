/** A film's truth above its timeline, coloured by label: where they agree, what was missed, invented or cut in pieces. */
import type { Bout } from '../metrics/bouts.js';
import { inOrder, type LabelledSegment } from '../metrics/segments/segments.js';
import { type Html, html } from './html.js';

export type DrawnSegment = LabelledSegment & Partial<Pick<Bout, 'startsIn' | 'endsIn'>> & { readonly score?: number };

export interface DrawnFilm {
  readonly name: string;
  readonly durationSec: number;
  readonly truth: readonly DrawnSegment[];
  readonly predicted: readonly DrawnSegment[];
}

const width = 960;
const side = 48;
/** Half of the last time below the strip. */
const rim = 16;
/** Heights of a segment and of what is between rows, SVG units. */
const [band, gap] = [18, 4];
/** A long film goes over several lines. */
const secondsALine = 60;
const mostLines = 12;

/** One figure a film. Labels have the same colours in all films when `labels` are the same. */
export function filmStrip(film: DrawnFilm, labels: readonly string[]): Html {
  const lineSec = Math.max(secondsALine, film.durationSec / mostLines);
  const count = Math.max(Math.ceil(film.durationSec / lineSec - 1e-6), 1);
  const lines = Array.from({ length: count }, (_, i) =>
    stripLine(film, labels, i * lineSec, Math.min(lineSec, film.durationSec)),
  );
  return html`<figure class="chart film"><figcaption><strong><bdi>${film.name}</bdi></strong>
<span>${film.truth.length} true segments, ${film.predicted.length} found</span></figcaption>
${lines}</figure>`;
}

function stripLine(film: DrawnFilm, labels: readonly string[], fromSec: number, lineSec: number): Html {
  const toSec = fromSec + lineSec;
  const within = (segments: readonly DrawnSegment[]) =>
    segments.filter(({ startSec, endSec }) => startSec < toSec && endSec > fromSec);
  const rows = [
    { name: 'truth', lanes: lanesOf(within(film.truth)) },
    { name: 'found', lanes: lanesOf(within(film.predicted)) },
  ];
  const x = (sec: number) => side + ((width - side - rim) * (Math.min(Math.max(sec, fromSec), toSec) - fromSec)) / lineSec;
  let y = 0;
  const drawn = rows.map(({ name, lanes }) => {
    const top = y;
    y += lanes.length * (band + 1) + gap;
    return html`<text x="0" y="${top + band - 5}">${name}</text>
${lanes.map((lane, i) => lane.map((each) => segmentShape(each, labels, x, top + i * (band + 1))))}`;
  });
  return html`<svg viewBox="0 0 ${width} ${y + 16}" role="img" aria-label="${film.name} from ${clock(fromSec)} to ${clock(toSec)}, truth and timeline">
${ticks(fromSec, toSec).map(
  (sec) => html`<line class="grid" x1="${at(x(sec))}" x2="${at(x(sec))}" y1="0" y2="${y}"/>
<text x="${at(x(sec))}" y="${y + 12}" text-anchor="middle">${clock(sec)}</text>\n`,
)}${drawn}</svg>\n`;
}

/** A box with its name where there is room; paler at an edge for as long as its place is in doubt. */
function segmentShape(segment: DrawnSegment, labels: readonly string[], x: (sec: number) => number, y: number): Html {
  const { label, startSec, endSec, startsIn, endsIn, score } = segment;
  const style = `run${Math.max(labels.indexOf(label), 0) % 8}`;
  const [left, right] = [x(startSec), x(endSec)];
  const doubts = [startsIn, endsIn].flatMap((each) => (each ? [[x(each[0]), x(each[1])] as const] : []));
  const said = `${label} ${startSec.toFixed(1)} to ${endSec.toFixed(1)} s${score === undefined ? '' : `, ${score.toFixed(2)}`}`;
  return html`<g><title>${said}</title><rect class="${style}" x="${at(left)}" y="${y}" width="${at(Math.max(right - left, 1))}" height="${band}"/>
${doubts.map(([from, to]) => html`<rect class="doubt" x="${at(from)}" y="${y}" width="${at(to - from)}" height="${band}"/>`)}
${right - left > 6.5 * label.length + 6 ? html`<text class="on" x="${at(left + 4)}" y="${y + band - 5}">${label}</text>` : ''}</g>\n`;
}

/** Rows in which no two segments overlap. */
function lanesOf(segments: readonly DrawnSegment[]): DrawnSegment[][] {
  const lanes: DrawnSegment[][] = [];
  for (const segment of inOrder(segments)) {
    const lane = lanes.find((each) => (each.at(-1)?.endSec ?? 0) <= segment.startSec + 1e-6);
    if (lane) lane.push(segment);
    else lanes.push([segment]);
  }
  return lanes.length === 0 ? [[]] : lanes;
}

function ticks(fromSec: number, toSec: number): number[] {
  const step = [5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].find((each) => (toSec - fromSec) / each <= 10) ?? 7200;
  const first = Math.ceil(fromSec / step - 1e-6) * step;
  return Array.from({ length: Math.floor((toSec - first) / step + 1e-6) + 1 }, (_, i) => first + i * step);
}

const at = (value: number): string => value.toFixed(1);

function clock(sec: number): string {
  const whole = Math.round(sec);
  const [minutes, seconds] = [Math.floor(whole / 60) % 60, String(whole % 60).padStart(2, '0')];
  const hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
}

/** What each colour means. */
export const filmLegend = (labels: readonly string[]): Html =>
  html`<p class="legend film">${labels.map(
    (
      label,
      i,
    ) => html`<span><svg class="swatch" viewBox="0 0 18 8" aria-hidden="true"><rect class="run${i % 8}" width="18" height="8"/></svg>
<bdi>${label}</bdi></span>`,
  )}</p>`;
