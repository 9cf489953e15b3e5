/** Every example runs on small videos and untrained weights. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeVideo, temporaryFolder } from './smallVideos.js';
import { writeTinyWeights } from './support/randomWeights.js';

const folder = fileURLToPath(new URL('../examples', import.meta.url));

async function example(name: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(folder, `${name}.js`), ...args]);
  assert.equal(stderr, '');
  return stdout;
}

function makeClasses(root: string): string {
  for (const [i, label] of ['bow', 'wave'].entries()) {
    for (let seed = 0; seed < 10; seed++) makeVideo(join(root, label, `${seed}.mp4`), { seed: 10 * i + seed, frames: 12 });
  }
  return root;
}

const tested: Readonly<Record<string, (root: string) => Promise<void>>> = {
  async recogniseFile(root) {
    makeVideo(join(root, 'clip.mp4'));
    const out = await example('recogniseFile', join(root, 'clip.mp4'), await writeTinyWeights(join(root, 'w.safetensors')));
    assert.match(out, /^([\d.]+ % {2}[a-e]\n){3}$/);
  },
  async timelineOfVideo(root) {
    makeVideo(join(root, 'film.mp4'), { frames: 96 });
    const out = await example('timelineOfVideo', join(root, 'film.mp4'), await writeTinyWeights(join(root, 'w.safetensors')));
    assert.match(out, /^0\.0 s to (.*\n)+$/);
    assert.match(out, /s to 8\.0 s: [a-e] \([\d.]+ %\)\n$/);
  },
  async testOnFolder(root) {
    const weights = await writeTinyWeights(join(root, 'w.safetensors'), { labels: ['bow', 'wave'] });
    const out = await example('testOnFolder', makeClasses(join(root, 'data')), weights);
    assert.match(out, /^top-1 [\d.]+ % of 2 videos\n/);
  },
  async ownNetwork() {
    const out = await example('ownNetwork');
    assert.equal(out, '39957 parameters, 3339968 multiply-adds a clip\nmy network: tokenDim: expected a multiple of 4\n');
  },
  async trainOnFolder(root) {
    const out = await example('trainOnFolder', makeClasses(join(root, 'data')), join(root, 'run'));
    assert.match(out, /^(epoch \d: loss [\d.]+\n){3}.*best\.safetensors top-1 [\d.]+ % on the validation videos\n$/);
  },
};

test('no example is left out', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.js'));
  assert.deepEqual(files.map((name) => name.slice(0, -3)).sort(), Object.keys(tested).sort());
});

for (const [name, run] of Object.entries(tested)) test(`${name} runs`, (t) => run(temporaryFolder(t)));
