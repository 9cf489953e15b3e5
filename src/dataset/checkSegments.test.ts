/** Facts of segments, with several labels at once. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { segmentFacts } from './checkSegments.js';
import type { LabelledVideo, LabelledVideos } from './labelledVideos.js';

test('a segment of several labels is counted under each of them', () => {
  const segment = (startSec: number, endSec: number, labels: string[]): LabelledVideo => ({
    ...{ path: 'a.mp4', name: `a.mp4@${startSec}`, label: labels.join('|'), labelIndex: -1, labels, labelIndices: [] },
    ...{ split: 'train', columns: {}, segment: { startSec, endSec } },
  });
  const videos = [segment(0, 2, ['x']), segment(1, 4, ['x', 'y']), segment(5, 6, [])];
  const data = { videos, labels: ['x', 'y'], films: [{ path: 'a.mp4', durationSec: 9, frameRate: 16 }] };
  const { classes, overlapSec } = segmentFacts(data as unknown as LabelledVideos) ?? assert.fail('no segments');
  const counts = classes.map(({ label, segments, lengthSec }) => [label, segments, lengthSec.least, lengthSec.most]);
  assert.deepEqual(counts, [
    ['x', 2, 2, 3],
    ['y', 1, 3, 3],
  ]);
  assert.equal(overlapSec, 1);
});
