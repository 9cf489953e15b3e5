/** The README's library examples, run as written but for their file names and a single epoch. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { encodeVideo } from '../src/video/encode.js';
import { findFfmpeg } from '../src/video/ffmpegTools.js';

const library = pathToFileURL(resolve('dist/src/index.js')).href;

/** The TypeScript blocks of the README, which are also JavaScript: train and recognise, then a stream. */
function examples(): [string, string] {
  const blocks = [...readFileSync('README.md', 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  assert.equal(blocks.length, 2, 'two TypeScript examples');
  return [blocks[0] ?? '', blocks[1] ?? ''];
}

function run(folder: string, text: string): string {
  writeFileSync(join(folder, 'example.mjs'), text.replace("'video-mobile-former'", `'${library}'`));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['example.mjs'], { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}

function* moving(sideways: boolean, start: number): Generator<Uint8Array> {
  for (let t = 0; t < 12; t++) {
    const rgb = new Uint8Array(160 * 128 * 3).fill(60);
    const [x, y] = sideways ? [t * 10, 20 + start * 4] : [20 + start * 4, t * 8];
    for (let row = y; row < y + 24; row++) rgb.fill(230, (row * 160 + x) * 3, (row * 160 + x + 24) * 3);
    yield rgb;
  }
}

test('the examples of the README run', (t) => {
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
    const [trained, streamed] = examples();
    assert.ok(trained.includes('epochs: 30') && streamed.includes("'camera:0'"));
    const learnt = run(folder, trained.replace('epochs: 30', 'epochs: 1'));
    assert.match(learnt, /^(across|down) [01]\.\d{3}\n(across|down) [01]\.\d{3}\n$/);
    if (typeof findFfmpeg() === 'string') return t.diagnostic('streams need the system ffmpeg: their example was not run');
    assert.match(run(folder, streamed.replace('camera:0', 'new.mp4')), /^(\d+\.\d (across|down) \d+ ms 0\n)+$/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
