/** `npm run bench -- clips-per-class`: draws, intervals, resumption, chart, and a run with a tiny network. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readChoices } from '../bench/clipsPerClass/choices.js';
import { type ClipsPerClassOptions, clipsPerClass, usefulCounts } from '../bench/clipsPerClass/clipsPerClass.js';
import { curvePoints, curveTable } from '../bench/clipsPerClass/curves.js';
import { curvesSvg } from '../bench/clipsPerClass/curvesSvg.js';
import { type Count, Draws } from '../bench/clipsPerClass/draws.js';
import { kinds, ResultsFile, type Run } from '../bench/clipsPerClass/resultsFile.js';
import { UsageError } from '../bench/errors.js';
import type { LabelledVideo, LabelledVideos } from '../src/dataset/labelledVideos.js';
import { makeVideo, temporaryFolder } from './smallVideos.js';
import { tinyConfig, writeTinyWeights } from './support/randomWeights.js';

const labels = ['hug', 'kick'];

/** Of each class `recordings` recordings of `clips` clips, and a test video. */
function dataset(recordings: number, clips: number): LabelledVideos {
  const videos = labels.flatMap((label, labelIndex) => {
    const video = (file: string, split: LabelledVideo['split'] = 'train'): LabelledVideo => {
      const name = `${label}/${file}.mp4`;
      return { path: `/clips/${name}`, name, label, labelIndex, split, columns: {} };
    };
    const films = Array.from({ length: recordings }, (_, film) => String.fromCharCode(97 + film));
    const train = films.flatMap((film) => Array.from({ length: clips }, (_, i) => video(`${film}_${i}`)));
    return [...train, video('other', 'test')];
  });
  return { root: '/clips', source: 'list', labels, videos, splitBy: 'as given', notes: [] };
}

const namesOf = (videos: readonly LabelledVideo[]) => videos.map(({ name }) => name);
const filmOf = ({ name, label }: LabelledVideo) => name.slice(0, `${label}/a`.length);

test('draws hold so many clips of each class, the same ones again, and those of smaller counts', () => {
  const draws = new Draws(dataset(5, 4));
  const seen = new Set<string>();
  for (const draw of [0, 1, 2, 3]) {
    let before: string[] = [];
    for (const count of [1, 2, 4, 8, 16, 'all'] satisfies Count[]) {
      const drawn = draws.drawn(count, draw);
      for (const label of labels)
        assert.equal(drawn.filter((video) => video.label === label).length, count === 'all' ? 20 : count);
      assert.ok(drawn.every(({ split }) => split === 'train'));
      assert.deepEqual(namesOf(new Draws(dataset(5, 4)).drawn(count, draw)), namesOf(drawn));
      const names = new Set(namesOf(drawn));
      assert.ok(before.every((name) => names.has(name)));
      before = [...names];
      if (count === 4) seen.add([...names].join());
    }
  }
  assert.equal(seen.size, 4, 'each draw is another');
  assert.equal(draws.largest, 20);
});

test('the order of the list changes no draw', () => {
  const data = dataset(3, 4);
  const reversed = { ...data, videos: [...data.videos].reverse() };
  assert.deepEqual(namesOf(new Draws(reversed).drawn(3, 7)), namesOf(new Draws(data).drawn(3, 7)));
});

test('clips are of as many recordings as there are, where recordings are known', () => {
  const draws = new Draws(dataset(5, 4));
  assert.equal(draws.by, 'names without their last number');
  for (const draw of [0, 1, 2, 3, 4, 5]) {
    for (const [count, each] of [
      [5, 1],
      [10, 2],
      [15, 3],
    ] as const) {
      const films = new Map<string, number>();
      for (const video of draws.drawn(count, draw)) films.set(filmOf(video), (films.get(filmOf(video)) ?? 0) + 1);
      assert.deepEqual([...films.values()], Array(10).fill(each)); // 5 films of 2 classes
    }
  }
  assert.equal(new Draws(dataset(1, 8)).by, undefined); // one recording tells nothing apart
});

