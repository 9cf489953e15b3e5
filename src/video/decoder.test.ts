import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { LimitError, VideoError } from '../errors.js';
import { decode, openDecoder, probe } from './decoder.js';
import { missing, nodeAv } from './decoders.test.fixture.js';
import { encodeVideo } from './encode.js';
import { defaultLimits } from './limits.js';
import { psnr, sampleSizes, tinyPng, wav } from './mediaFiles.test.fixture.js';
import { NodeAvDecoder } from './nodeAv.js';
import { cannotWritePatterns, numberOf, numberPicture, type PatternVideo, writePattern } from './patternVideo.test.fixture.js';
import type { Decoder, FrameStrip } from './types.js';

const noPatterns = cannotWritePatterns();

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmf-decode-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** A 25 fps video; frame k shows the number k. */
function encodeNumbers(name: string, codec: 'h264' | 'vp9', frames: number, width = 96, height = 72): string {
  const path = join(folder, name);
  encodeVideo(
    path,
    { width, height, frameRate: 25, codec },
    Array.from({ length: frames }, (_, frame) => {
      const rgb = new Uint8Array(width * height * 3);
      for (let pixel = 0; pixel < width * height; pixel++) {
        rgb.fill(numberPicture(frame, pixel % width, Math.floor(pixel / width), width, height), 3 * pixel, 3 * pixel + 3);
      }
      return rgb;
    }),
  );
  return path;
}

function pattern(name: string, video: Partial<PatternVideo>): string {
  const path = join(folder, name);
  const ticks = Array.from({ length: 60 }, (_, frame) => frame);
  writePattern(path, { encoder: 'libx264', width: 96, height: 72, ticks, ticksPerSec: 25, ...video });
  return path;
}

const numbers = (strip: FrameStrip): number[] => Array.from(strip.timesSec, (_, frame) => numberOf(strip, frame));

function checkTimes(decoder: Decoder, path: string, startsSec: readonly number[]): void {
  const info = probe(decoder, path);
  assert.equal(info.frameCount, startsSec.length);
  const middles = startsSec.map((start, frame) => (start + (startsSec[frame + 1] ?? info.durationSec)) / 2);
  const size = { width: 96, height: 72 };
  const all = decode(decoder, path, { times: { timesSec: middles }, size }).strip;
  assert.deepEqual(
    numbers(all),
    startsSec.map((_, frame) => frame),
  );
  for (const [frame, start] of startsSec.entries())
    assert.ok(Math.abs((all.timesSec[frame] ?? 0) - start) < 0.0011, `frame ${frame}`);
  const bytes = size.width * size.height * 3;
  const some = middles.flatMap((_, frame) => (frame % 7 === 3 || frame === startsSec.length - 1 ? [frame] : []));
  const strip = decode(decoder, path, { times: { timesSec: some.map((frame) => middles[frame] ?? 0) }, size }).strip;
  some.forEach((frame, place) => {
    const [one, other] = [
      strip.rgb.subarray(place * bytes, (place + 1) * bytes),
      all.rgb.subarray(frame * bytes, (frame + 1) * bytes),
    ];
    assert.ok(Buffer.from(one).equals(other), `frame ${frame} decoded alone is the same`);
  });
}

const evenly = (frames: number, rate = 25): number[] => Array.from({ length: frames }, (_, frame) => frame / rate);

function fails(run: () => unknown, Kind: typeof VideoError | typeof LimitError, reason: RegExp): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof Kind, String(error));
    assert.match(error.message, reason);
    assert.doesNotMatch(error.message, /\n/, 'one line');
    return true;
  });
}

