/** Small synthetic videos for tests: a moving square. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { encodeVideo } from '../src/video/encode.js';

export interface SmallVideo {
  /** Another seed is another picture. */
  readonly seed?: number;
  readonly frames?: number;
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  /** Frames at the start in which nothing moves. */
  readonly frozen?: number;
}

/** A folder that is removed when the test ends, or with `{ after }` of node:test when all tests of the file have ended. */
export function temporaryFolder(t: { after(run: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'vmf-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Encodes an H.264 mp4, its folder included: 64x48, 24 frames at 12 a second unless told otherwise. */
export function makeVideo(path: string, options: SmallVideo = {}): void {
  const { width = 64, height = 48, frameRate = 12 } = options;
  mkdirSync(dirname(path), { recursive: true });
  encodeVideo(path, { width, height, frameRate, codec: 'h264' }, movingSquare(width, height, options));
}

/** A file of any bytes, its folder included. */
export function makeFile(path: string, bytes: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

function* movingSquare(width: number, height: number, { seed = 0, frames = 24, frozen = 0 }: SmallVideo): Generator<Uint8Array> {
  const side = Math.floor(height / 3);
  for (let t = 0; t < frames; t++) {
    const step = Math.max(0, t - frozen);
    const left = (step * 2 + seed * 7) % (width - side);
    const rgb = new Uint8Array(width * height * 3);
    for (let i = 0; i < width * height; i++) {
      const [x, y] = [i % width, Math.floor(i / width)];
      const inside = x >= left && x < left + side && y >= side && y < 2 * side;
      rgb.set(inside ? [230, 40 + ((seed * 53) % 200), 60] : [40, 60 + ((seed * 29) % 120), 30 + 3 * y], i * 3);
    }
    yield rgb;
  }
}