test('validation is inside the drawn clips, as vmf train takes it; classes with fewer clips give all', () => {
  const draws = new Draws(dataset(5, 4));
  const splits = (count: Count) => {
    const { videos } = draws.dataset(count, 0, 'carved');
    return (['train', 'val', 'test'] as const).map((split) => videos.filter((video) => video.split === split).length);
  };
  assert.deepEqual(
    [splits(1), splits(2), splits(8), splits('all')],
    [
      [2, 0, 0],
      [2, 2, 0],
      [14, 2, 0],
      [36, 4, 0],
    ],
  );
  const all = draws.dataset(8, 0, 'none');
  assert.deepEqual([all.videos.length, all.videos.every(({ split }) => split === 'train')], [16, true]);
  assert.equal(draws.dataset(50, 0, 'none').videos.length, 40);
  assert.deepEqual(usefulCounts([16, 1, 4, 'all', 4, 20], 20), [1, 4, 16, 'all']);
  assert.deepEqual(usefulCounts([1, 32], 20), [1, 'all']);
  assert.deepEqual(usefulCounts([2, 1], 20), [1, 2]);
});

const run = (more: Partial<Run>): Run => ({
  ...{ kind: 'tuned', count: 4, draw: 0, weights: 'abc', network: 'tiny', trainClips: 6, valClips: 2, correct: 5, testClips: 10 },
  ...{ seconds: 2, machine: 'here', date: '2026-01-02T03:04:05Z' },
  ...more,
});

const facts = { classes: 2, largestClass: 0.3 };

test("points are means over draws with Student's interval", () => {
  const runs = [5, 6, 7].map((correct, draw) => run({ correct, draw }));
  const [point, ...others] = curvePoints(
    [...runs, run({ kind: 'frozen', count: 'all', correct: 9 })],
    [4, 'all'],
    facts,
  ).reverse();
  assert.ok(point && others.length === 1);
  assert.deepEqual([point.kind, point.perClass, point.draws, point.each], ['tuned', 4, 3, [0.5, 0.6, 0.7]]);
  const half = (4.302653 * 0.1) / Math.sqrt(3); // t of 2 degrees of freedom at 97.5 %
  assert.ok(Math.abs(point.top1 - 0.6) < 1e-12);
  assert.ok(Math.abs((point.low ?? 0) - (0.6 - half)) < 1e-6 && Math.abs((point.high ?? 0) - (0.6 + half)) < 1e-6);
  assert.deepEqual([others[0]?.top1, others[0]?.low, others[0]?.high], [0.9, null, null]);
  const table = curveTable(curvePoints([...runs, run({ kind: 'frozen', count: 'all', correct: 9 })], [4, 'all'], facts));
  assert.match(
    table,
    /^clips a class +on average +frozen +tuned\n4 +4\.0 +- +60\.0 % \(35\.2 to 84\.8 %\)\nall +4\.0 +90\.0 % \(1 draw\) +-\n/,
  );
  assert.match(table, /10 test videos.*the largest class alone: 30\.0 %\n$/);
});

test('the chart: a curve a kind on a logarithmic axis, intervals within 0 to 100 %, escaped names', () => {
  const runs = kinds.flatMap((kind) =>
    ([1, 2, 4, 'all'] as const).flatMap((count) => [9, 10].map((correct, draw) => run({ kind, count, draw, correct }))),
  );
  const rows = curvePoints(runs, [1, 2, 4, 'all'], facts);
  assert.ok((rows[0]?.high ?? 0) > 1);
  const machine = { cpu: 'A & B', vectors: 'avx2', cores: 2 };
  const svg = curvesSvg({ rows, machine, date: '2026-01-02', data: { name: '<x>', classes: 2 } });
  assert.doesNotMatch(svg, /NaN|Infinity|undefined|<x>/);
  const curves = [...svg.matchAll(/<path class="line c\d" d="(M[\d.L ]+)"\/><circle/g)].map(([, path = '']) => path);
  assert.equal(curves.length, 3);
  for (const path of curves) {
    const x = path
      .slice(1)
      .split('L')
      .map((pair) => Number(pair.split(' ')[0]));
    const [a = 0, b = 0, c = 0] = x;
    assert.ok(x.length === 4 && Math.abs(b - a - (c - b)) < 0.2, path); // 1, 2, 4
  }
  for (const [, bar = ''] of svg.matchAll(/V([\d.]+)M/g)) assert.ok(Number(bar) >= 62 && Number(bar) <= 372);
});

