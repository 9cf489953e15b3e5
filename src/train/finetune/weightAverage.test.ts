import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tinyCheckpoint } from '../../../test/support/randomWeights.js';
import type { Checkpoint } from '../../weights/checkpoint.js';
import { trainOptions } from '../recipe/options.js';
import { type AverageParts, averageWithProbe } from './weightAverage.js';

const labels = ['a', 'b'];

/** Logits of videos of the classes a, b, a, b, ... by the share of the tuned weights. */
type Answers = (share: number) => readonly (readonly [number, number])[];

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
        const labels = Int32Array.from(answers(share), (_, i) => i % 2);
        yield { clips: {}, labels, videos: labels };
      },
    },
    session: {
      setWeights: ({ parameters }: Checkpoint) => {
        share = parameters[0] ?? Number.NaN;
      },
      logits: () => Float32Array.from(answers(share).flat()),
    },
    folder: {
      readLast: () => filled(1),
      readBest: () => filled(best.epoch === 0 ? 0 : 2), // a share that no average has
      saveBest: (each: Checkpoint) => saved.push(each),
    },
    probe: filled(0),
    outcome: { bestTop1: best.top1, bestLoss: best.loss, bestEpoch: best.epoch },
    onEvent: () => {},
  };
  return { given: fake as unknown as AverageParts, saved };
}

const right: ReturnType<Answers> = [
  [3, 0],
  [0, 3],
];
const wrong: ReturnType<Answers> = [
  [0, 3],
  [3, 0],
];
const half: ReturnType<Answers> = [
  [3, 0],
  [1, 0],
];

test('the average of least loss is kept, with its share', async () => {
  const { given, saved } = parts((share) => (share === 0.5 ? right : half), { top1: 0.5, loss: 0.3, epoch: 2 });
  const kept = await averageWithProbe(given);
  assert.equal(kept?.tunedShare, 0.5);
  assert.equal(kept?.top1, 1);
  assert.equal(saved.length, 1);
  assert.ok(saved[0]?.parameters.every((value) => value === 0.5) && saved[0].statistics.every((value) => value === 0.5));
  assert.equal(saved[0]?.notes['tunedShare'], '0.5');
});

test('where tuning destroyed what was learnt, the probe is kept', async () => {
  const { given, saved } = parts((share) => (share === 0 ? right : wrong), { top1: 1, loss: 9, epoch: 0 });
  assert.equal((await averageWithProbe(given))?.tunedShare, 0);
  assert.ok(saved[0]?.parameters.every((value) => value === 0));
});

test('how sure a candidate is does not count, since a temperature can be fitted later', async () => {
  const unsure = (by: number): ReturnType<Answers> => right.map((row) => row.map((value) => value / by)) as never;
  const { given } = parts((share) => (share === 1 ? unsure(100) : half), { top1: 0.5, loss: 0.3, epoch: 0 });
  assert.equal((await averageWithProbe(given))?.tunedShare, 1);
});

test('less loss does not count where fewer answers are right than the probe gives', async () => {
  // Of four videos the probe has three hardly right and one very wrong; the others have two very right and two hardly wrong.
  const probe: ReturnType<Answers> = [
    ...Array.from({ length: 3 }, (_, i): [number, number] => (i === 1 ? [0, 0.1] : [0.1, 0])),
    [9, 0],
  ];
  const others: ReturnType<Answers> = [
    [9, 0],
    [0, 9],
    [0, 0.1],
    [0.1, 0],
  ];
  const { given } = parts((share) => (share === 0 ? probe : others), { top1: 0.5, loss: 0.3, epoch: 3 });
  assert.equal((await averageWithProbe(given))?.tunedShare, 0);
});

test('the best epoch stays where no average is better, and without validation videos nothing is averaged', async () => {
  const { given, saved } = parts((share) => (share === 2 ? right : half), { top1: 1, loss: 0.01, epoch: 4 });
  const kept = await averageWithProbe(given);
  assert.equal(kept?.tunedShare, undefined);
  assert.equal(kept?.top1, 1);
  assert.equal(saved.length, 0);
  const none = { ...given, outcome: { ...given.outcome, bestTop1: undefined, bestLoss: undefined } };
  assert.equal(await averageWithProbe(none), undefined);
});

test('where no logits are numbers, nothing is chosen', async () => {
  const nan: ReturnType<Answers> = [
    [Number.NaN, 0],
    [0, Number.NaN],
  ];
  const { given, saved } = parts(() => nan, { top1: 0.5, loss: 1, epoch: 1 });
  assert.equal(await averageWithProbe(given), undefined);
  assert.equal(saved.length, 0);
});
