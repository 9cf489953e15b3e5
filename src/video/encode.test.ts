/** Encoded files as the ffmpeg command line reads them, which shares no code with the callers of either encoder. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { VideoError } from '../errors.js';
import { missing } from './decoders.test.fixture.js';
import { chooseEncoder, type EncodeOptions, encodeVideo, extensionOf } from './encode.js';
import { rgbToYuv420 } from './yuv420.js';

const folder = mkdtempSync(join(tmpdir(), 'vmf-encode-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const COLOURS = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [200, 120, 40],
  [10, 20, 30],
  [250, 250, 250],
] as const;

/** `count` frames of 2x3 flat patches, permuted from frame to frame. */
function* patches(width: number, height: number, channels: 3 | 4, count: number): Generator<Uint8Array> {
  for (let t = 0; t < count; t++) {
    const frame = new Uint8Array(width * height * channels).fill(255);
    for (let i = 0; i < width * height; i++)
      frame.set(colourAt(i % width, Math.floor(i / width), width, height, t), i * channels);
    yield frame;
  }
}

function colourAt(x: number, y: number, width: number, height: number, t: number): readonly [number, number, number] {
  const patch = Math.floor((3 * x) / width) + 3 * Math.floor((2 * y) / height);
  return COLOURS[(patch + t) % COLOURS.length] ?? [0, 0, 0];
}

function decode(path: string): Buffer {
  const run = spawnSync('ffmpeg', ['-v', 'error', '-i', path, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'], {
    maxBuffer: 1 << 28,
  });
  assert.equal(run.status, 0, run.stderr.toString());
  return run.stdout;
}

function facts(path: string): Record<string, string> {
  const asked =
    'stream=width,height,codec_name,pix_fmt,color_range,color_space,color_transfer,color_primaries,r_frame_rate,nb_read_frames';
  const args = ['-v', 'error', '-count_frames', '-show_entries', `${asked}:format=duration`, '-of', 'default=nw=1', path];
  const lines = spawnSync('ffprobe', args, { encoding: 'utf8' }).stdout.trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split('=')));
}

const width = 96;
const height = 64;
const kinds: { encoder: 'node-av' | 'ffmpeg'; codec: 'h264' | 'vp9' }[] = [
  { encoder: 'node-av', codec: 'h264' },
  { encoder: 'node-av', codec: 'vp9' },
  { encoder: 'ffmpeg', codec: 'h264' },
  { encoder: 'ffmpeg', codec: 'vp9' },
];
const encoders = (['node-av', 'ffmpeg'] as const).filter((encoder) => missing[encoder] === false);

describe('encodeVideo', { skip: missing.ffmpeg }, () => {
  for (const { encoder, codec } of kinds) {
    test(`${encoder} ${codec}: tagged, timed, and the same colours come back`, { skip: missing[encoder] }, () => {
      const path = join(folder, `${encoder}-round${extensionOf(codec)}`);
      const options: EncodeOptions = { width, height, frameRate: 16, codec, encoder, crf: 12 };
      encodeVideo(path, options, patches(width, height, 3, 12));
      const seen = facts(path);
      assert.equal(seen['codec_name'], codec);
      assert.equal(seen['pix_fmt'], 'yuv420p');
      assert.equal(seen['color_range'], 'tv');
      assert.equal(seen['color_space'], 'bt709');
      assert.equal(seen['r_frame_rate'], '16/1');
      assert.equal(seen['nb_read_frames'], '12');
      assert.ok(Math.abs(Number(seen['duration']) - 12 / 16) < 0.002, seen['duration']);
      const rgb = decode(path);
      assert.equal(rgb.length, 12 * width * height * 3);
      assert.ok(worstPatchError(rgb, 12) <= 6, `worst patch is off by ${worstPatchError(rgb, 12)} of 255`);
    });

    test(`${encoder} ${codec}: the same frames, RGB or RGBA, give the same bytes`, { skip: missing[encoder] }, () => {
      const write = (name: string, channels: 3 | 4) => {
        const path = join(folder, `${encoder}-${name}${extensionOf(codec)}`);
        encodeVideo(path, { width, height, frameRate: 30000 / 1001, codec, encoder }, patches(width, height, channels, 9));
        return readFileSync(path);
      };
      const first = write('first', 3);
      assert.ok(first.equals(write('second', 3)));
      assert.ok(first.equals(write('third', 4)));
    });
  }

  test('an mp4 starts with its index, so that it can be played while it loads', () => {
    for (const encoder of encoders) {
      const path = join(folder, `${encoder}-fast.mp4`);
      encodeVideo(path, { width, height, frameRate: 16, codec: 'h264', encoder }, patches(width, height, 3, 5));
      const bytes = readFileSync(path);
      assert.ok(bytes.indexOf('moov') < bytes.indexOf('mdat'));
    }
  });

  test('odd sizes: vp9 writes them', () => {
    for (const encoder of encoders) {
      const path = join(folder, `${encoder}-odd.webm`);
      encodeVideo(path, { width: 95, height: 63, frameRate: 10, codec: 'vp9', encoder }, patches(95, 63, 3, 3));
      assert.equal(decode(path).length, 3 * 95 * 63 * 3);
    }
  });
});

