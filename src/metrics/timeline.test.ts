import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Segment, timeline, type WindowScores } from './timeline.js';

const labels = ['rest', 'wave', 'jump'];
const window = (startSec: number, endSec: number, ...scores: number[]): WindowScores => ({ startSec, endSec, scores });
const brief = (segments: Segment[]) =>
  segments.map(({ startSec, endSec, label, score }) => [startSec, endSec, label, Number(score.toFixed(9))]);

test('overlapping windows are averaged where they overlap', () => {
  // 0-1: [0.8 0.2]; 1-2: mean [0.45 0.55]; 2-3: [0.1 0.9]
  const segments = timeline([window(0, 2, 0.8, 0.2, 0), window(1, 3, 0.1, 0.9, 0)], labels);
  assert.deepEqual(brief(segments), [
    [0, 1, 'rest', 0.8],
    [1, 3, 'wave', 0.725],
  ]);
});

test('equal neighbours are joined, with the score weighted by time', () => {
  assert.deepEqual(brief(timeline([window(0, 1, 0.9, 0.1, 0), window(1, 4, 0.5, 0.4, 0.1)], labels)), [[0, 4, 'rest', 0.6]]);
});

test('a short segment goes to the neighbour that scores higher in it', () => {
  const windows = [window(0, 3, 1, 0, 0), window(3, 3.5, 0.2, 0.3, 0.5), window(3.5, 6, 0, 1, 0)];
  assert.deepEqual(brief(timeline(windows, labels, { minDurationSec: 0.4 })).length, 3);
  assert.deepEqual(brief(timeline(windows, labels, { minDurationSec: 1 })), [
    [0, 3, 'rest', 1],
    [3, 6, 'wave', Number(((0.3 * 0.5 + 2.5) / 3).toFixed(9))],
  ]);
});

test('a flicker between equals does not eat the whole', () => {
  const flicker = Array.from({ length: 8 }, (_, i) => window(i, i + 1, i % 2 ? 0.4 : 0.6, i % 2 ? 0.6 : 0.4, 0));
  const segments = timeline([window(0, 8, 0.34, 0.33, 0.33), ...flicker], labels, { minDurationSec: 2 });
  assert.ok(segments.every(({ startSec, endSec }) => endSec - startSec >= 2));
  assert.deepEqual([segments[0]?.startSec, segments.at(-1)?.endSec], [0, 8]);
});

test('a gap that no window sees stays a gap, and is not crossed', () => {
  const segments = timeline([window(0, 1, 1, 0, 0), window(2, 2.1, 1, 0, 0)], labels, { minDurationSec: 0.5 });
  assert.deepEqual(brief(segments), [
    [0, 1, 'rest', 1],
    [2, 2.1, 'rest', 1],
  ]);
});

test('windows laid end to end leave no gap, whatever floating point makes of their times', () => {
  const windows = Array.from({ length: 100 }, (_, i) => window(i * 0.1, i * 0.1 + 0.1, 1, 0, 0));
  assert.deepEqual(brief(timeline(windows, labels)), [[0, 10, 'rest', 1]]);
});

test('nothing in, nothing out; nonsense is refused', () => {
  assert.deepEqual(timeline([], labels), []);
  assert.throws(() => timeline([window(1, 1, 1, 0, 0)], labels), { name: 'ConfigError', message: /from 1 s to 1 s/ });
  assert.throws(() => timeline([window(-1, 1, 1, 0, 0)], labels), /from -1 s/);
  assert.throws(() => timeline([window(0, Infinity, 1, 0, 0)], labels), /to Infinity s/);
  assert.throws(() => timeline([window(0, 1, 1)], labels), /1 scores; expected one for each of 3/);
  assert.throws(() => timeline([window(0, 1, 1, Number.NaN, 0)], labels), /not a number/);
});

const anyWindow = fc
  .record({
    start: fc.nat({ max: 60 }),
    length: fc.integer({ min: 1, max: 20 }),
    scores: fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)),
  })
  .map(({ start, length, scores }) => window(start / 10, (start + length) / 10, ...scores.map((score) => score / 9)));
const anyWindows = fc.array(anyWindow, { minLength: 1, maxLength: 25 });
const anyMinimum = fc.constantFrom(0, 0.15, 0.5, 1, 100);

test('any windows: what they cover is covered once, in order, and neighbours differ', () => {
  fc.assert(
    fc.property(anyWindows, anyMinimum, (windows, minDurationSec) => {
      const segments = timeline(windows, labels, { minDurationSec });
      for (const [i, segment] of segments.entries()) {
        const before = segments[i - 1];
        assert.ok(segment.endSec > segment.startSec && (!before || before.endSec <= segment.startSec));
        assert.ok(before?.endSec !== segment.startSec || before.labelIndex !== segment.labelIndex);
        assert.ok(segment.score >= 0 && segment.score <= 1 + 1e-12);
      }
      for (let tick = 0; tick < 85; tick++) {
        const sec = (tick + 0.5) / 10;
        const holds = ({ startSec, endSec }: { startSec: number; endSec: number }) => startSec < sec && sec < endSec;
        assert.equal(segments.filter(holds).length, windows.some(holds) ? 1 : 0, `at ${sec} s`);
      }
    }),
  );
});

test('any windows: a segment below the minimum has no neighbour', () => {
  fc.assert(
    fc.property(anyWindows, anyMinimum, (windows, minDurationSec) => {
      const segments = timeline(windows, labels, { minDurationSec });
      for (const [i, { startSec, endSec }] of segments.entries()) {
        const alone = segments[i - 1]?.endSec !== startSec && segments[i + 1]?.startSec !== endSec;
        assert.ok(alone || endSec - startSec >= minDurationSec);
      }
    }),
  );
});

test('the order in which windows are given does not matter', () => {
  fc.assert(
    fc.property(anyWindows, (windows) => {
      const distinct = windows.map((each, i) => ({
        ...each,
        scores: Array.from(each.scores, (score, k) => score + (i + 1) * (k + 1) * 1e-5),
      }));
      const [one, other] = [timeline(distinct, labels), timeline(distinct.toReversed(), labels)];
      assert.equal(one.length, other.length);
      for (const [i, { score, ...place }] of one.entries()) {
        const { score: otherScore = Number.NaN, ...otherPlace } = other[i] ?? {};
        assert.deepEqual(place, otherPlace);
        assert.ok(Math.abs(score - otherScore) < 1e-9);
      }
    }),
  );
});
