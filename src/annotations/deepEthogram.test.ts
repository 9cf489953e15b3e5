import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AnnotatedFilm, Annotations } from './annotations.js';
import { brief, readAs, roundTrip } from './annotations.test.fixture.js';
import type { ReadChoices } from './format.js';
import { writeAnnotations, writerNamed } from './formats.js';

const read = (text: string, choices: ReadChoices = { fps: 10 }) => readAs('deepethogram', 'mouse 1_labels.csv', text, choices);

test('runs of 1 from i to j are [i/fps, (j+1)/fps), several classes at once are legal; the film is named by the stem', () => {
  const result = read(',background,run,hop\n0,1,0,0\n1,0,1,1\n2,0,1,0\n3,1,0,0\n4,0,0,1\n');
  assert.deepEqual(brief(result), ['mouse 1 0.1-0.3 run', 'mouse 1 0.1-0.2 hop', 'mouse 1 0.4-0.5 hop']);
  const [film] = result.films;
  assert.deepEqual([film?.durationSec, film?.complete, result.labels], [0.5, [{ startSec: 0, endSec: 0.5 }], ['run', 'hop']]);
});

test('-1 is "not looked at", never background: unfinished rows, and a class added later as -1.0', () => {
  const result = read(',background,run,hop\n0,1,0,0\n1,-1,-1,-1\n2,0,1,-1.0\n3,1,0,0\n');
  assert.deepEqual(result.films[0]?.complete, [
    { startSec: 0, endSec: 0.1 },
    { startSec: 0.3, endSec: 0.4 },
  ]);
  assert.deepEqual(brief(result), ['mouse 1 0.2-0.3 run']);
  assert.deepEqual(result.notes, ['2 of 4 frames not looked at for every class: no background']);
});

test('the background column may be called none, or be missing', () => {
  for (const text of [',none,run\n0,1,0\n1,0,1\n', ',run\n0,0\n1,1\n']) {
    assert.deepEqual([brief(read(text)), read(text).labels], [['mouse 1 0.1-0.2 run'], ['run']]);
  }
});

test('no fps is asked for', () => {
  assert.throws(
    () => read(',background,run\n0,1,0\n', {}),
    /mouse 1_labels\.csv: a table of frames without times; expected --fps/,
  );
});

test('a row that is missing, other values and short rows are errors with their row', () => {
  const fails = (rows: string, message: RegExp) => assert.throws(() => read(`,background,run\n0,1,0\n${rows}`), { message });
  fails('2,1,0\n', /^mouse 1_labels\.csv:3: expected frame 1, got "2"$/);
  fails('1,1,0.5\n', /^mouse 1_labels\.csv:3: expected 1, 0 or -1 \(not looked at\), got "0\.5"$/);
  fails('1,1\n', /^mouse 1_labels\.csv:3: expected 3 cells, got 2$/);
});

const film = (moments: readonly (readonly [number, number, string])[], rest: object = {}): Annotations => ({
  films: [
    {
      ...{ film: 'a.mp4', fps: 10, durationSec: 1, where: 'x' },
      moments: moments.map(([startSec, endSec, label]) => ({ startSec, endSec, labels: [label], where: 'x' })),
      ...rest,
    },
  ],
  notes: [],
});

const written = (given: Annotations) => {
  const { files, losses } = writeAnnotations(writerNamed('deepethogram'), given);
  return [files[0]?.content, losses.map(({ count, what }) => `${count} ${what}`)];
};

test('written: frames outside of complete stretches are -1, also beside a label; background only where somebody looked', () => {
  const given = film(
    [
      [0.1, 0.2, 'run'],
      [0.3, 0.4, 'hop'],
    ],
    { durationSec: 0.5, complete: [{ startSec: 0, endSec: 0.3 }] },
  );
  assert.deepEqual(written(given), [',background,run,hop\n0,1,0,0\n1,0,1,0\n2,1,0,0\n3,0,-1,1\n4,-1,-1,-1\n', []]);
});

