/** Stretches of films where the labelling is complete and nothing is labelled, as samples of a class of their own. Seeded. */
import type { TimeWindow } from '../clip/temporalSampling.js';
import { Rng } from '../rng.js';
import { type Films, isRead } from './films.js';
import { type FoundVideo, labelsOf, type Split } from './labelledVideos.js';

/** A film whose labels are complete, everywhere or in these stretches. */
export interface CompleteFilm {
  readonly path: string;
  readonly name: string;
  readonly split: Split | undefined;
  readonly stretches?: readonly TimeWindow[] | undefined;
  readonly where: string;
}

export interface BackgroundOptions {
  readonly label: string;
  /** Share of all samples that background becomes; undefined: as many as the mean class has. */
  readonly share: number | undefined;
  /** Seconds around labelled moments that stay unused, since people mark edges late. */
  readonly marginSec: number;
  readonly seed: number;
}

export interface Background {
  readonly videos: readonly FoundVideo[];
  readonly notes: readonly string[];
}

/**
 * Segments as long as labelled ones, apart from each other, in each film in proportion to its free time. They belong to the split and the
 * groups of the labelled segment nearest to them.
 */
export function backgroundOf(
  labelled: readonly FoundVideo[],
  complete: readonly CompleteFilm[],
  films: Films,
  options: BackgroundOptions,
): Background {
  const { label, share, marginSec, seed } = options;
  const lengths = labelled.flatMap(({ segment, path }) =>
    segment && isRead(films.get(path)) ? [segment.endSec - segment.startSec] : [],
  );
  const byFilm = filmsOf(labelled);
  const places = complete.map((film) => ({ film, free: freeStretches(film, byFilm.get(film.path) ?? [], films, marginSec) }));
  const wanted = lengths.length === 0 ? 0 : countFor(labelled, share);
  const quotas = quotasOf(
    places.map(({ free }) => totalSec(free)),
    wanted,
  );
  const videos = places.flatMap(({ film, free }, i) => {
    const rng = new Rng([seed, 'background', film.name]);
    const drawn = drawSegments(free, lengths, quotas[i] ?? 0, rng);
    return drawn.map((segment) => sampleOf(film, segment, label, byFilm.get(film.path) ?? []));
  });
  return { videos, notes: [noteOf(videos.length, wanted, labelled.length, options)] };
}

function filmsOf(labelled: readonly FoundVideo[]): Map<string, FoundVideo[]> {
  const films = new Map<string, FoundVideo[]>();
  for (const row of labelled) {
    const rows = films.get(row.path);
    if (rows === undefined) films.set(row.path, [row]);
    else rows.push(row);
  }
  return films;
}

function countFor(labelled: readonly FoundVideo[], share: number | undefined): number {
  if (share === undefined) return Math.max(1, Math.round(labelled.length / new Set(labelled.flatMap(labelsOf)).size));
  return Math.round((share / (1 - share)) * labelled.length);
}

function noteOf(drawn: number, wanted: number, labelled: number, { label, marginSec, seed }: BackgroundOptions): string {
  const percent = Math.round((100 * drawn) / Math.max(1, drawn + labelled));
  const fewer = drawn < wanted ? ` (${wanted} were wanted; there is no more room)` : '';
  const apart = `${marginSec} s and more from labelled moments`;
  return `${label}: ${drawn} segments without label, ${percent} % of all${fewer}, ${apart}, seed ${seed}`;
}

function freeStretches(
  { path, stretches }: CompleteFilm,
  labelled: readonly FoundVideo[],
  films: Films,
  marginSec: number,
): TimeWindow[] {
  const film = films.get(path);
  if (!isRead(film) || labelled.some(({ segment }) => segment === undefined)) return [];
  const { startSec, endSec } = film;
  const whole = stretches ?? [{ startSec, endSec }];
  const within = whole.map((each) => ({ startSec: Math.max(each.startSec, startSec), endSec: Math.min(each.endSec, endSec) }));
  const taken = labelled.flatMap(({ segment }) => (segment ? [widened(segment, marginSec)] : []));
  return taken.reduce(without, within.filter(isLong));
}

