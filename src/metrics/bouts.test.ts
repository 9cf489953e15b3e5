import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BoutOptions, boutsOf } from './bouts.js';
import { chooseBouts, defaultBouts, type ScoredFilm } from './chooseBouts.js';
import type { WindowScores } from './timeline.js';

const plain: BoutOptions = { smoothSec: 0, on: 0.5, off: 0.5, minDurationSec: 0, bridgeSec: 0 };
const what = { labels: ['nothing', 'wave', 'bow'], background: 'nothing' };

/** Windows of 2 s every second, whose middles are 1, 2, 3, … s. */
const windows = (scores: readonly (readonly number[])[]): WindowScores[] =>
  scores.map((each, i) => ({ startSec: i, endSec: i + 2, scores: each }));
/** Of one action against nothing. */
const waving = (...scores: number[]) => windows(scores.map((score) => [1 - score, score, 0]));

const brief = (bouts: ReturnType<typeof boutsOf>) =>
  bouts.map(({ startSec, endSec, label }) => [Number(startSec.toFixed(3)), Number(endSec.toFixed(3)), label]);

test('a bout is where the score is above, with edges between windows', () => {
  // Middles 1 to 7: crosses 0.5 half way between 2 and 3, and between 5 and 6.
  assert.deepEqual(brief(boutsOf(waving(0, 0, 1, 1, 1, 0, 0), what, plain)), [[2.5, 5.5, 'wave']]);
  assert.deepEqual(boutsOf(waving(0, 0.4, 0.3), what, plain), []);
});

test('hysteresis: what falls below on but not below off stays one bout, what never reaches on is none', () => {
  const dip = waving(0, 0.9, 0.9, 0.4, 0.9, 0, 0.4, 0.4, 0);
  assert.equal(boutsOf(dip, what, { ...plain, on: 0.8, off: 0.3 }).length, 1);
  assert.equal(boutsOf(dip, what, { ...plain, on: 0.8, off: 0.8 }).length, 2);
});

test('the doubt at an edge is the time over which the score goes from off to on', () => {
  const [bout] = boutsOf(waving(0, 0.25, 0.5, 0.75, 1, 1, 0), what, { ...plain, on: 0.75, off: 0.25 });
  assert.deepEqual(bout?.startsIn, [2, 4]);
  assert.equal(bout?.startSec, 3);
  assert.deepEqual(
    bout?.endsIn.map((sec) => Number(sec.toFixed(3))),
    [6, 7],
  );
});

test('an edge is in doubt from one window to the next even where off is on; not where the film begins or ends', () => {
  const [bout] = boutsOf(waving(0, 0, 1, 1, 0), what, { ...plain, on: 0.5, off: 0.5 });
  assert.ok(bout);
  for (const [[from, to], edge] of [[bout.startsIn, bout.startSec] as const, [bout.endsIn, bout.endSec] as const]) {
    assert.ok(Math.abs(to - from - 1) < 1e-9 && Math.abs((from + to) / 2 - edge) < 1e-9, `${from} to ${to} around ${edge}`);
  }
  const [whole] = boutsOf(waving(1, 1, 1), what, { ...plain, on: 0.5, off: 0.5 });
  assert.deepEqual(
    [whole?.startsIn, whole?.endsIn].map((each) => (each ? each[1] - each[0] : -1)),
    [0, 0],
  );
});

test('a bout at the edge of the film begins and ends with it', () => {
  assert.deepEqual(brief(boutsOf(waving(1, 1, 0, 0, 1), what, plain)), [
    [0, 2.5, 'wave'],
    [4.5, 6, 'wave'],
  ]);
});

test('short bouts are dropped, small gaps bridged, but not over another label', () => {
  const gap = waving(0, 1, 1, 0, 1, 1, 0);
  assert.deepEqual(brief(boutsOf(gap, what, { ...plain, bridgeSec: 1 })), [[1.5, 6.5, 'wave']]);
  assert.equal(boutsOf(gap, what, { ...plain, bridgeSec: 0.5 }).length, 2);
  assert.deepEqual(boutsOf(gap, what, { ...plain, minDurationSec: 2.5 }), []);
  const other = windows([
    [0, 1, 0],
    [0, 1, 0],
    [0, 0, 1],
    [0, 1, 0],
    [0, 1, 0],
  ]);
  assert.deepEqual(
    brief(boutsOf(other, what, { ...plain, bridgeSec: 1 })).map(([, , label]) => label),
    ['wave', 'bow', 'wave'],
  );
  // The short one between goes first, then the gap is bridged.
  assert.deepEqual(brief(boutsOf(other, what, { ...plain, bridgeSec: 1, minDurationSec: 1.2 })), [[0, 6, 'wave']]);
});

test('smoothing is the mean of the windows around', () => {
  const flicker = waving(0, 0, 1, 0, 1, 1, 0, 0);
  assert.equal(boutsOf(flicker, what, plain).length, 2);
  assert.equal(boutsOf(flicker, what, { ...plain, smoothSec: 2 }).length, 1);
});

test('several labels at once, each by its threshold', () => {
  const both = windows([
    [0.1, 0.6, 0.6],
    [0.1, 0.9, 0.6],
    [0.1, 0.6, 0.6],
  ]);
  const many = { labels: ['sit', 'wave', 'bow'], many: true };
  assert.deepEqual(
    boutsOf(both, many, plain).map(({ label }) => label),
    ['wave', 'bow'],
  );
  assert.deepEqual(
    boutsOf(both, { ...many, thresholds: [0.05, 0.95, 0.6] }, plain).map(({ label }) => label),
    ['sit', 'bow'],
  );
});

