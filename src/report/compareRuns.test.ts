import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tinyCheckpoint } from '../../test/support/randomWeights.js';
import type { EvaluatedVideo } from '../inference/evaluate.js';
import { computeMetrics } from '../metrics/metrics.js';
import { aligned, type ComparedRun, disagreements, pairTests, seedGroups } from './compareRuns.js';
import { pText } from './comparisonPage.js';

function rowsOf(correct: readonly boolean[]): EvaluatedVideo[] {
  return correct.map((each, i) => {
    const [score, predicted] = [0.5 + i / 100, each ? 'a' : 'b'];
    return {
      path: `/nowhere/${i}.mp4`,
      name: `${i}.mp4`,
      label: 'a',
      predicted,
      correct: each,
      score,
      scores: each ? [1, 0] : [0, 1],
    };
  });
}

function compared(name: string, rows: readonly EvaluatedVideo[]): ComparedRun {
  const metrics = computeMetrics(
    rows.map(({ scores }) => ({ labelIndex: 0, scores })),
    ['a', 'b'],
  );
  const result = {
    split: 'val',
    dataPath: 'data',
    data: undefined,
    evaluation: { metrics, rows },
    seconds: 1,
    notes: [],
  } as const;
  return { name, run: {} as ComparedRun['run'], result };
}

/** Ten videos: both right on the first, only the first run on one, only the second on eight. */
const first = rowsOf([true, true, ...Array<boolean>(8).fill(false)]);
const second = rowsOf([true, false, ...Array<boolean>(8).fill(true)]);

test('McNemar: one against eight is p = 20 / 512', () => {
  const { tests, untested } = pairTests([compared('x', first), compared('y', second)]);
  assert.deepEqual(untested, []);
  const [pair] = tests;
  assert.deepEqual([pair?.videos, pair?.onlyFirst, pair?.onlySecond], [10, 1, 8]);
  assert.ok(Math.abs((pair?.p ?? 0) - 20 / 512) < 1e-12);
  assert.equal(pText(pair?.p ?? 0), '0.039');
});

test('three runs: p is made stricter, and what was tested on other videos is not compared', () => {
  const other = first.map((row) => ({ ...row, name: `x${row.name}`, path: `/else/${row.name}` }));
  const { tests, untested } = pairTests([
    compared('x', first),
    compared('y', second),
    compared('z', first),
    compared('w', other),
  ]);
  assert.deepEqual(untested, [
    [0, 3],
    [1, 3],
    [2, 3],
  ]);
  assert.deepEqual(
    tests.map((pair) => [pair.first, pair.second, Math.round(pair.adjusted * 512)]),
    [
      [0, 1, 60],
      [0, 2, 512],
      [1, 2, 60],
    ],
  );
});

test('a run given twice, or repeated with its seed, counts once in the mean over seeds', () => {
  const best = tinyCheckpoint({ labels: ['a', 'b'] });
  const of = (seed: number, rows: readonly EvaluatedVideo[]) => ({
    ...compared(String(seed), rows),
    run: { best, recipe: { lr: 0.1, seed }, digest: 'd', rows: [] } as unknown as ComparedRun['run'],
  });
  assert.deepEqual(seedGroups([of(0, first), of(0, first)]), []);
  const [group] = seedGroups([of(0, first), of(0, first), of(1, second)]);
  assert.deepEqual(group?.members, [0, 2]);
  assert.ok(Math.abs((group?.mean ?? 0) - (0.2 + 0.9) / 2) < 1e-12);
});

test('the same videos are the same files, or those of the same name, each with the same label', () => {
  const names = (rows: readonly EvaluatedVideo[] | undefined) => rows?.map(({ name }) => name);
  assert.deepEqual(names(aligned(first, [...second].reverse())), names(first));
  const renamed = second.map((row) => ({ ...row, name: `of a list/${row.name}` }));
  assert.deepEqual(names(aligned(first, renamed)), names(renamed));
  const moved = second.map((row) => ({ ...row, path: `/else/${row.name}` }));
  assert.deepEqual(names(aligned(first, moved)), names(first));
  assert.equal(aligned(first, second.slice(1)), undefined);
  assert.equal(aligned(first.slice(1), second), undefined);
  const other = second.map((row, i) => (i === 3 ? { ...row, label: 'b' } : row));
  assert.equal(aligned(first, other), undefined);
});

test('disagreements come with every answer, the surest mistake first', () => {
  const found = disagreements([compared('x', first), compared('y', second)]);
  assert.equal(found.length, 9);
  assert.deepEqual([found[0]?.video.name, found.at(-1)?.video.name], ['9.mp4', '1.mp4']);
  assert.deepEqual(
    found[0]?.answers.map(({ correct }) => correct),
    [false, true],
  );
});
