import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { LimitError, VideoError } from '../errors.js';
import { decode, openDecoder, probe } from './decoder.js';
import { encodeVideo } from './encode.js';
import { VideoPool } from './pool.js';

let folder = '';
let video = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmf-pool-'));
  video = join(folder, 'grey.webm');
  encodeVideo(
    video,
    { width: 32, height: 32, frameRate: 25, codec: 'vp9' },
    Array.from({ length: 25 }, (_, frame) => new Uint8Array(32 * 32 * 3).fill(10 * frame)),
  );
});
after(() => rmSync(folder, { recursive: true, force: true }));

describe('video pool', () => {
  it('gives what a decoder gives, several at once', async () => {
    const pool = new VideoPool({ size: 2 });
    const here = openDecoder();
    const request = { times: { evenly: 4 }, size: { shortSide: 16 } };
    const results = await Promise.all(Array.from({ length: 6 }, () => pool.decode(video, request)));
    for (const result of results) assert.deepEqual(result, decode(here, video, request));
    assert.deepEqual(await pool.probe(video), probe(here, video));
    await pool.close();
  });

  it('passes errors on with their class, and goes on', async () => {
    const bad = join(folder, 'bad.mp4');
    writeFileSync(bad, 'no video');
    const pool = new VideoPool({ size: 1, limits: { maxFrames: 10 } });
    const [text, long, gone] = await Promise.allSettled([bad, video, join(folder, 'gone.mp4')].map((path) => pool.probe(path)));
    assert.ok(
      text?.status === 'rejected' && text.reason instanceof VideoError && /bad\.mp4: is plain text/.test(text.reason.message),
    );
    assert.ok(
      long?.status === 'rejected' && long.reason instanceof LimitError && /more than 10 frames/.test(long.reason.message),
    );
    assert.ok(
      gone?.status === 'rejected' && gone.reason instanceof VideoError && /gone\.mp4: no such file/.test(gone.reason.message),
    );
    await pool.close();
  });

  it('can be aborted and closed', async () => {
    const pool = new VideoPool({ size: 1 });
    const stop = new AbortController();
    const first = pool.probe(video, { signal: stop.signal });
    const second = pool.probe(video);
    stop.abort();
    await assert.rejects(first, { name: 'AbortError' });
    assert.equal((await second).frameCount, 25);
    await pool.close();
    await assert.rejects(pool.probe(video), /closed/);
  });
});
