/**
 * The metrics against an independent implementation: whole tenths of seconds as frames, straight from the definitions of ActivityNet's
 * evaluation, of Lea et al. (2017) and of Levenshtein's distance.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Rng } from '../../rng.js';
import { segmentMetrics } from './segmentMetrics.js';
import type { FilmSegments, LabelledSegment, ScoredSegment } from './segments.js';

const segment = (startSec: number, endSec: number, label: string): LabelledSegment => ({ startSec, endSec, label });
const scored = (startSec: number, endSec: number, label: string, score = 0.5): ScoredSegment => ({
  ...segment(startSec, endSec, label),
  score,
});

// Frames of a film: what is true in each, by number of the segment.
type Frames = readonly (readonly number[])[];
const framesOf = (segments: readonly LabelledSegment[], frames: number): Frames =>
  Array.from({ length: frames }, (_, frame) => [...segments.keys()].filter((i) => covers(segments[i], frame)));
const covers = (each: LabelledSegment | undefined, frame: number) =>
  each !== undefined && Math.round(each.startSec * 10) <= frame && frame < Math.round(each.endSec * 10);

/** Intersection over union of two segments by counting frames. */
function iou(a: LabelledSegment, b: LabelledSegment, frames: number): number {
  let [both, either] = [0, 0];
  for (let frame = 0; frame < frames; frame++) {
    const [inA, inB] = [covers(a, frame), covers(b, frame)];
    if (inA && inB) both++;
    if (inA || inB) either++;
  }
  return both / either;
}

interface Film extends FilmSegments {
  readonly frames: number;
}

/** eval_detection.py in other words: a lock for each true segment, precision and recall after each prediction. */
function activityNetAp(films: readonly Film[], label: string, threshold: number): number {
  const all = films.flatMap((film) => film.predicted.filter((each) => each.label === label).map((each) => ({ film, each })));
  all.sort((a, b) => b.each.score - a.each.score);
  const locked = new Set<LabelledSegment>();
  const positives = films.flatMap(({ truth }) => truth.filter((each) => each.label === label)).length;
  const points: { precision: number; recall: number }[] = [];
  let [tp, fp] = [0, 0];
  for (const { film, each } of all) {
    const candidates = film.truth
      .filter((other) => other.label === label)
      .map((other) => ({ other, share: iou(each, other, film.frames) }))
      .sort((a, b) => b.share - a.share);
    const match = candidates.find(({ other, share }) => share >= threshold && !locked.has(other));
    if (match) locked.add(match.other);
    if (match) tp++;
    else fp++;
    points.push({ precision: tp / (tp + fp), recall: tp / positives });
  }
  // The area under the interpolated curve as a sum over the recalls that can be reached.
  let area = 0;
  for (let found = 1; found <= positives; found++) {
    const beyond = points.filter(({ recall }) => recall >= found / positives - 1e-12).map(({ precision }) => precision);
    area += Math.max(0, ...beyond) / positives;
  }
  return area;
}

const background = '-';
/** Frame-wise label of a film without overlaps, as temporal segmentation has it. */
const track = (segments: readonly LabelledSegment[], frames: number): string[] =>
  framesOf(segments, frames).map(([first]) => (first === undefined ? background : (segments[first]?.label ?? '')));

/** Runs of equal labels; two touching segments of one label are one run, so the films below have none. */
function runs(labels: readonly string[], without: readonly string[]): { label: string; start: number; end: number }[] {
  const out: { label: string; start: number; end: number }[] = [];
  labels.forEach((label, frame) => {
    if (frame > 0 && labels[frame - 1] === label) (out.at(-1) as { end: number }).end = frame + 1;
    else out.push({ label, start: frame, end: frame + 1 });
  });
  return out.filter(({ label }) => !without.includes(label));
}

/** f_score of MS-TCN's eval.py: true and false positives and false negatives of a film. */
function msTcnCounts(truth: readonly string[], predicted: readonly string[], overlap: number, without: readonly string[]) {
  const [y, p] = [runs(truth, without), runs(predicted, without)];
  const hits = y.map(() => 0);
  let [tp, fp] = [0, 0];
  for (const each of p) {
    const shares = y.map((other) => {
      const intersection = Math.min(each.end, other.end) - Math.max(each.start, other.start);
      const union = Math.max(each.end, other.end) - Math.min(each.start, other.start);
      return other.label === each.label ? intersection / union : 0;
    });
    let best = 0;
    for (const [i, share] of shares.entries()) if (share > (shares[best] ?? 0)) best = i;
    if ((shares[best] ?? 0) >= overlap && hits[best] === 0) {
      tp++;
      hits[best] = 1;
    } else fp++;
  }
  return { tp, fp, fn: y.length - hits.filter((hit) => hit === 1).length };
}