for (const name of ['node-av', 'ffmpeg'] as const) {
  describe(`decoder ${name}`, { skip: missing[name] }, () => {
    let decoder: Decoder;
    before(() => {
      decoder = openDecoder(name);
    });

    it('finds every frame of H.264 with B-frames in mp4 by its time', { skip: noPatterns }, () => {
      checkTimes(decoder, pattern('b.mp4', { maxBFrames: 3, gopSize: 20, options: { bf: '3' } }), evenly(60));
    });

    it('finds every frame of open groups of pictures', { skip: noPatterns }, () => {
      checkTimes(decoder, pattern('open.mkv', { gopSize: 20, options: { bf: '3', 'x264-params': 'open-gop=1' } }), evenly(60));
    });

    it('finds every frame of VP9 in webm by its time', () => {
      checkTimes(decoder, encodeNumbers('v.webm', 'vp9', 60), evenly(60));
    });

    it('finds every frame of MPEG-4 with B-frames in AVI, which has no pts', { skip: noPatterns }, () => {
      const path = pattern('m.avi', { encoder: 'mpeg4', maxBFrames: 2, gopSize: 12 });
      checkTimes(decoder, path, evenly(60));
    });

    it('finds every frame of MPEG-2 in a transport stream', { skip: noPatterns }, () => {
      checkTimes(decoder, pattern('m.ts', { encoder: 'mpeg2video', maxBFrames: 2, gopSize: 12 }), evenly(60));
    });

    it('goes by time where the frame rate varies', { skip: noPatterns }, () => {
      const ticks = [0, 40, 80, 100, 250, 254, 900, 940, 980, 1500, 1517, 1600, 2600, 2640];
      for (const file of ['vfr.mp4', 'vfr.mkv']) {
        const path = pattern(file, { ticks, ticksPerSec: 1000, options: { bf: '2' } });
        checkTimes(
          decoder,
          path,
          ticks.map((tick) => tick / 1000),
        );
        const { strip } = decode(decoder, path, {
          times: { timesSec: [0, 0.249, 0.6, 1.49, 1.55, 2.5] },
          size: { shortSide: 72 },
        });
        assert.deepEqual(numbers(strip), [0, 3, 5, 8, 10, 11]);
      }
    });

    it('turns frames upright', { skip: noPatterns }, () => {
      const corner = (_: number, x: number, y: number) => (y < 32 ? (x < 48 ? 30 : 90) : x < 48 ? 150 : 220);
      const cases = [
        { matrix: [1, 0, 0, 1], rotationDeg: 0, corners: [30, 90, 150, 220] },
        { matrix: [0, 1, -1, 0], rotationDeg: 90, corners: [150, 30, 220, 90] },
        { matrix: [-1, 0, 0, -1], rotationDeg: 180, corners: [220, 150, 90, 30] },
        { matrix: [0, -1, 1, 0], rotationDeg: 270, corners: [90, 220, 30, 150] },
        { matrix: [-1, 0, 0, 1], rotationDeg: 0, corners: [90, 30, 220, 150] },
      ] as const;
      for (const { matrix, rotationDeg, corners } of cases) {
        const path = pattern(`turn${matrix.join('')}.mp4`, { height: 64, picture: corner, matrix, ticks: [0, 1, 2] });
        const { info, strip } = decode(decoder, path, { times: { evenly: 1 }, size: { shortSide: 32 } });
        assert.equal(info.rotationDeg, rotationDeg);
        assert.deepEqual([info.width, info.height], rotationDeg % 180 === 0 ? [96, 64] : [64, 96]);
        assert.deepEqual([strip.width, strip.height], rotationDeg % 180 === 0 ? [48, 32] : [32, 48]);
        const green = (x: number, y: number) =>
          strip.rgb[(Math.floor(y * strip.height) * strip.width + Math.floor(x * strip.width)) * 3 + 1] ?? 0;
        const seen = [green(0.25, 0.25), green(0.75, 0.25), green(0.25, 0.75), green(0.75, 0.75)];
        for (const [index, value] of seen.entries()) {
          assert.ok(Math.abs(value - ((corners[index] ?? 0) - 16) * 1.164) < 6, `${matrix}: ${seen}`);
        }
      }
    });

    it('makes pixels square', { skip: noPatterns }, () => {
      const { info, strip } = decode(decoder, pattern('sar.mp4', { sampleAspect: [3, 2] }), {
        times: { evenly: 3 },
        size: { shortSide: 36 },
      });
      assert.deepEqual([info.codedWidth, info.codedHeight, info.sampleAspect], [96, 72, 1.5]);
      assert.deepEqual([info.width, info.height, strip.width, strip.height], [144, 72, 72, 36]);
      assert.deepEqual(numbers(strip), [10, 30, 50]);
    });

    it('tells pictures from sound, which may last longer', { skip: noPatterns }, () => {
      for (const file of ['sound.mkv', 'sound.mov', 'sound.avi']) {
        const path = pattern(file, { silenceSec: 4, encoder: 'mpeg4' });
        const { info, strip } = decode(decoder, path, { times: { evenly: 3 }, size: { shortSide: 72 } });
        assert.deepEqual([info.hasAudio, info.truncated, info.frameCount], [true, undefined, 60], file);
        assert.ok(Math.abs(info.durationSec - 2.4) < 0.002, String(info.durationSec));
        assert.deepEqual(numbers(strip), [10, 30, 50]);
      }
    });

    it('takes odd sizes, in and out', () => {
      const path = encodeNumbers('odd.webm', 'vp9', 12, 97, 73);
      const { info, strip } = decode(decoder, path, { times: { evenly: 3 }, size: { width: 51, height: 35 } });
      assert.deepEqual([info.width, info.height, strip.width, strip.height], [97, 73, 51, 35]);
      assert.deepEqual(numbers(strip), [2, 6, 10]);
    });

    it('repeats a frame that is on screen at several times', () => {
      const path = encodeNumbers('repeat.webm', 'vp9', 5);
      const { strip } = decode(decoder, path, { times: { timesSec: [0, 0.01, 0.05, 0.05, 0.19, 0.2] }, size: { shortSide: 72 } });
      assert.deepEqual(numbers(strip), [0, 0, 1, 1, 4, 4]);
      assert.deepEqual(
        Array.from(strip.timesSec, (time) => Math.round(time * 25)),
        [0, 0, 1, 1, 4, 4],
      );
      fails(
        () => decode(decoder, path, { times: { timesSec: [0.4] }, size: { shortSide: 72 } }),
        VideoError,
        /no frame at 0\.400 s/,
      );
    });

    it('says when a file is cut off, and never makes up the rest', () => {
      for (const [file, codec] of [
        ['cut.mp4', 'h264'],
        ['cut.webm', 'vp9'],
      ] as const) {
        const whole = encodeNumbers(file, codec, 100);
        assert.equal(probe(decoder, whole).truncated, undefined);
        const bytes = readFileSync(whole);
        const path = join(folder, `short-${file}`);
        writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * 0.6)));
        const info = probe(decoder, path);
        assert.match(info.truncated ?? '', /the header promises 4\.0. s, the file holds/);
        assert.ok(info.frameCount > 20 && info.frameCount < 90, String(info.frameCount));
        const { strip } = decode(decoder, path, { times: { evenly: info.frameCount }, size: { shortSide: 72 } });
        assert.deepEqual(
          numbers(strip),
          Array.from({ length: info.frameCount }, (_, frame) => frame),
        );
        fails(
          () => decode(decoder, path, { times: { timesSec: [3.9] }, size: { shortSide: 72 } }),
          VideoError,
          /the video runs from 0 to/,
        );
      }
    });

    it('names the reason why a file is no video', () => {
      const file = (fileName: string, content: string | Uint8Array) => {
        const path = join(folder, fileName);
        writeFileSync(path, content);
        return path;
      };
      const cases: [string, RegExp][] = [
        [join(folder, 'nowhere.mp4'), /nowhere\.mp4: no such file/],
        [folder, /is a folder, not a video/],
        ['/dev/null', /is not a regular file/],
        ['https://example.org/a.mp4', /is an address, not a file/],
        ['', /path is empty/],
        ['a\0b', /zero bytes/],
        [file('empty.mp4', ''), /is empty \(0 bytes\)/],
        [file('text.mp4', 'A video it is not.\n'.repeat(100)), /is plain text, not a video/],
        [file('zeros.mp4', new Uint8Array(5000)), /full of zero bytes/],
        [file('picture.mp4', Buffer.from(tinyPng, 'base64')), /is a still image \(PNG\)/],
        [file('sound.mp4', wav()), /holds sound only, no video/],
        [file('list.m3u8', '#EXTM3U\n#EXTINF:1,\n/etc/passwd\n'), /is a playlist \(M3U, HLS\), which names other files/],
        [file('list.mp4', 'ffconcat version 1.0\nfile /etc/passwd\n'), /is an ffconcat script/],
        [
          file(
            'id3.mp4',
            Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\x00', 'latin1'), Buffer.from(`#EXTM3U\n${folder}/v.webm\n`)]),
          ),
          /not a video/,
        ],
        [file('session.mp4', 'v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n'), /is a session description/],
      ];
      for (const [path, reason] of cases) {
        fails(() => probe(decoder, path), VideoError, reason);
        fails(() => decode(decoder, path, { times: { evenly: 1 }, size: { shortSide: 8 } }), VideoError, reason);
      }
    });

    it('knows a recording that did not finish', { skip: noPatterns }, () => {
      const bytes = readFileSync(pattern('mov.mp4', {}));
      const moov = bytes.indexOf('moov') - 4;
      const path = join(folder, 'unfinished.mp4');
      const withoutIndex = Buffer.concat([bytes.subarray(0, moov), bytes.subarray(moov + bytes.readUInt32BE(moov))]);
      writeFileSync(path, withoutIndex);
      fails(() => probe(decoder, path), VideoError, /is an MP4 without an index \(moov\)/);
      writeFileSync(path, withoutIndex.subarray(0, withoutIndex.length - 100));
      fails(() => probe(decoder, path), VideoError, /is cut off: its "mdat" part should end at byte/);
    });

    it('says which coding it cannot read', { skip: noPatterns }, () => {
      const bytes = readFileSync(pattern('codec.mp4', {}));
      const path = join(folder, 'unknown.mp4');
      writeFileSync(path, Buffer.from(bytes.toString('latin1').replaceAll('avc1', 'qqqq'), 'latin1'));
      fails(() => probe(decoder, path), VideoError, /convert it to H\.264 or VP9/);
    });

    it('takes file names of any kind', () => {
      const plain = encodeNumbers('plain.webm', 'vp9', 4);
      for (const odd of ['-i it\'s 100%d [odd];$(x) `y` "z".webm', 'http:__x.webm', 'pipe:0', 'кино %03d.webm', '-']) {
        const path = join(folder, odd);
        copyFileSync(plain, path);
        assert.equal(probe(decoder, path).frameCount, 4, odd);
        assert.deepEqual(numbers(decode(decoder, path, { times: { evenly: 2 }, size: { shortSide: 72 } }).strip), [1, 3], odd);
      }
    });

    it('holds files to its limits', () => {
      const path = encodeNumbers('limits.webm', 'vp9', 20);
      const limited = (limits: Partial<typeof defaultLimits>, reason: RegExp) =>
        fails(() => probe(openDecoder(name, limits), path), LimitError, reason);
      limited({ maxPixels: 96 * 72 - 1 }, /frames of 96x72 are more than 6911 pixels/);
      limited({ maxDurationSec: 0.5 }, /lasts 0\.8 s, more than 0\.5 s/);
      limited({ maxFrames: 19 }, /has more than 19 frames/);
      assert.equal(probe(openDecoder(name, { maxPixels: 96 * 72, maxDurationSec: 1, maxFrames: 20 }), path).frameCount, 20);
      fails(
        () => decode(decoder, path, { times: { evenly: 100_000 }, size: { width: 640, height: 480 } }),
        LimitError,
        /ask for fewer or smaller frames/,
      );
    });

    it('refuses a wanted frame that is damaged, and only that', { skip: noPatterns }, () => {
      const intra = pattern('intra.mp4', {
        gopSize: 1,
        ticks: Array.from({ length: 12 }, (_, frame) => frame),
        options: { bf: '0' },
      });
      const bytes = readFileSync(intra);
      const sizes = sampleSizes(bytes);
      const begin = bytes.indexOf('mdat') + 4 + sizes.slice(0, 6).reduce((sum, size) => sum + size, 0);
      const damagedBytes = Math.floor((sizes[6] ?? 0) / 2);
      const path = join(folder, 'damaged.mp4');
      bytes.fill(0xa5, begin + damagedBytes, begin + 2 * damagedBytes);
      writeFileSync(path, bytes);
      const outcome = (wanted: number): number | 'refused' => {
        try {
          return (
            numbers(decode(decoder, path, { times: { timesSec: [(wanted + 0.5) / 25] }, size: { shortSide: 72 } }).strip)[0] ?? -1
          );
        } catch (error) {
          assert.ok(error instanceof VideoError);
          assert.match(error.message, /damaged\.mp4: the frame at 0\.\d+ s cannot be decoded: .*damaged/);
          return 'refused';
        }
      };
      const outcomes = Array.from({ length: 12 }, (_, wanted) => outcome(wanted));
      assert.deepEqual(outcomes, [0, 1, 2, 3, 4, 5, 'refused', 7, 8, 9, 10, 11]);
    });
  });
}

