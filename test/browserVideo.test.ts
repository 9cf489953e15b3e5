/** Videos recognised in a tab of Chromium: the same facts, pixels and answers as in Node. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makePreprocess } from '../src/clip/preprocess.js';
import { openRecogniser } from '../src/inference/fileRecogniser.js';
import { Rng } from '../src/rng.js';
import { encodeVideo } from '../src/video/encode.js';
import { findFfmpeg } from '../src/video/ffmpegTools.js';
import { cannotWritePatterns, type PatternVideo, writePattern } from '../src/video/patternVideo.test.fixture.js';
import { type Checkpoint, checkpointFile } from '../src/weights/checkpoint.js';
import { serializeSafetensors } from '../src/weights/safetensors.js';
import { chromiumPath, inPage, noChromium } from './support/browser.js';
import { randomWeights, tinyConfig } from './support/randomWeights.js';
import { trialOfVideos, type VideoNumbers, type VideoTrial } from './support/trialOfVideos.js';

const folder = mkdtempSync(join(tmpdir(), 'vmf-tab-'));
after(() => rmSync(folder, { recursive: true }));
const executable = chromiumPath();
const noPatterns = cannotWritePatterns();
const files: Record<string, Uint8Array | string> = {};
let checkpoint: Checkpoint;

before(() => {
  const config = tinyConfig();
  const labels = Array.from({ length: config.classes }, (_, i) => `class ${i}`);
  const { frames, height, width } = config;
  checkpoint = { config, labels, preprocess: makePreprocess({ frames, height, width }), notes: {}, ...randomWeights(config, 2) };
  files['weights.safetensors'] = serializeSafetensors(checkpointFile(checkpoint));
});

const keep = (name: string): string => {
  files[name] = readFileSync(join(folder, name));
  return name;
};

/** Noise that moves, in colour; then white, stripes and black, five seconds each. */
function* noise(width: number, height: number, frames: number): Generator<Uint8Array> {
  const rng = new Rng(['noise', width]);
  const picture = Uint8Array.from({ length: 3 * width * height }, () => rng.integer(256));
  for (let t = 0; t < frames; t++) {
    const kind = Math.floor(t / 50) % 4;
    const values = [
      (i: number) => picture[(i + 6 * t) % picture.length] ?? 0,
      () => 255,
      (i: number) => 255 * ((i >> 6) & 1),
      () => 0,
    ];
    const value = values[kind] as (i: number) => number;
    yield Uint8Array.from(picture, (_, i) => value(i));
  }
}

function encoded(name: string, width: number, height: number, codec: 'h264' | 'vp9', frames = 20): string {
  encodeVideo(join(folder, name), { width, height, frameRate: 10, codec }, noise(width, height, frames));
  return keep(name);
}

function pattern(name: string, video: Partial<PatternVideo> = {}): string {
  const hash = (...of: number[]) => new Rng(['p', ...of]).integer(220) + 16;
  const usual = { encoder: 'libx264', width: 96, height: 64, ticksPerSec: 25, ticks: Array.from({ length: 40 }, (_, i) => i) };
  const picture = (k: number, x: number, y: number) => hash(k >> 2, x >> 2, y >> 2);
  writePattern(join(folder, name), { ...usual, picture, colour: { bt709: false }, ...video });
  return keep(name);
}

const inNode = (trial: VideoTrial): Promise<VideoNumbers[]> =>
  openRecogniser(checkpoint, { threads: 1, workers: 1, ...(trial.limits && { limits: trial.limits }) }).then((recogniser) =>
    trialOfVideos(
      recogniser,
      trial.names.map((name) => join(folder, name)),
      trial,
    ),
  );

const inTab = (trial: VideoTrial): Promise<VideoNumbers[]> =>
  inPage(executable ?? '', files, (page) => page.evaluate<VideoNumbers[]>(`runVideos('/index.js', ${JSON.stringify(trial)})`));

const apart = (a: readonly number[] = [], b: readonly number[] = []): number =>
  a.length === b.length && a.length > 0 ? Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? Number.NaN)))) : Number.NaN;

/** The path is another, times are rounded elsewhere, and what a header promises is read in other ways where frames are reordered. */
function comparable({ info }: VideoNumbers = {}) {
  const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Math.round(value * 1e6) / 1e6 : value);
  return JSON.parse(JSON.stringify({ ...info, path: '', headerDurationSec: 0 }, rounded)) as unknown;
}

