import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tinyCheckpoint } from '../../../test/support/randomWeights.js';
import type { Checkpoint } from '../../weights/checkpoint.js';
import { trainOptions } from '../recipe/options.js';
import { type AverageParts, averageWithProbe } from './weightAverage.js';

const labels = ['a', 'b'];

/** Logits of two videos, one of each class, by the share of the tuned weights. */
type Answers = (share: number) => readonly [readonly [number, number], readonly [number, number]];

/** Weights all 0 for the probe and all 1 for the last epoch, so that the first parameter is the share of the tuned weights. */
function parts(answers: Answers, best: { top1: number; loss: number; epoch: number }) {
  const checkpoint = tinyCheckpoint({ labels });
  const filled = (value: number): Checkpoint => ({
    ...checkpoint,
    parameters: checkpoint.parameters.map(() => value),
    statistics: checkpoint.statistics.map(() => value),
  });
  const saved: Checkpoint[] = [];
  let share = Number.NaN;
  const fake = {
    config: checkpoint.config,
    options: trainOptions({ batch: 2 }),
    data: { root: 'data', labels, videos: ['a', 'b'].map((label, labelIndex) => ({ label, labelIndex, split: 'val' })) },
    loader: {
      *batches() {
        yield { clips: {}, labels: Int32Array.of(0, 1) };
      },
    },
    session: {
      setWeights: ({ parameters }: Checkpoint) => {
        share = parameters[0] ?? Number.NaN;
      },
      logits: () => Float32Array.from(answers(share).flat()),
    },
    folder: {
      readProbe: () => filled(0),
      readLast: () => filled(1),
      saveBest: (each: Checkpoint) => saved.push(each),
    },
    outcome: { bestTop1: best.top1, bestLoss: best.loss, bestEpoch: best.epoch },
    onEvent: () => {},
  };
  return { given: fake as unknown as AverageParts, saved };
}

const sure = 3;

test('the average of least loss is kept, with its share', async () => {
  const { given, saved } = parts(
    (share) => [
      [1 + share * (1 - share) * 8, 0],
      [0, 1],
    ],
    { top1: 1, loss: 0.3, epoch: 2 },
  );
  const kept = await averageWithProbe(given);
  assert.equal(kept?.tunedShare, 0.5);
  assert.equal(saved.length, 1);
  assert.ok(saved[0]?.parameters.every((value) => value === 0.5) && saved[0].statistics.every((value) => value === 0.5));
  assert.equal(saved[0]?.notes['tunedShare'], '0.5');
});

test('where tuning destroyed what was learnt, the probe is kept', async () => {
  const { given, saved } = parts(
    (share) =>
      share === 0
        ? [
            [sure, 0],
            [0, sure],
          ]
        : [
            [0, sure],
            [sure, 0],
          ],
    { top1: 1, loss: 9, epoch: 0 },
  );
  assert.equal((await averageWithProbe(given))?.tunedShare, 0);
  assert.ok(saved[0]?.parameters.every((value) => value === 0));
});

test('less loss does not count where fewer answers are right than the probe gives', async () => {
  // The probe is right twice, hardly; all others are very sure of one and barely wrong in the other.
  const { given } = parts(
    (share) =>
      share === 0
        ? [
            [0.01, 0],
            [0, 0.01],
          ]
        : [
            [9, 0],
            [0.02, 0],
          ],
    { top1: 0.5, loss: 0.3, epoch: 3 },
  );
  assert.equal((await averageWithProbe(given))?.tunedShare, 0);
});

test('the best epoch stays where no average is better, and without validation videos nothing is averaged', async () => {
  const { given, saved } = parts(
    () => [
      [1, 0],
      [0, 1],
    ],
    { top1: 1, loss: 0.01, epoch: 4 },
  );
  const kept = await averageWithProbe(given);
  assert.equal(kept?.tunedShare, undefined);
  assert.equal(kept?.loss, 0.01);
  assert.equal(saved.length, 0);
  const none = { ...given, outcome: { ...given.outcome, bestTop1: undefined, bestLoss: undefined } };
  assert.equal(await averageWithProbe(none), undefined);
});