const noEncoder = encoders.length === 0 && `${missing['node-av']}, ${missing.ffmpeg}`;

test('node-av is what is chosen where it loads, ffmpeg elsewhere', { skip: noEncoder }, () => {
  assert.equal(chooseEncoder(), encoders[0]);
});

test('what cannot be encoded is refused by name and leaves nothing behind', { skip: noEncoder }, () => {
  const before = readdirSync(folder).length;
  const path = join(folder, 'refused.mp4');
  const base: EncodeOptions = { width, height, frameRate: 16, codec: 'h264' };
  const attempt = (change: Partial<EncodeOptions>, frames: Iterable<Uint8Array>, message: RegExp, to = path) =>
    assert.throws(
      () => encodeVideo(to, { ...base, ...change }, frames),
      (error) => error instanceof VideoError && message.test(error.message) && !error.message.includes('\n'),
    );
  attempt({ width: 95 }, patches(95, height, 3, 2), /even size, got 95x64/);
  attempt({ width: 0 }, [], /size must be/);
  attempt({ frameRate: Number.NaN }, patches(width, height, 3, 2), /frame rate/);
  attempt({}, [], /no frames/);
  attempt({}, [new Uint8Array(7)], /refused\.mp4: frame 0: expected 18432 bytes \(RGB\) or 24576 \(RGBA\) for 96x64, got 7/);
  for (const encoder of encoders) attempt({ encoder }, [new Uint8Array(7)], /frame 0/);
  const nowhere = join(folder, 'missing', 'a.mp4');
  for (const encoder of encoders) attempt({ encoder }, patches(width, height, 3, 2), /: No such file or directory/, nowhere);
  assert.equal(readdirSync(folder).length, before);
});

test('rgbToYuv420: black, white and grey are exact, primaries within rounding of BT.709', () => {
  const flat = (r: number, g: number, b: number) => {
    const out = new Uint8Array(6);
    rgbToYuv420(Uint8Array.from([r, g, b, r, g, b, r, g, b, r, g, b]), 2, 2, out);
    return [out[0], out[4], out[5]];
  };
  assert.deepEqual(flat(0, 0, 0), [16, 128, 128]);
  assert.deepEqual(flat(255, 255, 255), [235, 128, 128]);
  assert.deepEqual(flat(128, 128, 128), [126, 128, 128]);
  assert.deepEqual(flat(255, 0, 0), [63, 102, 240]);
  assert.deepEqual(flat(0, 0, 255), [32, 240, 118]);
});

/** Largest error at a patch centre, over all frames and patches. */
function worstPatchError(rgb: Buffer, frames: number): number {
  let worst = 0;
  for (let t = 0; t < frames; t++) {
    for (const x of [16, 48, 80]) {
      for (const y of [16, 48]) {
        const wanted = colourAt(x, y, width, height, t);
        for (const c of [0, 1, 2] as const) {
          const got = rgb[((t * height + y) * width + x) * 3 + c] ?? Number.NaN;
          worst = Math.max(worst, Math.abs(got - wanted[c]));
        }
      }
    }
  }
  return worst;
}
