/** Parts of films against whole reads of the same files: the same frames, from fewer packets. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { LimitError, VideoError } from '../errors.js';
import { Rng } from '../rng.js';
import { decode, openDecoder, probe, withVideo } from './decoder.js';
import { missing, nodeAv } from './decoders.test.fixture.js';
import { probeWithFfprobe } from './ffmpegProbe.js';
import { defaultLimits } from './limits.js';
import { NodeAvFile } from './nodeAvDemux.js';
import { PartPackets } from './partPackets.js';
import { cannotWritePatterns, type PatternVideo, writePattern } from './patternVideo.test.fixture.js';
import type { StreamFacts } from './streamFacts.js';
import type { Decoder, TimeWindow } from './types.js';

it('after a seek, packets are kept from a key frame on, and one behind the start is no way to the part', () => {
  const packet = (pts: number, key: boolean) => ({ pts, dts: pts, duration: 1, key, discard: false, corrupt: false });
  const sought = new PartPackets(100, 200, false);
  assert.deepEqual(
    [packet(80, false), packet(90, true), packet(150, false)].map((each) => sought.take(each)),
    ['skip', 'keep', 'keep'],
  );
  assert.equal(new PartPackets(100, 200, false).take(packet(101, true)), 'stop');
  assert.equal(new PartPackets(100, 200, true).take(packet(101, true)), 'keep');
});

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmf-part-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const size = { width: 32, height: 24 };
const steady = Array.from({ length: 250 }, (_, frame) => frame);

function uneven(seed: number): number[] {
  const rng = new Rng([seed]);
  let tick = 0;
  return steady.map(() => (tick += rng.pick([1, 2, 3, 7])));
}

const open = { bf: '3', 'x264-params': 'open-gop=1' };
/** Parts are read on their own unless `whole`. */
const films: Record<string, Partial<PatternVideo> & { readonly whole?: boolean }> = {
  'b.mp4': { maxBFrames: 3, options: { bf: '3' } },
  'open.mp4': { options: open },
  'open.mkv': { options: open },
  'open.ts': { options: open },
  'uneven.mp4': { ticks: uneven(1), ticksPerSec: 50, options: { bf: '2' } },
  'uneven.mkv': { ticks: uneven(2), ticksPerSec: 50, options: { bf: '2' } },
  'vp9.webm': { encoder: 'libvpx-vp9' },
  'vp8.webm': { encoder: 'libvpx' },
  'sound.mkv': { silenceSec: 12, ticks: steady.map((tick) => tick + 50) },
  'sound.mov': { silenceSec: 12, ticks: steady.map((tick) => tick + 50) },
  'm.ts': { encoder: 'mpeg2video', maxBFrames: 2 },
  'p.avi': { encoder: 'mpeg4', maxBFrames: 2, whole: true },
  'p.flv': { encoder: 'flv', whole: true },
};

const fewFilms = ['open.mp4', 'sound.mkv', 'm.ts', 'p.avi'];

function film(name: string, video: Partial<PatternVideo>): string {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  writePattern(path, { encoder: 'libx264', width: 32, height: 24, ticks: steady, ticksPerSec: 25, gopSize: 20, ...video });
  return path;
}

/** The frames at three random moments of the part, read both ways. */
function compare(decoder: Decoder, path: string, part: TimeWindow, rng: Rng): void {
  const timesSec = [0, 1, 2].map(() => rng.uniform(part.startSec, part.endSec)).sort((a, b) => a - b);
  const request = { times: { timesSec }, size };
  const whole = decode(decoder, path, request).strip;
  const alone = withVideo(decoder, path, ({ frames }) => frames(request), part);
  assert.ok(Buffer.from(alone.rgb).equals(whole.rgb), `${path} ${JSON.stringify(part)} at ${timesSec}`);
  const apart = alone.timesSec.map((sec, index) => Math.abs(sec - (whole.timesSec[index] ?? 0)));
  assert.ok(Math.max(...apart) < 1e-6);
}

const factsOf = {
  'node-av': (path: string, part: TimeWindow): StreamFacts => {
    if (typeof nodeAv === 'string') return assert.fail(nodeAv);
    const file = NodeAvFile.open(nodeAv, path, defaultLimits, undefined, part);
    file.close();
    return file.facts;
  },
  ffmpeg: (path: string, part: TimeWindow): StreamFacts => probeWithFfprobe(path, defaultLimits, part).facts,
};

