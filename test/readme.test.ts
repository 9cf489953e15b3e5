/** The README's library example, run as written but for its file names and a single epoch. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { encodeVideo } from '../src/video/encode.js';

const library = pathToFileURL(resolve('dist/src/index.js')).href;

/** The one TypeScript block of the README, which is also JavaScript. */
function example(): string {
  const blocks = [...readFileSync('README.md', 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  assert.equal(blocks.length, 1, 'one TypeScript example');
  return blocks[0] ?? '';
}

function* moving(sideways: boolean, start: number): Generator<Uint8Array> {
  for (let t = 0; t < 12; t++) {
    const rgb = new Uint8Array(160 * 128 * 3).fill(60);
    const [x, y] = sideways ? [t * 10, 20 + start * 4] : [20 + start * 4, t * 8];
    for (let row = y; row < y + 24; row++) rgb.fill(230, (row * 160 + x) * 3, (row * 160 + x + 24) * 3);
    yield rgb;
  }
}

test('the example of the README runs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vmf-readme-'));
  try {
    for (const label of ['across', 'down']) {
      mkdirSync(join(folder, 'clips', label), { recursive: true });
      for (let i = 0; i < 12; i++) {
        const video = { width: 160, height: 128, frameRate: 12, codec: 'h264' as const };
        encodeVideo(join(folder, 'clips', label, `${i}.mp4`), video, moving(label === 'across', i));
      }
    }
    copyFileSync(join(folder, 'clips', 'across', '0.mp4'), join(folder, 'new.mp4'));
    const text = example();
    assert.ok(text.includes('epochs: 30') && text.includes("'video-mobile-former'"));
    writeFileSync(
      join(folder, 'example.mjs'),
      text.replace('epochs: 30', 'epochs: 1').replace("'video-mobile-former'", `'${library}'`),
    );
    const { status, stdout, stderr } = spawnSync(process.execPath, ['example.mjs'], { cwd: folder, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^(across|down) [01]\.\d{3}\n(across|down) [01]\.\d{3}\n$/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