const widened = ({ startSec, endSec }: TimeWindow, bySec: number): TimeWindow => ({
  startSec: startSec - bySec,
  endSec: endSec + bySec,
});

/** What remains of stretches without one. */
function without(stretches: readonly TimeWindow[], taken: TimeWindow): TimeWindow[] {
  return stretches.flatMap((each) => {
    if (taken.endSec <= each.startSec || taken.startSec >= each.endSec) return [each];
    const before = { startSec: each.startSec, endSec: taken.startSec };
    return [before, { startSec: taken.endSec, endSec: each.endSec }].filter(isLong);
  });
}

/** Less than a millisecond is rounding. */
const isLong = ({ startSec, endSec }: TimeWindow): boolean => endSec - startSec > 1e-3;

const totalSec = (stretches: readonly TimeWindow[]): number =>
  stretches.reduce((sum, { startSec, endSec }) => sum + endSec - startSec, 0);

/** `wanted` divided in proportion to the weights, largest remainders first. */
function quotasOf(weights: readonly number[], wanted: number): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return weights.map(() => 0);
  const exact = weights.map((weight) => (wanted * weight) / total);
  const quotas = exact.map(Math.floor);
  const rest = wanted - quotas.reduce((sum, quota) => sum + quota, 0);
  const byRemainder = [...exact.keys()].sort((a, b) => remainder(exact[b]) - remainder(exact[a]) || a - b);
  for (const i of byRemainder.slice(0, rest)) quotas[i] = (quotas[i] ?? 0) + 1;
  return quotas;
}

const remainder = (value = 0): number => value - Math.floor(value);

/** At uniform places, apart from each other, with lengths drawn from those given or, where none fits, the shortest; in order of time. */
function drawSegments(free: readonly TimeWindow[], lengths: readonly number[], count: number, rng: Rng): TimeWindow[] {
  const drawn: TimeWindow[] = [];
  const shortest = Math.min(...lengths);
  let left = [...free];
  while (drawn.length < count) {
    const wanted = lengths[rng.integer(lengths.length)] as number;
    const segment = placed(left, wanted, rng) ?? placed(left, shortest, rng);
    if (segment === undefined) break;
    drawn.push(segment);
    left = without(left, segment);
  }
  return drawn.sort((a, b) => a.startSec - b.startSec);
}

function placed(free: readonly TimeWindow[], length: number, rng: Rng): TimeWindow | undefined {
  // A stretch that is just long enough counts too.
  const rooms = free.map(({ startSec, endSec }) => Math.max(0, endSec - startSec - length + 1e-3));
  let at = rng.uniform() * rooms.reduce((sum, room) => sum + room, 0);
  const i = rooms.findIndex((room) => {
    if (room > 0 && at < room) return true;
    at -= room;
    return false;
  });
  const stretch = free[i];
  if (stretch === undefined) return undefined;
  const atSec = Math.round((stretch.startSec + at) * 1000) / 1000;
  const startSec = Math.max(stretch.startSec, Math.min(atSec, stretch.endSec - length));
  return { startSec, endSec: Math.min(stretch.endSec, startSec + length) };
}

function sampleOf(film: CompleteFilm, segment: TimeWindow, label: string, labelled: readonly FoundVideo[]): FoundVideo {
  const middle = ({ startSec, endSec }: TimeWindow) => (startSec + endSec) / 2;
  const apart = (row: FoundVideo) => Math.abs(middle(row.segment as TimeWindow) - middle(segment));
  const [first, ...others] = labelled;
  const nearest = first && others.reduce((best, row) => (apart(row) < apart(best) ? row : best), first);
  const { path, name, split, where } = film;
  return { path, name, label, segment, split: nearest ? nearest.split : split, columns: nearest?.columns ?? {}, where };
}
