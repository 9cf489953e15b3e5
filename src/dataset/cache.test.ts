import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFile, temporaryFolder } from '../../test/smallVideos.js';
import { pixelBytes } from '../video/geometry.js';
import { DiskBudget } from './diskBudget.js';
import { frameStackFile, readFrameStack, writeFrameStack } from './diskCache.js';
import { type FrameStackKey, keyName, type VideoFrameStack } from './frameStack.js';
import { MemoryCache } from './memoryCache.js';

const key: FrameStackKey = {
  ...{ path: '/videos/a.mp4', bytes: 1234, modifiedMs: 5678.25, decoder: 'auto', colour: 'c', evenly: 3, startSec: 0.5 },
  size: { shortSide: 4 },
};

function stripOf(bytes = 2 * 4 * 5 * 3): VideoFrameStack {
  const rgb = pixelBytes(bytes, true);
  rgb.forEach((_, i) => {
    rgb[i] = i * 7;
  });
  const window = { startSec: 0.5, endSec: 2, whole: false };
  return { width: 5, height: 4, slots: [0, 0, 1], durationSec: 2, frameRate: 25, truncated: 'a bit', window, rgb };
}

test('a strip comes back from disk as it went in, into shared memory', (t) => {
  const folder = temporaryFolder(t);
  assert.equal(readFrameStack(frameStackFile(folder, key)), 'absent');
  const strip = stripOf();
  const bytes = writeFrameStack(frameStackFile(folder, key), key, strip);
  assert.equal(statSync(frameStackFile(folder, key)).size, bytes);
  const back = readFrameStack(frameStackFile(folder, key));
  assert.deepEqual(back, strip);
  assert.ok(typeof back === 'object' && back.rgb.buffer instanceof SharedArrayBuffer);
  assert.match(readFileSync(frameStackFile(folder, key), 'latin1'), /^VMFSTRP1.{8}\{"key":\{"path":"\/videos\/a\.mp4"/s);
});

test('any other file, time, request or decoder is another key', () => {
  const others: FrameStackKey[] = [
    { ...key, path: '/videos/b.mp4' },
    { ...key, bytes: 1 },
    { ...key, modifiedMs: 1 },
    { ...key, decoder: 'ffmpeg' },
    { ...key, evenly: 4 },
    { ...key, startSec: 0 },
    { ...key, size: { shortSide: 5 } },
    { ...key, size: { width: 4, height: 4 } },
  ];
  assert.equal(new Set([key, ...others].map(keyName)).size, 9);
});

test('a damaged entry, wherever the damage is, is noticed and removed', (t) => {
  const folder = temporaryFolder(t);
  const strip = stripOf();
  const file = frameStackFile(folder, key);
  const damages: (() => void)[] = [
    () => truncateSync(file, statSync(file).size - 1),
    () => truncateSync(file, 10),
    () => writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.of(0)])),
    ...[3, 9, 13, 40, -20].map((at) => () => {
      const bytes = readFileSync(file);
      const place = at < 0 ? bytes.length + at : at;
      bytes[place] = (bytes[place] as number) ^ 0xff;
      writeFileSync(file, bytes);
    }),
  ];
  for (const damage of damages) {
    writeFrameStack(frameStackFile(folder, key), key, strip);
    damage();
    assert.equal(readFrameStack(frameStackFile(folder, key)), 'damaged');
    assert.equal(readFrameStack(frameStackFile(folder, key)), 'absent');
  }
});

test('a strip that cannot be written leaves nothing half-done behind', (t) => {
  const folder = temporaryFolder(t);
  makeFile(join(frameStackFile(folder, key), 'in-the-way'), '');
  assert.throws(() => writeFrameStack(frameStackFile(folder, key), key, stripOf()));
  const left = readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith('.part'));
  assert.deepEqual(left, []);
});

test('memory holds the most recently used strips within its bytes', () => {
  const cache = new MemoryCache(100);
  for (const name of ['a', 'b']) cache.set(name, stripOf(40));
  cache.get('a');
  cache.set('c', stripOf(40));
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => cache.get(name) !== undefined),
    [true, false, true],
  );
  cache.set('huge', stripOf(101));
  assert.equal(cache.get('huge'), undefined);
  cache.set('a', stripOf(60));
  assert.equal(cache.bytes, 100);
  assert.ok(cache.get('c') !== undefined);
});

test('the disk budget drops what was used longest ago, but never what this run uses', async (t) => {
  const folder = temporaryFolder(t);
  const write = (name: string, ageSec: number) => {
    const path = join(folder, 'ab', `${name}.strip`);
    makeFile(path, Buffer.alloc(100));
    const when = Date.now() / 1000 - ageSec;
    utimesSync(path, when, when);
  };
  for (const [i, name] of ['oldest', 'older', 'old'].entries()) write(name, 1000 - i);
  makeFile(join(folder, 'keep.txt'), 'not ours');
  const budget = new DiskBudget(folder, 250);
  write('new', -1);
  await budget.trim();
  const left = () => readdirSync(join(folder, 'ab')).sort();
  assert.deepEqual(left(), ['new.strip', 'old.strip']);
  assert.equal(budget.mayWrite, true);
  for (const name of ['new2', 'new3']) write(name, -1);
  budget.wrote(200);
  await budget.settled();
  assert.deepEqual(left(), ['new.strip', 'new2.strip', 'new3.strip']);
  assert.equal(budget.mayWrite, false);
  assert.equal(readFileSync(join(folder, 'keep.txt'), 'utf8'), 'not ours');
});