test('what a grid of frames cannot keep is counted: points, short and joined moments, what lies beyond the end', () => {
  const moments = [
    [0.55, 0.55, 'hop'],
    [0.01, 0.02, 'run'],
    [0.1, 0.3, 'run'],
    [0.3, 0.4, 'run'],
    [0.8, 3, 'run'],
  ] as const;
  assert.deepEqual(written(film(moments))[1], [
    ...['1 points (written as one frame)', '1 moments shorter than a frame', '1 moments joined with one of their class'],
    '1 moments cut at the end of the film',
  ]);
  const losses = written(film([[0, 1, 'run']], { durationSec: undefined }))[1];
  assert.deepEqual(losses, ['1 lengths of films (not stated: rows end with the last moment)']);
});

test('a point is the frame that it falls in, by more than binary dust; moments that move to whole frames are counted', () => {
  // 0.29 * 100 is less than 29 in binary fractions.
  const [content] = written(
    film([[0.29, 0.29, 'hop']], { fps: 100, durationSec: 0.3, complete: [{ startSec: 0, endSec: 0.3 }] }),
  );
  assert.match(String(content), /\n28,1,0\n29,0,1\n$/);
  const moved = film([
    [0.25, 0.5, 'run'],
    [0.6, 0.7, 'hop'],
  ]);
  assert.deepEqual(written(moved)[1], ['1 moments moved to whole frames']);
});

test('a rate that is not stated is asked for, and a class must not be called background', () => {
  assert.throws(() => written(film([], { fps: undefined })), /the rate of a\.mp4 is not stated; expected --fps/);
  assert.throws(() => written(film([[0, 1, 'Background']])), /DeepEthogram keeps the name Background/);
});

const frames = 40;
const spans = fc
  .tuple(fc.integer({ min: 0, max: frames }), fc.integer({ min: 0, max: frames }))
  .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));

/** Which of some half-open spans hold, frame by frame. */
type Stretch = { startSec: number; endSec: number };
const perFrame = (found: readonly Stretch[], fps: number) =>
  Array.from({ length: frames }, (_, i) =>
    found.some(({ startSec, endSec }) => startSec * fps < i + 0.5 && endSec * fps > i + 0.5),
  );

test('round trip: every frame keeps its labels and whether somebody looked at it', () => {
  const arbitrary = fc.record({
    fps: fc.constantFrom(24, 25, 30000 / 1001),
    moments: fc.array(fc.record({ span: spans, label: fc.constantFrom('run', 'hop', 'sit, or not') }), { maxLength: 6 }),
    complete: fc.array(spans, { maxLength: 2 }),
  });
  fc.assert(
    fc.property(arbitrary, ({ fps, moments, complete }) => {
      const seconds = ({ from, to }: { from: number; to: number }) => ({ startSec: from / fps, endSec: to / fps });
      const given = {
        labels: ['run', 'hop', 'sit, or not'],
        films: [
          {
            ...{ film: 'a.mp4', fps, durationSec: frames / fps, complete: complete.map(seconds), where: 'x' },
            moments: moments
              .filter(({ span }) => span.to > span.from)
              .map(({ span, label }) => ({ ...seconds(span), labels: [label], where: 'x' })),
          },
        ],
        notes: [],
      };
      const { back } = roundTrip(writerNamed('deepethogram'), given, { fps });
      const [before, after] = [given.films[0], back.films[0]] as [AnnotatedFilm, AnnotatedFilm];
      const perLabel = ({ moments: found }: AnnotatedFilm) =>
        given.labels.map((label) => perFrame(found.filter(({ labels }) => labels.includes(label)) as Stretch[], fps));
      assert.deepEqual(perLabel(after), perLabel(before));
      const all = perLabel(before).reduce((every, is) => every.map((held, i) => held && is[i] === true));
      const looked = perFrame(before.complete ?? [], fps).map((is, i) => is || all[i] === true);
      assert.deepEqual(perFrame(after.complete ?? [], fps), looked);
    }),
    { numRuns: 150 },
  );
});