describe('both decoders', { skip: missing['node-av'] || missing.ffmpeg || noPatterns }, () => {
  it('give the same pixels: at least 45 dB, tagged BT.709 or not, turned or not', () => {
    const soft = (frame: number, x: number, y: number) => 128 + Math.round(60 * Math.sin((x + frame) / 9) + 40 * Math.cos(y / 7));
    const cases: [string, Partial<PatternVideo>][] = [
      ['plain.mp4', { colour: { bt709: false } }],
      ['tagged.mp4', { colour: { bt709: true } }],
      ['turned.mp4', { colour: { bt709: true }, matrix: [0, 1, -1, 0] }],
      ['aspect.mkv', { colour: { bt709: false }, sampleAspect: [4, 3] }],
      ['p.avi', { encoder: 'mpeg4', maxBFrames: 2, colour: { bt709: false } }],
    ];
    const colours = new Map<string, Uint8Array>();
    for (const [name, video] of cases) {
      const path = pattern(name, { width: 160, height: 120, picture: soft, ...video });
      const request = { times: { evenly: 5 }, size: { shortSide: 64 } };
      const one = decode(openDecoder('node-av'), path, request);
      const other = decode(openDecoder('ffmpeg'), path, request);
      assert.deepEqual(one.strip.timesSec, other.strip.timesSec);
      assert.deepEqual({ ...one.info }, { ...other.info });
      assert.ok(psnr(one.strip.rgb, other.strip.rgb) >= 45, `${name}: ${psnr(one.strip.rgb, other.strip.rgb)} dB`);
      colours.set(name, one.strip.rgb);
    }
    const [plain, tagged] = [colours.get('plain.mp4'), colours.get('tagged.mp4')];
    assert.ok(plain !== undefined && tagged !== undefined && psnr(plain, tagged) < 40, 'the BT.709 tag is heeded');
  });
});

