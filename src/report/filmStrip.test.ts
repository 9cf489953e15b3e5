import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filmStrip } from './filmStrip.js';

const film = {
  name: '<b>.mp4',
  durationSec: 90,
  truth: [
    { startSec: 1, endSec: 20, label: 'wave & bow' },
    { startSec: 10, endSec: 30, label: 'kick' },
    { startSec: 70, endSec: 71, label: 'kick' },
  ],
  predicted: [{ startSec: 2, endSec: 21, label: 'kick', score: 0.5, startsIn: [1.5, 2.5], endsIn: [20, 22] }],
} as const;
const markup = filmStrip(film, ['kick', 'wave & bow']).markup;

test('a line a minute, with every segment once in truth and timeline, and its doubt', () => {
  assert.equal(markup.match(/<svg /g)?.length, 2);
  assert.equal(markup.match(/<rect class="run0"/g)?.length, 3);
  assert.equal(markup.match(/<rect class="run1"/g)?.length, 1);
  assert.equal(markup.match(/<rect class="doubt"/g)?.length, 2);
  assert.match(markup, /kick 2\.0 to 21\.0 s, 0\.50/);
});

test('segments that overlap lie in rows of their own; names are escaped', () => {
  const tops = [...markup.matchAll(/<rect class="run\d" x="[\d.]+" y="(\d+)"/g)].map(([, y]) => Number(y));
  assert.equal(tops[0], 0);
  assert.ok((tops[1] ?? 0) > 0);
  assert.ok(!markup.includes('<b>.mp4') && markup.includes('&lt;b&gt;.mp4') && markup.includes('wave &amp; bow'));
});