test('contradictory options and impossible windows are refused', () => {
  assert.throws(() => boutsOf([], what, { ...plain, off: 0.9 }), { name: 'ConfigError', message: /off <= on/ });
  assert.throws(() => boutsOf([], what, { ...plain, bridgeSec: -1 }), /bridgeSec: expected seconds from 0, got -1/);
  assert.throws(() => boutsOf([{ startSec: 1, endSec: 1, scores: [0, 0, 1] }], what, plain), /from 1 s to 1 s/);
});

const anyScores = fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)).map((parts) => {
  const sum = parts.reduce((total, part) => total + part, 0) || 1;
  return parts.map((part) => part / sum);
});
const anyWindows = fc
  .record({ scores: fc.array(anyScores, { minLength: 1, maxLength: 40 }), stride: fc.constantFrom(0.25, 0.5, 1, 3) })
  .map(({ scores, stride }) =>
    scores.map((each, i): WindowScores => ({ startSec: i * stride, endSec: i * stride + 2, scores: each })),
  );
const anyOptions: fc.Arbitrary<BoutOptions> = fc.record({
  smoothSec: fc.constantFrom(0, 1, 2.5),
  on: fc.constantFrom(0.5, 0.7),
  off: fc.constantFrom(0.1, 0.3, 0.5),
  minDurationSec: fc.constantFrom(0, 0.5, 2),
  bridgeSec: fc.constantFrom(0, 0.5, 3),
});

test('any windows: bouts are inside what is seen, long enough, apart and in order', () => {
  fc.assert(
    fc.property(anyWindows, anyOptions, (seen, options) => {
      const bouts = boutsOf(seen, what, options);
      for (const [i, { startSec, endSec, label, score, startsIn, endsIn }] of bouts.entries()) {
        const before = bouts[i - 1];
        assert.ok(startSec >= 0 && endSec <= (seen.at(-1)?.endSec ?? 0) + 1e-9);
        assert.ok(endSec - startSec >= options.minDurationSec - 1e-9 && endSec > startSec);
        assert.ok(!before || before.endSec <= startSec + 1e-9);
        assert.ok(before?.label !== label || startSec - before.endSec > options.bridgeSec - 1e-9);
        assert.ok(label !== 'nothing' && score >= options.off - 1e-9 && score <= 1 + 1e-9);
        assert.ok(startsIn[0] <= startsIn[1] + 1e-9 && endsIn[0] <= endsIn[1] + 1e-9);
      }
    }),
  );
});

test('the choice finds options that mend flicker, and never does worse than the defaults', () => {
  // Bouts of 6 s with a hole in each: bridging or smoothing joins the halves.
  const seconds = Array.from({ length: 120 }, (_, i) => (i % 12 < 6 && i % 12 !== 3 ? 1 : 0));
  const film = {
    windows: seconds.map((score, i) => ({ startSec: i, endSec: i + 1, scores: [1 - score, score, 0] })),
    truth: Array.from({ length: 10 }, (_, i) => ({ startSec: 12 * i, endSec: 12 * i + 6, label: 'wave' })),
    durationSec: 120,
  };
  const { options, f1, f1Before } = chooseBouts([film], what, 1);
  assert.ok(f1Before < 0.9 && f1 === 1, `${f1Before} -> ${f1}`);
  assert.equal(boutsOf(film.windows, what, options).length, 10);
});

test('smoothing takes the windows within half its length on both sides', () => {
  const smooth = { ...plain, smoothSec: 2, on: 0.3, off: 0.3 };
  assert.deepEqual(brief(boutsOf(waving(0, 0, 0, 1, 0, 0, 0), what, smooth)), [[2.9, 5.1, 'wave']]);
});

test('gaps are bridged before short bouts are dropped, and over other labels where several hold at once', () => {
  const pieces = waving(0, 1, 0, 1, 0, 1, 0);
  assert.deepEqual(brief(boutsOf(pieces, what, { ...plain, bridgeSec: 1, minDurationSec: 3 })), [[1.5, 6.5, 'wave']]);
  const scores = [1, 1, 0, 1, 1].map((wave) => [0, wave, 1 - wave]);
  const bouts = boutsOf(windows(scores), { ...what, many: true }, { ...plain, bridgeSec: 1 });
  assert.deepEqual(brief(bouts), [
    [0, 6, 'wave'],
    [2.5, 3.5, 'bow'],
  ]);
});

test('one label gives way to the next where their scores cross', () => {
  const scores = windows([
    [0, 0.9, 0.1],
    [0, 0.4, 0.6],
  ]);
  assert.deepEqual(brief(boutsOf(scores, what, { ...plain, on: 0.2, off: 0.2 })), [
    [0, 1.8, 'wave'],
    [1.8, 3, 'bow'],
  ]);
});

test('the defaults stay where others gain less than chance gives', () => {
  // One bout of 20 is too short for the default least length.
  const scores = Array.from({ length: 20 }, (_, i) => [0, 0, 0, 1, ...(i === 0 ? [] : [1, 1, 1]), 0, 0, 0]).flat();
  const starts = scores.flatMap((score, i) => (score === 1 && scores[i - 1] === 0 ? [i] : []));
  const truth = starts.map((start, i) => ({ startSec: start + 0.5, endSec: start + (i === 0 ? 1.5 : 4.5), label: 'wave' }));
  const film: ScoredFilm = { windows: waving(...scores), truth, durationSec: scores.length + 1 };
  const { options, f1, f1Before } = chooseBouts([film], what, 3);
  assert.ok(f1Before < 1 && f1 === f1Before, `${f1Before} -> ${f1}`);
  assert.deepEqual(options, defaultBouts(3));
});
