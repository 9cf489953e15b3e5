/** A 10 s test video, 340 x 256, H.264 with B-frames. */

import { encodeVideo } from '../src/video/encode.js';

const [width, height, frameRate, seconds] = [340, 256, 25, 10];

/** Writes the video: a textured ground that drifts, two things that move over it, and grain. */
export function drawFilm(path: string): void {
  encodeVideo(path, { width, height, frameRate, codec: 'h264' }, pictures());
}

function* pictures(): Generator<Uint8Array> {
  const rgb = new Uint8Array(width * height * 3);
  for (let t = 0; t < frameRate * seconds; t++) {
    paint(rgb, t);
    yield rgb;
  }
}

function paint(rgb: Uint8Array, t: number): void {
  let seed = (t + 1) * 2654435761;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
      const grain = (seed >>> 30) - 2;
      const ground = 110 + 50 * Math.sin((x + 2 * t) / 9) * Math.cos((y - t) / 13) + grain;
      const near = (cx: number, cy: number, r: number) => (x - cx) ** 2 + (y - cy) ** 2 < r * r;
      const ball = near(170 + 110 * Math.sin(t / 20), 128 + 60 * Math.cos(t / 13), 34);
      const box = Math.abs(x - ((3 * t) % width)) < 22 && Math.abs(y - 190) < 22;
      const at = (y * width + x) * 3;
      rgb[at] = ball ? 220 : ground;
      rgb[at + 1] = box ? 210 : ground * 0.9;
      rgb[at + 2] = ball || box ? 60 : ground * 0.7;
    }
  }
}