function compare(name: string, tab: VideoNumbers | undefined, node: VideoNumbers | undefined): number {
  assert.equal(tab?.error, undefined, name);
  assert.deepEqual(comparable(tab), comparable(node), name);
  assert.ok(
    apart([tab?.info?.headerDurationSec ?? 0], [node?.info?.headerDurationSec ?? 9]) < 0.2,
    `${name}: the header's promise`,
  );
  // FFmpeg's kernels for other processors than x86 round a little differently.
  const pixels = apart(tab?.clip, node?.clip);
  assert.ok(pixels <= (process.arch === 'x64' ? 0 : 0.04), `${name}: clips ${pixels} apart`);
  const scores = apart(tab?.scores, node?.scores);
  assert.ok(scores < 1e-3, `${name}: scores ${scores} apart`);
  return scores;
}

async function compareAll(trial: VideoTrial): Promise<[VideoNumbers[], VideoNumbers[], string]> {
  const [node, tab] = [await inNode(trial), await inTab(trial)];
  const scores = trial.names.map((name, i) => compare(name, tab[i], node[i]));
  return [node, tab, `${trial.names.length} videos, scores at most ${Math.max(...scores).toExponential(1)} apart`];
}

const skip = executable === undefined && noChromium;

test('files, streams and bytes of H.264 and VP9 are recognised as in Node, pixel for pixel', {
  skip,
  timeout: 180_000,
}, async (t) => {
  const names = [encoded('a.mp4', 96, 64, 'h264'), encoded('b.webm', 97, 75, 'vp9'), encoded('same.mp4', 42, 32, 'h264')];
  for (const as of ['file', 'stream', 'bytes'] as const) t.diagnostic((await compareAll({ names, as }))[2]);
});

test('turned, stretched, reordered, uneven and untagged videos too', {
  skip: skip || noPatterns,
  timeout: 180_000,
}, async (t) => {
  const uneven = Array.from({ length: 30 }, (_, i) => i + (i % 3 === 0 ? 0 : 1) + 3 * Math.floor(i / 7)).filter(
    (tick, i, all) => i === 0 || tick > (all[i - 1] ?? 0),
  );
  const names = [
    pattern('untagged.mp4'),
    pattern('bt709.mp4', { colour: { bt709: true } }),
    pattern('turned90.mp4', { matrix: [0, 1, -1, 0] }),
    pattern('turned180.mov', { matrix: [-1, 0, 0, -1] }),
    pattern('turned270.mp4', { matrix: [0, -1, 1, 0] }),
    pattern('mirrored.mp4', { matrix: [-1, 0, 0, 1] }),
    pattern('aspect.mp4', { sampleAspect: [4, 3] }),
    pattern('reordered.mp4', { maxBFrames: 3, gopSize: 12 }),
    pattern('uneven.mp4', { ticks: uneven }),
    pattern('sound.mov', { silenceSec: 3 }),
    pattern('vp8.webm', { encoder: 'libvpx', options: { 'auto-alt-ref': '1', 'lag-in-frames': '16' } }),
    pattern('matroska.mkv', { maxBFrames: 2 }),
  ];
  t.diagnostic((await compareAll({ names, as: 'file' }))[2]);
});

const noFfmpeg = typeof findFfmpeg() === 'string' && 'no ffmpeg here to write these videos with';

test('full range, BT.2020, 4:4:4, AV1 and 10 bits too', { skip: skip || noFfmpeg, timeout: 180_000 }, async (t) => {
  const written = (name: string, format: string, ...options: string[]): string => {
    const source = `testsrc2=s=98x74:d=2:r=10,noise=alls=30:allf=t:all_seed=3,format=${format}`;
    execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', source, '-pix_fmt', format, ...options, join(folder, name)]);
    return keep(name);
  };
  const vp9 = ['-c:v', 'libvpx-vp9', '-b:v', '0', '-crf', '20'];
  const names = [
    written('full.mp4', 'yuvj420p', '-c:v', 'libx264', '-color_range', 'pc'),
    written('bt2020.mp4', 'yuv420p', '-c:v', 'libx264', '-colorspace', 'bt2020nc'),
    written('444.webm', 'yuv444p', ...vp9, '-profile:v', '1'),
    written('av1.mp4', 'yuv420p', '-c:v', 'libaom-av1', '-cpu-used', '8', '-crf', '30'),
  ];
  t.diagnostic((await compareAll({ names, as: 'file' }))[2]);
  const deep: VideoTrial = { names: [written('deep.webm', 'yuv420p10le', ...vp9, '-profile:v', '2')], as: 'file' };
  const [[node], [tab]] = [await inNode(deep), await inTab(deep)];
  const scores = apart(tab?.scores, node?.scores);
  assert.ok(scores < 1e-3, `10 bits: scores ${scores} apart`);
  t.diagnostic(`10 bits: clips ${apart(tab?.clip, node?.clip).toExponential(1)}, scores ${scores.toExponential(1)} apart`);
});