describe('decoder node-av on files too large to keep', { skip: noPatterns }, () => {
  it('reads packets again, with seeking or without, and finds the same frames', () => {
    assert.ok(typeof nodeAv !== 'string');
    const decoder = new NodeAvDecoder(nodeAv, defaultLimits, 0);
    const long = { gopSize: 10, options: { bf: '2' } };
    for (const name of ['again.mp4', 'again.mkv', 'again.ts', 'again.h264']) checkTimes(decoder, pattern(name, long), evenly(60));
    checkTimes(decoder, pattern('again.avi', { encoder: 'mpeg4', maxBFrames: 2, gopSize: 10 }), evenly(60));
  });
});

describe('decoder ffmpeg on long files', { skip: missing.ffmpeg || noPatterns }, () => {
  it('reads far-apart frames in several runs', () => {
    const ticks = Array.from({ length: 1800 }, (_, frame) => frame);
    const decoder = openDecoder('ffmpeg');
    for (const name of ['long.mp4', 'long.mkv']) {
      const path = pattern(name, { ticks, gopSize: 50, options: { bf: '2', preset: 'ultrafast' } });
      const { strip } = decode(decoder, path, { times: { timesSec: [1, 1.04, 30, 70.2] }, size: { shortSide: 72 } });
      assert.deepEqual(numbers(strip), [25, 26, 750, 1755]);
      const dense = decode(decoder, path, {
        times: { timesSec: evenly(700).map((time) => time + 0.01) },
        size: { shortSide: 72 },
      }).strip;
      assert.deepEqual(
        numbers(dense),
        Array.from({ length: 700 }, (_, frame) => frame),
      );
    }
  });
});

describe('openDecoder', () => {
  it('says which decoder it is', () => {
    const auto = openDecoder('auto');
    assert.equal(auto.name, missing['node-av'] === false ? 'node-av' : 'ffmpeg');
  });
});