for (const name of ['node-av', 'ffmpeg'] as const) {
  describe(`parts of films, decoder ${name}`, { skip: missing[name] || cannotWritePatterns() }, () => {
    let decoder: Decoder;
    before(() => {
      decoder = openDecoder(name);
    });

    // Starting a program costs 100 times what a call does.
    const some = Object.entries(films).filter(([file]) => name === 'node-av' || fewFilms.includes(file));
    for (const [file, { whole = false, ...video }] of some) {
      it(`${file}: the same frames as from the whole`, () => {
        const path = film(file, video);
        const { firstFrameSec, durationSec } = probe(decoder, path);
        const rng = new Rng([file]);
        const random = () => {
          const startSec = rng.uniform(firstFrameSec, firstFrameSec + durationSec);
          return { startSec, endSec: rng.uniform(startSec, firstFrameSec + durationSec) };
        };
        const last = firstFrameSec + durationSec;
        const parts = [...Array.from({ length: name === 'node-av' ? 20 : 1 }, random)];
        if (name === 'node-av') parts.push({ startSec: last - 1, endSec: last });
        for (const part of parts) compare(decoder, path, part, rng);
        const near = factsOf[name](path, { startSec: last - 1, endSec: last });
        assert.equal(near.stretch !== undefined, !whole);
        if (!whole) assert.ok(near.packets.length < 80, `${near.packets.length} packets for one second`);
      });
    }

    it('facts are those of the part', () => {
      const path = film('facts.mp4', {});
      const info = withVideo(decoder, path, (video) => video.info, { startSec: 4, endSec: 6 });
      assert.deepEqual([info.firstFrameSec, info.durationSec, info.frameCount, info.truncated], [4, 2, 50, undefined]);
      assert.ok(Math.abs(info.frameRate - 25) < 0.5);
      const early = film('early.mkv', { silenceSec: 12, ticks: steady.map((tick) => tick + 50) });
      const cut = withVideo(decoder, early, (video) => video.info, { startSec: 1, endSec: 3 });
      assert.deepEqual([cut.firstFrameSec, cut.durationSec], [2, 1]);
    });

    it('refuses what is not in the film, and says how long it is', () => {
      const refused = (path: string, startSec: number, endSec: number, reason: RegExp) =>
        assert.throws(
          () => withVideo(decoder, path, () => assert.fail(), { startSec, endSec }),
          (error) => error instanceof VideoError && reason.test(error.message) && error.message.startsWith(path),
        );
      for (const file of name === 'node-av' ? ['end.mp4', 'end.mkv', 'end.ts', 'end.avi'] : ['end.mp4']) {
        const path = film(file, file === 'end.avi' ? { encoder: 'mpeg4' } : {});
        refused(path, 7, 10.2, /the part from 7\.000 to 10\.200 s is not in the film, which ends at 10\.0\d\d s/);
        refused(path, 70, 80, /is not in the film, which ends at 10\.0\d\d s/);
        withVideo(decoder, path, () => {}, { startSec: 7, endSec: 10.05 });
      }
      const path = film('order.mp4', {});
      for (const [from, to] of [
        [3, 3],
        [3, 2],
        [-1, 2],
        [Number.NaN, 2],
        [2, Number.POSITIVE_INFINITY],
      ] as const)
        refused(path, from, to, /expected seconds from 0 on, the end after the start/);
      const late = film('late.mkv', { silenceSec: 14, ticks: steady.map((tick) => tick + 50) });
      refused(late, 0, 1, /there is no picture from 0\.000 to 1\.000 s: it begins at 2\.000 s/);
      refused(late, 13, 13.5, /there is no picture from 13\.000 to 13\.500 s: it ends at 12\.000 s/);
      refused(late, 13, 19, /is not in the film, which ends at 14\.0\d\d s/);
    });

    it('limits count for the part', () => {
      const path = film('limits.mp4', {});
      const few = openDecoder(name, { maxDurationSec: 3, maxFrames: 120 });
      withVideo(few, path, () => {}, { startSec: 5, endSec: 7.5 });
      assert.throws(() => withVideo(few, path, () => {}, { startSec: 5, endSec: 8.5 }), LimitError);
      assert.throws(() => withVideo(few, path, () => {}), LimitError);
    });
  });
}