test('a long film has the same timeline, read stretch by stretch', { skip, timeout: 180_000 }, async (t) => {
  const timeline = { windowSec: 1, minDurationSec: 0, stretchBytes: 200_000 };
  const names = [encoded('long.mp4', 64, 48, 'h264', 200), encoded('long.webm', 64, 48, 'vp9', 200)];
  const [node, tab, said] = await compareAll({ names, as: 'file', timeline });
  node.forEach((numbers, i) => {
    const [expected, found] = [numbers.timeline?.segments ?? [], tab[i]?.timeline?.segments ?? []];
    assert.ok(expected.length > 1, 'something happens in it');
    const places = (segments: typeof expected) => segments.map(({ label, startSec, endSec }) => [label, startSec, endSec]);
    assert.deepEqual(places(found), places(expected));
    assert.ok(
      apart(
        found.map(({ score }) => score),
        expected.map(({ score }) => score),
      ) < 1e-3,
    );
  });
  t.diagnostic(`${said}; segments ${node.map((numbers) => numbers.timeline?.segments.length)}`);
});

test('frames are closed, also when a timeline is aborted', { skip, timeout: 180_000 }, async () => {
  const name = encoded('aborted.webm', 64, 48, 'vp9', 200);
  interface Count {
    readonly made: number;
    readonly closed: number;
  }
  const { whole, all, aborted, closed } = await inPage(executable ?? '', files, (page) =>
    page.evaluate<{ whole: Count; all: Count; aborted: string; closed: string }>(`runAborted('/index.js', '${name}', 1)`),
  );
  assert.ok(whole.made >= 100, `${whole.made} frames`);
  assert.equal(whole.closed, whole.made);
  assert.equal(all.closed, all.made);
  assert.ok(all.made < 2 * whole.made, 'the aborted one is not decoded to its end');
  assert.equal(aborted, 'Error: enough');
  assert.match(closed, /the reader of videos is closed/);
});

test('a file that was cut off is used as far as it goes, and says so', { skip, timeout: 180_000 }, async () => {
  const whole = files[encoded('whole.mp4', 64, 48, 'h264', 40)] as Uint8Array;
  writeFileSync(join(folder, 'cut.mp4'), whole.subarray(0, Math.floor(whole.length * 0.7)));
  const [[node], [tab]] = await compareAll({ names: [keep('cut.mp4')], as: 'file' });
  assert.match(tab?.truncated ?? '', /^the header promises 4\.00 s, the file holds/);
  assert.equal(tab?.truncated, node?.truncated);
});

test('what cannot be read is told in its place, in one line, and does not end the others', {
  skip,
  timeout: 180_000,
}, async () => {
  const good = encoded('good.mp4', 64, 48, 'h264');
  files['text.mp4'] = 'no video at all';
  files['empty.mp4'] = '';
  const damaged = Uint8Array.from(files[good] as Uint8Array);
  damaged.fill(255, Math.floor(damaged.length / 2));
  files['damaged.mp4'] = damaged;
  const names = ['text.mp4', good, 'empty.mp4', 'damaged.mp4', good];
  const [text, first, empty, broken, second] = await inTab({ names, as: 'file' });
  assert.match(text?.error ?? '', /^text\.mp4: is not a video that a browser can open; expected MP4, MOV, WebM or Matroska$/);
  assert.match(empty?.error ?? '', /^empty\.mp4: is empty \(0 bytes\)$/);
  assert.match(broken?.error ?? '', /^damaged\.mp4: the frame at [0-9.]+ s cannot be decoded: [^\n]+; the file is damaged$/);
  assert.deepEqual([text?.kind, empty?.kind, broken?.kind], ['VideoError', 'VideoError', 'VideoError']);
  assert.deepEqual(second?.scores, first?.scores);
  assert.equal(first?.error, undefined);
  const [large] = await inTab({ names: [good], as: 'file', limits: { maxPixels: 1000 } });
  assert.equal(large?.kind, 'LimitError');
  assert.match(large?.error ?? '', /frames of 64x48 are more than 1000 pixels/);
  const [long] = await inTab({ names: [good], as: 'file', limits: { maxFrames: 5, maxDurationSec: 1 } });
  assert.match(long?.error ?? '', /has more than 5 frames/);
});

test('a codec that Chromium lacks is named', { skip: skip || noPatterns, timeout: 180_000 }, async () => {
  const [numbers] = await inTab({
    names: [pattern('hevc.mp4', { encoder: 'libx265', options: { 'x265-params': 'log-level=none' } })],
    as: 'file',
  });
  assert.equal(numbers?.kind, 'VideoError');
  assert.match(
    numbers?.error ?? '',
    /^hevc\.mp4: is coded as hevc, which this browser cannot decode; convert it to H\.264 or VP9$/,
  );
});