/** Levenshtein's distance by its recursive definition. */
function distance(a: readonly string[], b: readonly string[]): number {
  const known = new Map<string, number>();
  const of = (i: number, j: number): number => {
    if (i === 0 || j === 0) return i + j;
    const key = `${i},${j}`;
    const value =
      known.get(key) ?? Math.min(of(i - 1, j) + 1, of(i, j - 1) + 1, of(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1));
    known.set(key, value);
    return value;
  };
  return of(a.length, b.length);
}

const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function segmentationByFrames(films: readonly Film[], without: readonly string[]) {
  const tracks = films.map(({ truth, predicted, frames }) => ({ y: track(truth, frames), p: track(predicted, frames) }));
  const f1 = [0.1, 0.25, 0.5].map((overlap) => {
    const counts = tracks.map(({ y, p }) => msTcnCounts(y, p, overlap, without));
    const [tp, fp, fn] = (['tp', 'fp', 'fn'] as const).map((key) => counts.reduce((sum, each) => sum + each[key], 0)) as [
      number,
      number,
      number,
    ];
    const [precision, recall] = [tp / (tp + fp), tp / (tp + fn)];
    return tp === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  });
  const edits = tracks.map(({ y, p }) => {
    const [a, b] = [runs(y, without), runs(p, without)].map((all) => all.map(({ label }) => label)) as [string[], string[]];
    return a.length + b.length === 0 ? 1 : 1 - distance(a, b) / Math.max(a.length, b.length);
  });
  const pairs = tracks.flatMap(({ y, p }) => y.map((label, i) => [label, p[i] ?? ''] as const));
  const counted = pairs.filter(([label]) => !without.includes(label));
  const labels = [...new Set(counted.map(([label]) => label))].sort();
  const f1s = labels.map((label) => {
    const right = pairs.filter(([y, p]) => y === label && p === label).length;
    return (2 * right) / (pairs.filter(([y]) => y === label).length + pairs.filter(([, p]) => p === label).length);
  });
  const accuracy = counted.filter(([y, p]) => y === p).length / counted.length;
  return { f1, edit: average(edits), accuracy, meanF1: average(f1s) };
}

/** Segments without overlap, none touching one of its own label. */
function randomTimeline(rng: Rng, frames: number, labels: readonly string[]): LabelledSegment[] {
  const out: LabelledSegment[] = [];
  for (let at = rng.integer(12); at < frames; ) {
    const end = Math.min(at + 1 + rng.integer(30), frames);
    const last = out.at(-1);
    const choices = labels.filter((label) => !(last && Math.round(last.endSec * 10) === at && last.label === label));
    out.push(segment(at / 10, end / 10, rng.pick(choices)));
    at = end + (rng.chance(0.4) ? 0 : rng.integer(20));
  }
  return out;
}

/** The truth with shifted edges, wrong labels, missing and invented segments. */
function guessed(rng: Rng, truth: readonly LabelledSegment[], frames: number, labels: readonly string[]): ScoredSegment[] {
  if (rng.chance(0.2)) return randomTimeline(rng, frames, labels).map((each) => ({ ...each, score: rng.uniform() }));
  const out: ScoredSegment[] = [];
  for (const { startSec, endSec, label } of truth) {
    const from = Math.max(Math.round(startSec * 10) + rng.integer(9) - 4, Math.round((out.at(-1)?.endSec ?? 0) * 10) + 1);
    const to = Math.min(Math.round(endSec * 10) + rng.integer(9) - 4, frames);
    if (to <= from || rng.chance(0.15)) continue;
    out.push(scored(from / 10, to / 10, rng.chance(0.2) ? rng.pick(labels) : label, rng.uniform()));
  }
  return out;
}

function randomFilm(rng: Rng, labels: readonly string[]): Film {
  const frames = 20 + rng.integer(180);
  const truth = randomTimeline(rng, frames, labels);
  return { truth, predicted: guessed(rng, truth, frames, labels), durationSec: frames / 10, frames };
}

const near = (value: number, wanted: number, what: string) =>
  assert.ok(Math.abs(value - wanted) < 1e-9 || (Number.isNaN(value) && Number.isNaN(wanted)), `${what}: ${value}, not ${wanted}`);

test('equal to an independent implementation on 1,000 random timelines', () => {
  let films = 0;
  for (let seed = 0; films < 1000; seed++) {
    const rng = new Rng([seed, 'timelines']);
    const labels = ['a', 'b', 'c', 'd', 'e'].slice(0, 2 + rng.integer(4));
    const set = Array.from({ length: 1 + rng.integer(5) }, () => randomFilm(rng, labels));
    if (set.every(({ truth }) => truth.length === 0)) continue;
    films += set.length;
    const result = segmentMetrics(set);
    const present = [...new Set(set.flatMap(({ truth }) => truth.map(({ label }) => label)))];
    for (const { overlap, value } of result.map) {
      near(value, average(present.map((label) => activityNetAp(set, label, overlap))), `seed ${seed} mAP at ${overlap}`);
    }
    near(result.averageMap, average(result.map.map(({ value }) => value)), `seed ${seed} mean mAP`);
    for (const [scores, without] of [
      [result, [background]],
      [result.withBackground, []],
    ] as const) {
      const wanted = segmentationByFrames(set, without);
      for (const [i, { overlap, value }] of scores.f1.entries()) {
        near(value, wanted.f1[i] ?? Number.NaN, `seed ${seed} F1 at ${overlap}`);
      }
      for (const key of ['edit', 'accuracy', 'meanF1'] as const) near(scores[key], wanted[key], `seed ${seed} ${key}`);
    }
    for (const { label, averagePrecision } of result.perClass) {
      near(averagePrecision, activityNetAp(set, label, 0.5), `seed ${seed} AP of ${label}`);
    }
  }
});