test('finished runs are found again; other data, other files and a second process are refused', async (t) => {
  const out = join(temporaryFolder(t), 'new', 'out');
  const head = { data: 'digest', split: 'test', startSec: 0.5, recipes: 'these' };
  const file = ResultsFile.open(out, head);
  assert.throws(() => ResultsFile.open(out, head), /a run is going on here/);
  await Promise.all([0, 1, 2].map((draw) => file.add(run({ draw }), () => ({ note: draw }))));
  file.close();
  const again = ResultsFile.open(out, head);
  assert.equal(again.find(run({ draw: 1 }))?.correct, 5);
  for (const other of [{ draw: 3 }, { kind: 'frozen' }, { count: 'all' }, { weights: null }, { network: 'large' }] as const)
    assert.equal(again.find(run(other)), undefined);
  again.close();
  assert.throws(
    () => ResultsFile.open(out, { ...head, data: 'other', startSec: 0, recipes: 'those' }),
    (error) => {
      return (
        error instanceof UsageError &&
        /results of other videos, --start 0\.5, other recipes; use another --out/.test(error.message)
      );
    },
  );
  assert.ok(!existsSync(join(out, 'lock')));
});

test('options that mean nothing are refused', () => {
  const good = { counts: '1,8,all', only: undefined, start: '0.5', split: 'test' };
  assert.deepEqual(readChoices(good), { counts: [1, 8, 'all'], only: kinds, split: 'test', startSec: 0.5 });
  const bad = [{ counts: '1,,2' }, { counts: '0' }, { only: 'tuned,best' }, { start: '-1' }, { start: '' }, { split: 'train' }];
  for (const wrong of bad) assert.throws(() => readChoices({ ...good, ...wrong }), UsageError);
});

test('a run with a tiny network: all kinds, results that add up, and nothing twice', async (t) => {
  const root = temporaryFolder(t);
  for (const [k, label] of labels.entries()) {
    for (let i = 0; i < 4; i++)
      makeVideo(join(root, 'data', 'train', label, `${'abcd'[i]}.mp4`), { seed: 4 * k + i, frames: 12 });
    for (let i = 0; i < 2; i++) makeVideo(join(root, 'data', 'test', label, `e${i}.mp4`), { seed: 4 * k + i + 20, frames: 12 });
  }
  await writeTinyWeights(join(root, 'weights.safetensors'));
  const said: string[] = [];
  const options: ClipsPerClassOptions = {
    ...{ data: join(root, 'data'), draws: 1, counts: [1, 'all'], only: kinds, init: join(root, 'weights.safetensors') },
    ...{ startSec: 0, split: 'test', out: join(root, 'out'), say: (line) => said.push(line), lanes: 1 },
    ...{ model: tinyConfig(), choices: { epochs: 1, batch: 2 }, cacheFolder: false },
  };
  const first = await clipsPerClass(options);
  assert.equal(said.filter((line) => /top-1 \d+\.\d % of 4/.test(line)).length, 6);
  assert.deepEqual(first.rows.map(({ kind, count }) => `${kind} ${count}`), kinds.flatMap((kind) => [`${kind} 1`, `${kind} all`])); // biome-ignore format: a line
  const {
    runs,
    weights,
    rows,
    machine,
    date,
    test: tested,
  } = JSON.parse(readFileSync(join(root, 'out', 'clips-per-class.json'), 'utf8'));
  assert.deepEqual([runs.length, rows.length, tested.videos, tested.largestClass], [6, 6, 4, 0.5]);
  assert.ok(weights.name === 'weights.safetensors' && /^[0-9a-f]{64}$/.test(weights.sha256) && machine.cpu && date);
  const clips = (kind: string, count: Count) => {
    const one = runs.find((each: Run) => each.kind === kind && each.count === count);
    return [one.trainClips, one.valClips];
  };
  assert.deepEqual(
    [clips('frozen', 1), clips('tuned', 1), clips('scratch', 1)],
    [
      [2, 0],
      [2, 0],
      [2, 0],
    ],
  );
  assert.deepEqual(
    [clips('frozen', 'all'), clips('tuned', 'all'), clips('scratch', 'all')],
    [
      [8, 0],
      [6, 2],
      [6, 2],
    ],
  );
  said.length = 0;
  const second = await clipsPerClass({ ...options, draws: 2, only: ['frozen'] }); // only draw 1 of one clip is new
  assert.equal(said.filter((line) => /top-1/.test(line)).length, 1);
  assert.match(said[0] ?? '', /^3 runs, 2 finished before; clips drawn from as many recordings as there are \(names/);
  assert.equal(second.rows.find(({ count }) => count === 1)?.draws, 2);
  assert.equal(JSON.parse(readFileSync(join(root, 'out', 'clips-per-class.json'), 'utf8')).runs.length, 7);
  assert.match(readFileSync(join(root, 'out', 'clips-per-class.svg'), 'utf8'), /clips of each class/);
});
