import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LabelledVideo } from '../dataset/labelledVideos.js';
import { doubtfulMoments } from './doubtfulMoments.js';

test('of several labels at once a missing and a wrong one are told apart', () => {
  const sets = Array.from({ length: 24 }, (_, i) => [...(i % 2 === 0 ? [0] : []), ...(i % 3 === 0 ? [1] : [])]);
  const scores = sets.map((set) => [0, 1].map((k) => (set.includes(k) ? 0.9 : 0.1)));
  const given = sets.map((set, i) => (i === 4 ? [] : i === 5 ? [0] : set)); // 4 lacks "a", 5 has it too much
  const videos = given.map((labelIndices, i): LabelledVideo => {
    const labels = labelIndices.map((k) => 'ab'[k] as string);
    return {
      path: `/${i}.mp4`,
      name: `${i}.mp4`,
      label: labels.join('|'),
      labelIndex: -1,
      labels,
      labelIndices,
      split: 'train',
      columns: {},
    };
  });
  const data = { root: '/', source: 'list', labels: ['a', 'b'], multiLabel: true, videos, splitBy: '', notes: [] } as const;
  const found = doubtfulMoments(scores, data).map(({ name, likely }) => `${name} ${likely}`);
  assert.deepEqual(found.sort(), ['4.mp4 also a', '5.mp4 not a']);
});
