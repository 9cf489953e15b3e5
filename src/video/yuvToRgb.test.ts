import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openDecoder, withVideo } from './decoder.js';
import { findFfmpeg } from './ffmpegTools.js';
import type { Size } from './geometry.js';
import { defaultLimits } from './limits.js';
import { type YuvColour, type YuvPlanes, yuvToRgb } from './yuvToRgb.js';

const folder = mkdtempSync(join(tmpdir(), 'vmf-yuv-'));
after(() => rmSync(folder, { recursive: true }));
const skip = typeof findFfmpeg() === 'string' ? 'no ffmpeg here to write the videos with' : false;
const coded: Size = { width: 98, height: 74 };
/** Smaller, larger, of odd width, as it is, in one direction only. */
const sizes = [
  [40, 30],
  [160, 128],
  [45, 34],
  [coded.width, coded.height],
  [coded.width, 40],
] as const;
const run = (...options: string[]) => execFileSync('ffmpeg', ['-v', 'error', '-y', ...options, '-'], { maxBuffer: 1e8 });

/** A frame of noise, lossless, and its planes. */
function noise(name: string, format: string, tags: readonly string[], { width, height } = coded) {
  const path = join(folder, `${name}.mkv`);
  const picture = `testsrc2=s=200x150:d=1:r=1,noise=alls=60:allf=t:all_seed=5,format=yuv444p,scale=${width}:${height},format=${format}`;
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', picture, ...tags, '-c:v', 'ffv1', path]);
  return { path, bytes: run('-i', path, '-pix_fmt', format, '-f', 'rawvideo') };
}

function planesOf(bytes: Uint8Array, { width, height }: Size, chroma: Size): YuvPlanes {
  const [luma, colour] = [width * height, chroma.width * chroma.height];
  return {
    y: { width, height, data: bytes.subarray(0, luma) },
    u: { ...chroma, data: bytes.subarray(luma, luma + colour) },
    v: { ...chroma, data: bytes.subarray(luma + colour) },
  };
}

/** FFmpeg's kernels for other processors round a little differently. */
const allowed = process.arch === 'x64' ? 0 : 2;

function compare(path: string, planes: YuvPlanes, colour: YuvColour): void {
  withVideo(openDecoder('auto', defaultLimits), path, (video) => {
    for (const [width, height] of sizes) {
      const { rgb } = video.frames({ times: { timesSec: [0] }, size: { width, height } });
      const ours = new Uint8Array(rgb.length);
      yuvToRgb(planes, colour, { width, height }, ours);
      assert.ok(new Set(ours).size > 100, 'the picture is no plain one');
      const apart = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - (rgb[i] ?? 0))), 0);
      assert.ok(apart <= allowed, `${path} at ${width}x${height}: ${apart} levels apart`);
    }
  });
}

const half = { width: Math.ceil(coded.width / 2), height: Math.ceil(coded.height / 2) };

for (const [matrix, tag] of [
  ['bt601', 'smpte170m'],
  ['bt709', 'bt709'],
  ['bt2020', 'bt2020nc'],
] as const) {
  for (const fullRange of [false, true]) {
    const range = fullRange ? 'pc' : 'tv';
    test(`4:2:0 of ${matrix} (${range}) becomes FFmpeg's pixels at any size`, { skip }, () => {
      const { path, bytes } = noise(`${matrix}${range}`, 'yuv420p', ['-colorspace', tag, '-color_range', range]);
      compare(path, planesOf(bytes, coded, half), { matrix, fullRange });
    });
  }
}

test('untagged video is BT.601 of limited range', { skip }, () => {
  const { path, bytes } = noise('untagged', 'yuv420p', []);
  compare(path, planesOf(bytes, coded, half), { matrix: 'bt601', fullRange: false });
});

test("4:2:2, 4:4:4 and odd sizes become FFmpeg's pixels too", { skip }, () => {
  const limited: YuvColour = { matrix: 'bt601', fullRange: false };
  const wide = noise('422', 'yuv422p', []);
  compare(wide.path, planesOf(wide.bytes, coded, { width: half.width, height: coded.height }), limited);
  const whole = noise('444', 'yuv444p', []);
  compare(whole.path, planesOf(whole.bytes, coded, coded), limited);
  const size = { width: 99, height: 75 };
  const odd = noise('odd', 'yuv420p', [], size);
  compare(odd.path, planesOf(odd.bytes, size, { width: 50, height: 38 }), limited);
});