test('mAP of labels that overlap in time is the independent one too', () => {
  for (let seed = 0; seed < 100; seed++) {
    const rng = new Rng([seed, 'many']);
    const labels = ['a', 'b'];
    const frames = 100;
    const truth = [...randomTimeline(rng, frames, labels), ...randomTimeline(rng, frames, labels)];
    const predicted = [...guessed(rng, truth, frames, labels), ...guessed(rng, truth, frames, labels)];
    const film = { truth, predicted, durationSec: frames / 10, frames };
    for (const { overlap, value } of segmentMetrics([film]).map) {
      const present = [...new Set(truth.map(({ label }) => label))];
      near(value, average(present.map((label) => activityNetAp([film], label, overlap))), `seed ${seed} at ${overlap}`);
    }
  }
});

describe('by hand', () => {
  const film = (truth: LabelledSegment[], predicted: ScoredSegment[], durationSec = 20): FilmSegments => ({
    truth,
    predicted,
    durationSec,
  });
  const f1Of = (films: readonly FilmSegments[]) => segmentMetrics(films).f1.map(({ value }) => Number(value.toFixed(3)));

  test('a perfect timeline scores 1 everywhere', () => {
    const truth = [segment(2, 5, 'wave'), segment(8, 11, 'bow')];
    const { map, f1, edit, accuracy, meanF1, withBackground } = segmentMetrics([
      film(
        truth,
        truth.map((each) => ({ ...each, score: 1 })),
      ),
    ]);
    assert.deepEqual(
      [...map.map(({ value }) => value), ...f1.map(({ value }) => value), edit, accuracy, meanF1],
      Array(11).fill(1),
    );
    assert.deepEqual([withBackground.edit, withBackground.accuracy, withBackground.meanF1], [1, 1, 1]);
  });

  test('nothing predicted scores 0, and with background what stays right', () => {
    const { averageMap, f1, edit, accuracy, withBackground } = segmentMetrics([film([segment(0, 5, 'wave')], [])]);
    assert.deepEqual([averageMap, f1[0]?.value, edit, accuracy], [0, 0, 0, 0]);
    assert.equal(withBackground.accuracy, 0.75);
  });

  test('an overlap that is exactly the threshold counts', () => {
    const { map } = segmentMetrics([film([segment(0, 10, 'wave')], [scored(0, 5, 'wave')])]);
    assert.deepEqual(
      map.map(({ value }) => value),
      [1, 1, 1, 0, 0],
    );
  });

  test('a segment broken in two is one hit and one miss; the better scored piece counts for mAP', () => {
    const films = [film([segment(0, 10, 'wave')], [scored(0, 6, 'wave', 0.2), scored(6, 10, 'wave', 0.9)])];
    assert.deepEqual(f1Of(films), [0.667, 0.667, 0.667]);
    // At 0.5 only the longer piece, ranked second: precision 1/2 at recall 1.
    assert.equal(segmentMetrics(films).map[2]?.value, 0.5);
  });

  test('the right order at the wrong time keeps the edit score', () => {
    const films = [film([segment(0, 2, 'wave'), segment(4, 6, 'bow')], [scored(2, 4, 'wave'), scored(6, 8, 'bow')])];
    assert.deepEqual([segmentMetrics(films).edit, f1Of(films)[0]], [1, 0]);
  });

  test('several labels at once: the share of common ones', () => {
    const truth = [segment(0, 10, 'wave'), segment(5, 10, 'walk')];
    const { accuracy } = segmentMetrics([film(truth, [scored(0, 10, 'wave')])]);
    assert.equal(accuracy, (5 * 1 + 5 * 0.5) / 10);
  });

  test('nonsense is refused', () => {
    assert.throws(() => segmentMetrics([]), { name: 'ConfigError', message: /no labelled segment/ });
    assert.throws(() => segmentMetrics([film([segment(3, 3, 'wave')], [])]), /a segment of wave lasts from 3 s to 3 s/);
    assert.throws(() => segmentMetrics([film([segment(0, 3, 'wave')], [scored(0, 3, 'wave', Number.NaN)])]), /has the score NaN/);
  });
});
