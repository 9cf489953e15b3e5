import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeVideo, temporaryFolder } from '../smallVideos.js';
import { tinyConfig } from './randomWeights.js';

/** Seeds whose ground is dark, and bright (see smallVideos.ts). */
const seeds = Array.from({ length: 100 }, (_, seed) => seed);
export const grounds = {
  dark: seeds.filter((seed) => (seed * 29) % 120 < 30),
  bright: seeds.filter((seed) => (seed * 29) % 120 > 90),
};

/** data/SPLIT/dark and data/SPLIT/bright, and tiny.json with a network. */
export function littleData(t: TestContext): string {
  const root = temporaryFolder(t);
  for (const [label, own] of Object.entries(grounds)) {
    const splits = { train: own.slice(0, 6), val: own.slice(6, 8), test: own.slice(8, 10) };
    for (const [split, chosen] of Object.entries(splits)) {
      for (const seed of chosen) makeVideo(join(root, 'data', split, label, `${seed}.mp4`), { seed });
    }
  }
  writeFileSync(join(root, 'tiny.json'), JSON.stringify(tinyConfig()));
  return root;
}
