import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tinyCheckpoint } from '../../test/support/randomWeights.js';
import { bestEpochOf, costOf, keptOf } from './runCost.js';
import type { RunFiles } from './runFiles.js';
import { runPage } from './runReport.js';

const candidates = [
  { tunedShare: 0, top1: 0.5, loss: 1.25, scaledLoss: 1.2 },
  { tunedShare: 0.25, top1: 0.75, loss: 1.125, scaledLoss: 1.1 },
  { tunedShare: 1, top1: 0.75, loss: 1.5, scaledLoss: 1.4 },
  { top1: 0.75, loss: 1.5, scaledLoss: 1.3 },
];

/** A run of three epochs whose `best` has these notes. */
function runWith(notes: Record<string, string>, readout?: 'multilevel'): RunFiles {
  const tiny = tinyCheckpoint({ labels: ['a', 'b'] });
  const best = { ...tiny, notes, config: { ...tiny.config, ...(readout && { readout }) } };
  const rows = [1, 2, 3].map((epoch) => ({ epoch, values: { trainLoss: 1, valTop1: 0.75, valLoss: 1.5 } }));
  const outcome = { epochs: 3, bestEpoch: 2, bestTop1: 0.75, ...(readout && { candidates }) };
  const record = {
    sessions: [],
    outcome,
    model: { name: 'tiny' },
    chosen: {},
    data: { counts: [], leftOut: [], notes: [], clues: [] },
  } as unknown as RunFiles['record'];
  return { path: 'run', name: 'run', rows, record, bestPath: 'run/best.safetensors', best, recipe: undefined, digest: undefined };
}

test('what a run kept: an epoch, the probe, an average with it, the last epoch; a fitted classifier has no choice', () => {
  const kept = (notes: Record<string, string>) => {
    const run = runWith(notes, 'multilevel');
    return [keptOf(run), bestEpochOf(run)];
  };
  assert.deepEqual(kept({ epoch: '2' }), ['epoch 2', 2]);
  assert.deepEqual(kept({ probe: 'linear' }), ['the linear probe', undefined]);
  assert.deepEqual(kept({ epoch: '3', tunedShare: '0' }), ['the linear probe', undefined]);
  assert.deepEqual(kept({ epoch: '3', tunedShare: '0.25' }), ['25 % last epoch and the rest linear probe', undefined]);
  assert.deepEqual(kept({ epoch: '3', tunedShare: '1' }), ['epoch 3', 3]);
  assert.equal(keptOf(runWith({ baseline: 'random' })), undefined);
  const cost = Object.fromEntries(costOf(runWith({ tunedShare: '0' }, 'multilevel')).map(([name, value]) => [name, value]));
  assert.equal(cost['Kept'], 'the linear probe, validation top-1 75.0\u202f% in training');
});

const untested = { split: 'val', dataPath: undefined, data: undefined, evaluation: undefined, seconds: 0, notes: [] } as const;

test('the page of a fine-tuned run shows the probe, what else it chose from, and which of them was kept', () => {
  const page = (notes: Record<string, string>) => runPage(runWith(notes, 'multilevel'), untested, []);
  const average = page({ epoch: '3', tunedShare: '0.25' });
  assert.match(average, /3 epochs of fine-tuning from a linear probe, 2 classes/);
  assert.match(average, /<dt>Kept<\/dt><dd>25 % last epoch and the rest linear probe<\/dd>/);
  assert.match(average, /<b>25 % last epoch[^<]*, kept<\/b><\/th><td>75.0\u202f%<\/td><td>1.1250<\/td><td>1.1000<\/td>/);
  assert.match(average, /<th scope="row">the linear probe<\/th><td>50.0\u202f%<\/td>/);
  assert.doesNotMatch(average, /class="mark"/);
  assert.match(page({ epoch: '3', tunedShare: '1' }), /<b>the last epoch, kept<\/b>/);
  assert.match(page({ epoch: '3', tunedShare: '0' }), /<line class="mark" x1="46"/);
  assert.match(page({ epoch: '2' }), /<b>the best epoch, kept<\/b>/);
  assert.match(page({ epoch: '2' }), /class="mark"[^>]*>kept</);
});

test('a run without fine-tuning shows no such choice; a fitted classifier says that the network stayed as it was', () => {
  const plain = runPage(runWith({ epoch: '2' }), untested, []);
  assert.match(plain, /<p class="lead">3 epochs, 2 classes/);
  assert.doesNotMatch(plain, /probe/);
  assert.match(runPage(runWith({ baseline: 'random' }), untested, []), /A linear classifier on features of a network as it was/);
});
