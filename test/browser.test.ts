/** The browser entry: in a real Chromium and on onnxruntime-web in Node, equal to onnxruntime-node within 1e-3. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { nodePlatform } from '../src/node/platform.js';
import { Rng } from '../src/rng.js';
import * as library from '../src/web/index.js';
import { chromiumPath, inPage, noChromium } from './support/browser.js';
import { randomWeights, tinyConfig } from './support/randomWeights.js';
import { type TrialInput, type TrialNumbers, trialOfPlace } from './support/trialOfPlace.js';
import { type StoreNumbers, trialOfStore } from './support/trialOfStore.js';

const size = { height: 48, width: 64 };
let input: TrialInput;
let node: TrialNumbers;

before(async () => {
  const config = tinyConfig();
  const labels = Array.from({ length: config.classes }, (_, i) => `class ${i}`);
  const { frames, height, width } = config;
  const preprocess = library.makePreprocess({ frames, height, width });
  const checkpoint = { config, labels, preprocess, notes: {}, ...randomWeights(config) };
  const rng = new Rng(['frames']);
  const rgb = Uint8Array.from({ length: config.frames * size.height * size.width * 3 }, () => rng.integer(256));
  input = { weights: library.serializeSafetensors(library.checkpointFile(checkpoint)), rgb, ...size };
  node = await trialOfPlace(library, nodePlatform, input);
  assert.ok(Math.max(...node.recognised) - Math.min(...node.recognised) > 0.02, 'the logits say something');
  assert.equal(node.losses.length, 10);
  assert.ok((node.losses[9] ?? 9) < (node.losses[0] ?? 0), 'ten steps learn something');
});

function near(what: string, got: readonly number[], expected: readonly number[]): number {
  assert.equal(got.length, expected.length, what);
  const apart = Math.max(...got.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN))));
  assert.ok(apart < 1e-3, `${what}: ${apart} apart`);
  return apart;
}

function compare(got: TrialNumbers): string {
  assert.equal(got.label, node.label);
  const recognised = near('logits of the clip', got.recognised, node.recognised);
  const losses = near('losses', got.losses, node.losses);
  const logits = near('logits after ten steps', got.logits, node.logits);
  return `largest differences: clip ${recognised.toExponential(1)}, losses ${losses.toExponential(1)}, logits after ${logits.toExponential(1)}`;
}

test('onnxruntime-web in Node recognises and trains as onnxruntime-node does', async (t) => {
  const place = library.webPlatform({ worker: 'page' });
  t.diagnostic(compare(await trialOfPlace(library, place, input)));
});

function checkStore({ names, differing, rows, note, missing }: StoreNumbers): void {
  assert.deepEqual(names, [[], ['best.safetensors'], []]);
  assert.equal(differing, 0);
  assert.deepEqual(rows, [{ epoch: 1, note: 'größer' }, { epoch: 2, note: 'größer' }, { epoch: 3 }]);
  assert.equal(note, 'second');
  assert.match(missing, /best\.safetensors: (cannot be opened|no such file)/);
}

test('checkpoints are kept in a folder and in memory', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vmf-store-'));
  try {
    const store = nodePlatform.openFiles(join(folder, 'new'));
    checkStore(await trialOfStore(library, store, input.weights));
    await assert.rejects(store.write('../outside', []), /is no name of a file/);
  } finally {
    rmSync(folder, { recursive: true });
  }
  checkStore(await trialOfStore(library, library.memoryStore(), input.weights));
});

test('a tab of Chromium recognises and trains as Node does', { timeout: 180_000 }, async (t) => {
  const executable = chromiumPath();
  if (executable === undefined) return t.skip(noChromium);
  const files = { 'weights.safetensors': input.weights, 'frames.rgb': input.rgb };
  await inPage(executable, files, async (page, version) => {
    const said = await page.evaluate<{ isolated: boolean; numbers: TrialNumbers }>(
      `runPage('/index.js', ${JSON.stringify(size)}, 2)`,
    );
    const stored = await page.evaluate<StoreNumbers[]>(`runStores('/index.js')`);
    assert.equal(stored.length, 2);
    for (const numbers of stored) checkStore(numbers);
    assert.ok(said.isolated, 'the page may use threads');
    t.diagnostic(`Chromium ${version}: ${compare(said.numbers)}`);
  });
});
