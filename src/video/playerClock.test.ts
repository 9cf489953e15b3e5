/** Times of films whose sound and picture do not start together, against ffprobe, with every reader. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DemuxedVideo } from '../web/demux.js';
import { decode, openDecoder, probe } from './decoder.js';
import { missing } from './decoders.test.fixture.js';
import { defaultLimits } from './limits.js';
import { cannotWritePatterns, numberOf, writePattern } from './patternVideo.test.fixture.js';

let folder = '';
const frames = Array.from({ length: 75 }, (_, frame) => frame);
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmf-clock-'));
  if (cannotWritePatterns() !== false || missing.ffmpeg) return;
  const video = { encoder: 'libx264', width: 96, height: 72, ticks: frames, ticksPerSec: 25, gopSize: 20, maxBFrames: 2 };
  writePattern(join(folder, 'picture.mp4'), { ...video, options: { bf: '2' } });
  ffmpeg('-f lavfi -i sine=f=440:r=48000:d=6 -c:a pcm_s16le sound.wav');
});
after(() => rmSync(folder, { recursive: true, force: true }));

function ffmpeg(args: string): void {
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...args.split(' ')], { cwd: folder });
}

const soundFirst = '-i sound.wav -itsoffset 2 -i picture.mp4 -c:v copy -c:a aac';
const together = '-i sound.wav -i picture.mp4 -c:v copy -c:a aac';
/** How each is made, and when its picture begins on a player's clock, to a frame. */
const films: Record<string, readonly [make: string, firstSec: number]> = {
  'first.mp4': [soundFirst, 2],
  'first.mov': [soundFirst, 2],
  'first.mkv': [soundFirst, 2],
  'first.ts': [soundFirst, 2],
  'together.mp4': [together, 0],
  'together.mkv': [together, 0],
  'together.ts': [together, 0],
  'late.mp4': ['-itsoffset 2 -i sound.wav -i picture.mp4 -c:v copy -c:a aac', 0],
  'shifted.mp4': ['-itsoffset 3 -i picture.mp4 -c copy', 0],
  'shifted.mkv': ['-itsoffset 3 -i picture.mp4 -c copy', 0],
  'shifted.ts': ['-itsoffset 3 -i picture.mp4 -c copy', 0],
  'cut.mp4': ['-ss 1.3 -i together.mp4 -c copy', 0],
  'plain.mp4': ['-i picture.mp4 -c copy -use_editlist 0', 0],
};

function probed(path: string): number {
  const entries = 'format=start_time:stream=codec_type,start_time';
  const text = execFileSync('ffprobe', ['-v', 'error', '-show_entries', entries, '-of', 'json', path], { encoding: 'utf8' });
  const { format, streams } = JSON.parse(text) as {
    format: { start_time: string };
    streams: { codec_type: string; start_time: string }[];
  };
  const video = streams.find(({ codec_type }) => codec_type === 'video');
  return Number(video?.start_time) - Number(format.start_time);
}

describe("times are a player's", { skip: missing.ffmpeg || cannotWritePatterns() }, () => {
  const decoders = (['node-av', 'ffmpeg'] as const).map((name) => openDecoder(name));

  for (const [file, [make, firstSec]] of Object.entries(films)) {
    it(file, async () => {
      ffmpeg(`${make} ${file}`);
      const path = join(folder, file);
      const expected = probed(path);
      assert.ok(Math.abs(expected - firstSec) <= 0.045, `made as meant: ${expected}`);
      for (const decoder of decoders) {
        const info = probe(decoder, path);
        assert.ok(Math.abs(info.firstFrameSec - expected) < 2e-5, `${decoder.name}: ${info.firstFrameSec}, not ${expected}`);
        assert.equal(info.truncated, undefined);
        const timesSec = [0, 10, 30].map((frame) => info.firstFrameSec + (frame + 0.5) / 25);
        const { strip } = decode(decoder, path, { times: { timesSec }, size: { width: 96, height: 72 } });
        const [first = Number.NaN, ...others] = timesSec.map((_, index) => numberOf(strip, index));
        assert.deepEqual(others, [first + 10, first + 30]);
        timesSec.forEach((sec, index) => {
          assert.ok(Math.abs((strip.timesSec[index] ?? 0) - (sec - 0.02)) < 1.1e-3);
        });
      }
      if (file.endsWith('.ts')) return;
      const web = await DemuxedVideo.open(path, new Uint8Array(readFileSync(path)));
      const { info } = await web.index(defaultLimits, undefined);
      web.close();
      assert.ok(Math.abs(info.firstFrameSec - expected) < 2e-5, `in a tab: ${info.firstFrameSec}, not ${expected}`);
    });
  }
});
