/** The reader of a tab where no decoder is needed: what it refuses, and how it is left. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makePreprocess } from '../src/clip/preprocess.js';
import { WebClipReader } from '../src/web/clipReader.js';
import type { VideoSource } from '../src/web/videoSource.js';

const preprocess = makePreprocess({ frames: 4, height: 32, width: 32 });
const alive = setInterval(() => {}, 1000); // a stream without end does not keep the process
after(() => clearInterval(alive));

const endless = () => new ReadableStream<Uint8Array<ArrayBuffer>>();

test('streams that never end are left at an abort, and others are read after them', { timeout: 20_000 }, async () => {
  const reader = new WebClipReader(preprocess, { workers: 2 });
  const signal = AbortSignal.timeout(50);
  const stuck = [endless(), endless(), endless()].map((stream) => reader.facts(stream, signal));
  for (const facts of stuck) await assert.rejects(facts, { name: 'TimeoutError' });
  await assert.rejects(reader.facts(new Blob(['no video'])), /^VideoError: video: is not a video that a browser can open/);
  await reader.close();
});

test('closing rejects what is under way', { timeout: 20_000 }, async () => {
  const reader = new WebClipReader(preprocess);
  const facts = reader.facts(endless());
  await reader.close();
  await assert.rejects(facts, /the reader of videos is closed/);
});

test('what is no source, and no reader, is one line', async () => {
  const reader = new WebClipReader(preprocess);
  await assert.rejects(reader.facts('film.mp4' as unknown as VideoSource), /^VideoError: video: is no video; expected a Blob/);
  assert.throws(() => new WebClipReader(preprocess, { workers: 0 }), /^ConfigError: workers: expected at least 1, got 0$/);
});
