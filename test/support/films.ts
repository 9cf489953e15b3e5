/** Films of moments: a square that moves over dark or bright ground, with blue between. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeVideo } from '../../src/video/encode.js';
import { tinyConfig } from './randomWeights.js';

const [width, height, frameRate] = [64, 48, 12];
/** Dark from 0 to 2 s, bright from 6 to 8 s, and so on every 12 s. */
const periodSec = 12;
export const periods = 3;

export interface Row {
  readonly film: string;
  readonly label: 'dark' | 'bright';
  readonly startSec: number;
  readonly endSec: number;
}

/** The moments of a film, in order. */
export const momentsOf = (film: string): Row[] =>
  Array.from({ length: periods }, (_, i) => i * periodSec).flatMap((sec) => [
    { film, label: 'dark', startSec: sec, endSec: sec + 2 },
    { film, label: 'bright', startSec: sec + 6, endSec: sec + 8 },
  ]);

export function makeFilm(path: string, seed: number): void {
  mkdirSync(dirname(path), { recursive: true });
  encodeVideo(path, { width, height, frameRate, codec: 'h264' }, frames(seed));
}

/** films/0.mp4 and so on, list.csv of their moments with a split by film, and tiny.json with a network. */
export function makeFilms(root: string, splits: readonly string[]): void {
  const rows = splits.flatMap((split, i) => {
    makeFilm(join(root, 'films', `${i}.mp4`), i);
    return momentsOf(`films/${i}.mp4`).map(({ film, label, startSec, endSec }) => [film, label, startSec, endSec, split].join());
  });
  writeFileSync(join(root, 'list.csv'), `path,label,start,end,split\n${rows.join('\n')}\n`);
  writeFileSync(join(root, 'tiny.json'), JSON.stringify(tinyConfig()));
}

function* frames(seed: number): Generator<Uint8Array> {
  for (let t = 0; t < periods * periodSec * frameRate; t++) {
    const sec = (t / frameRate) % periodSec;
    const ground = sec < 2 ? [30, 40, 30] : sec >= 6 && sec < 8 ? [190, 200, 180] : [40, 60, 200];
    const left = (t * 2 + seed * 11) % (width - 16);
    const rgb = new Uint8Array(width * height * 3);
    for (let i = 0; i < width * height; i++) {
      const [x, y] = [i % width, Math.floor(i / width)];
      rgb.set(x >= left && x < left + 16 && y >= 16 && y < 32 ? [230, 60 + seed * 20, 60] : ground, i * 3);
    }
    yield rgb;
  }
}
