import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { LimitError, VideoError } from '../errors.js';
import { openDecoder, withVideo } from './decoder.js';
import { missing } from './decoders.test.fixture.js';
import { cannotWritePatterns, writePattern } from './patternVideo.test.fixture.js';
import type { Decoder, TimeWindow } from './types.js';

/** Starting a program costs 100 times what a call does. */
const runs = { 'node-av': 400, ffmpeg: 8 } as const;
const slowestMs = 20_000;

let folder = '';
const originals: Buffer[] = [];
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmf-hostile-'));
  if (cannotWritePatterns() !== false) return;
  const ticks = Array.from({ length: 30 }, (_, frame) => frame);
  const files = {
    'a.mp4': 'libx264',
    'b.webm': 'libvpx-vp9',
    'c.avi': 'mpeg4',
    'd.ts': 'mpeg2video',
    'e.mkv': 'libx264',
    'f.flv': 'flv',
  };
  for (const [name, encoder] of Object.entries(files)) {
    const path = join(folder, name);
    writePattern(path, {
      encoder,
      width: 64,
      height: 48,
      ticks,
      ticksPerSec: 25,
      gopSize: 10,
      ...(name === 'e.mkv' ? { silenceSec: 2 } : {}),
    });
    originals.push(readFileSync(path));
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Valid frames or one of the two errors, on one line with the path, within the time limit. */
function survives(decoder: Decoder, bytes: Uint8Array, part?: TimeWindow): void {
  const path = join(folder, 'hostile.bin');
  writeFileSync(path, bytes);
  const begin = performance.now();
  try {
    const { info, strip } = withVideo(
      decoder,
      path,
      (video) => ({ info: video.info, strip: video.frames({ times: { evenly: 3 }, size: { shortSide: 24 } }) }),
      part,
    );
    assert.equal(strip.rgb.length, 3 * 3 * strip.width * strip.height);
    assert.ok(info.frameCount > 0 && info.durationSec > 0 && info.width > 0 && info.height > 0, JSON.stringify(info));
    assert.ok(
      strip.timesSec.every((time) => time >= Math.min(info.firstFrameSec, 0) && time <= info.firstFrameSec + info.durationSec),
    );
  } catch (error) {
    assert.ok(error instanceof VideoError || error instanceof LimitError, error instanceof Error ? error.stack : String(error));
    assert.ok(error.message.startsWith(`${path}: `), error.message);
    assert.doesNotMatch(error.message, /\n/);
  }
  assert.ok(performance.now() - begin < slowestMs, 'does not hang');
}

for (const name of ['node-av', 'ffmpeg'] as const) {
  describe(`hostile files, decoder ${name}`, { skip: missing[name] }, () => {
    let decoder: Decoder;
    before(() => {
      decoder = openDecoder(name);
    });

    it('survives random bytes', () => {
      const bytes = fc.uint8Array({ minLength: 1, maxLength: 4000 });
      fc.assert(
        fc.property(bytes, (content) => survives(decoder, content)),
        { numRuns: runs[name], seed: 1 },
      );
    });

    it('survives files cut anywhere', { skip: cannotWritePatterns() }, () => {
      const cut = fc.tuple(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }));
      fc.assert(
        fc.property(cut, ([which, part]) => {
          const original = originals[which % originals.length] ?? assert.fail();
          survives(decoder, original.subarray(0, Math.ceil(part * original.length)));
        }),
        { numRuns: runs[name], seed: 2 },
      );
    });

    it('survives files with bytes changed', { skip: cannotWritePatterns() }, () => {
      const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), fc.nat(255));
      const changes = fc.tuple(fc.nat(), fc.boolean(), fc.array(change, { minLength: 1, maxLength: 40 }));
      fc.assert(
        fc.property(changes, ([which, inHeader, edits]) => {
          const bytes = Buffer.from(originals[which % originals.length] ?? assert.fail());
          const reach = inHeader ? Math.min(600, bytes.length) : bytes.length;
          for (const [part, value] of edits) bytes[Math.floor(part * reach)] = value;
          survives(decoder, bytes);
        }),
        { numRuns: runs[name], seed: 3 },
      );
    });

    it('survives parts of files cut anywhere, with bytes changed', { skip: cannotWritePatterns() }, () => {
      const unit = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
      fc.assert(
        fc.property(fc.nat(), unit, unit, unit, fc.array(unit, { maxLength: 20 }), (which, cut, from, length, edits) => {
          const original = originals[which % originals.length] ?? assert.fail();
          const bytes = Buffer.from(original.subarray(0, Math.ceil((1 - cut * cut) * original.length)));
          for (const place of edits) bytes[Math.floor(place * bytes.length)] = Math.floor(place * 25600) % 256;
          survives(decoder, bytes, { startSec: 1.2 * from, endSec: 1.2 * (from + length) + 0.01 });
        }),
        { numRuns: runs[name], seed: 4 },
      );
    });
  });
}
