import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeFile, makeVideo, temporaryFolder } from '../../test/smallVideos.js';
import type { AnnotatedFilm } from '../annotations/annotations.js';
import { makePreprocess } from '../clip/preprocess.js';
import { decode, openDecoder } from '../video/decoder.js';
import { encodeVideo } from '../video/encode.js';
import { DataLoader } from './dataLoader.js';
import { annotatedVideos, type DatasetOptions, readDataset } from './dataset.js';

/** Two films of 20 s at 12 frames a second, and lists of them. */
function films(
  t: TestContext,
  lists: Readonly<Record<string, string>>,
): (name: string, options?: DatasetOptions) => ReturnType<typeof readDataset> {
  const root = temporaryFolder(t);
  for (const [seed, name] of ['a.mp4', 'b.mp4'].entries()) makeVideo(join(root, name), { seed, frames: 240 });
  for (const [name, text] of Object.entries(lists)) makeFile(join(root, name), text);
  return (name, options) => readDataset(join(root, name), { valShare: 0, ...options });
}

const fails = async (reading: Promise<unknown>, pattern: RegExp) => {
  await assert.rejects(reading, (error: Error) => {
    assert.equal(error.name, 'DatasetError');
    assert.match(error.message, pattern);
    return true;
  });
};

test('a list with start and end has many segments a film, in any spelling of times', async (t) => {
  const read = films(t, {
    'plain.csv':
      'path,label,start,end,split\na.mp4,x,1.5,3,train\na.mp4,y,0:04,00:00:06.250,train\na.mp4,x,,2,train\na.mp4,y,18,,train\n',
    'excel.csv':
      '\uFEFFpath;label;start;end;split;;\r\na.mp4;x;1,5;3;train;;\r\na.mp4;y;4,000;6,25;train;;\r\na.mp4;x;;2;train;;\r\na.mp4;y;18;;train;;\r\n;;;;;;\r\n',
    'frames.tsv':
      'path\tlabel\tstart_frame\tend_frame\tsplit\na.mp4\tx\t18\t36\ttrain\na.mp4\ty\t48\t75\ttrain\na.mp4\tx\t\t24\ttrain\na.mp4\ty\t216\t\ttrain\n',
    'lines.jsonl':
      '{"path":"a.mp4","label":"x","start":1.5,"end":3,"split":"train"}\n{"path":"a.mp4","label":"y","start":"4","end":6.25,"split":"train"}\n' +
      '{"path":"a.mp4","label":"x","end":2,"split":"train"}\n{"path":"a.mp4","label":"y","start":18,"end":null,"split":"train"}\n',
  });
  const plain = await read('plain.csv');
  assert.deepEqual(
    plain.videos.map(({ name }) => name),
    ['a.mp4@1.500-3.000', 'a.mp4@4.000-6.250', 'a.mp4@0.000-2.000', 'a.mp4@18.000-20.000'],
  );
  assert.deepEqual(plain.videos[1]?.segment, { startSec: 4, endSec: 6.25 });
  assert.deepEqual(plain.videos[1]?.columns, {});
  for (const name of ['excel.csv', 'lines.jsonl', 'frames.tsv']) assert.deepEqual((await read(name)).videos, plain.videos, name);
  assert.match((await read('frames.tsv')).notes.join(), /4 segments in frames, counted from 0 at the film's own rate/);
});

test('times that are none, or not of the film, are an error with their row', async (t) => {
  const rows = (text: string) => `path,label,start,end\na.mp4,x,1,2\n${text}\n`;
  const read = films(t, {
    'word.csv': rows('a.mp4,y,soon,2'),
    'back.csv': rows('a.mp4,y,5,4'),
    'empty.csv': rows('a.mp4,y,5,0:05'),
    'early.csv': rows('a.mp4,y,-1,4'),
    'late.csv': rows('a.mp4,y,30,\na.mp4,y,40,50'),
    'long.csv': rows('a.mp4,y,10,21.5'),
    'rounded.csv': rows('a.mp4,y,10,20.4'),
    'twice.csv': rows('a.mp4,x,0:01,00:02.0'),
    'frame.csv': 'path,label,start_frame,end_frame\na.mp4,x,1.5,20\n',
    'gone.csv': rows('c.mp4,y,1,2\nc.mp4,y,3,4'),
  });
  await fails(read('word.csv'), /word\.csv:3: a\.mp4: start: expected seconds .* got "soon"/);
  await fails(read('back.csv'), /back\.csv:3: a\.mp4: ends at 4 s, before its start at 5 s/);
  await fails(read('empty.csv'), /empty\.csv:3: a\.mp4: is empty: starts and ends at 5 s/);
  await fails(read('early.csv'), /early\.csv:3: a\.mp4: starts at -1 s, before its film/);
  await fails(
    read('late.csv'),
    /late\.csv:3: .* starts at 30 s, but the picture of the film ends at 20\.000 s; 1 more rows cannot be used/,
  );
  await fails(read('long.csv'), /long\.csv:3: a\.mp4: ends at 21\.5 s, but the film ends at 20\.000 s/);
  await fails(read('twice.csv'), /twice\.csv:3: a\.mp4@1\.000-2\.000 is there twice \(before: .*twice\.csv:2\); keep one row/);
  await fails(read('frame.csv'), /frame\.csv:2: a\.mp4: start_frame: expected a whole frame number from 0, got "1\.5"/);
  await fails(read('gone.csv'), /gone\.csv:3: 1 of 2 files are missing: c\.mp4/);
  const rounded = await read('rounded.csv');
  assert.equal(rounded.videos[1]?.name, 'a.mp4@10.000-20.000');
  assert.match(rounded.notes.join(), /1 segment of up to 1 s beyond the end of the film: cut there/);
});

test('for a check rows that cannot be used are kept beside the others', async (t) => {
  const read = films(t, { 'list.csv': 'path,label,start,end\na.mp4,x,1,2\na.mp4,y,5,4\na.mp4,y,6,7\nb.mp4,x,1,99\n' });
  const data = await read('list.csv', { keepMissing: true });
  assert.equal(data.videos.length, 2);
  assert.deepEqual(
    data.faults?.map(({ video, reason }) => [video.where.replace(/.*\//, ''), reason]),
    [
      ['list.csv:3', 'ends at 4 s, before its start at 5 s'],
      ['list.csv:5', 'ends at 99 s, but the film ends at 20.000 s'],
    ],
  );
});

test('background is drawn where nothing is labelled, apart from it, as long as labelled moments, the same each time', async (t) => {
  const read = films(t, {
    'list.csv': 'path,label,start,end,split\na.mp4,x,2,4,train\na.mp4,y,8,9,train\nb.mp4,x,0,2,test\nb.mp4,y,10,11,test\n',
  });
  const data = await read('list.csv', { background: 'none', backgroundShare: 0.5 });
  assert.deepEqual(data.labels, ['none', 'x', 'y']);
  const drawn = data.videos.filter(({ label }) => label === 'none');
  assert.equal(drawn.length, 4);
  for (const { path, segment, split, name } of drawn) {
    assert.ok(segment);
    const length = segment.endSec - segment.startSec;
    assert.ok(
      [1, 2].some((sec) => Math.abs(length - sec) < 2e-3),
      name,
    );
    assert.equal(split, path.endsWith('a.mp4') ? 'train' : 'test');
    for (const other of data.videos.filter((video) => video.path === path && video.name !== name)) {
      const margin = other.label === 'none' ? 0 : 0.5;
      const { startSec, endSec } = other.segment ?? { startSec: 0, endSec: 0 };
      assert.ok(
        segment.endSec <= startSec - margin + 1e-9 || segment.startSec >= endSec + margin - 1e-9,
        `${name} and ${other.name}`,
      );
    }
  }
  assert.match(data.notes.join(), /none: 4 segments without label, 50 % of all, 0\.5 s and more from labelled moments, seed 0/);
  assert.deepEqual(await read('list.csv', { background: 'none', backgroundShare: 0.5 }), data);
  assert.notDeepEqual((await read('list.csv', { background: 'none', backgroundShare: 0.5, seed: 1 })).videos, data.videos);
  assert.equal((await read('list.csv', { background: 'none' })).videos.length, 6); // as many as the mean class
  assert.equal((await read('list.csv')).videos.length, 4);
});

test('a split that puts segments of one film on both sides is said; an automatic one does not', async (t) => {
  const read = films(t, {
    'mixed.csv': 'path,label,start,end,split\na.mp4,x,2,4,train\na.mp4,x,8,9,test\na.mp4,x,10,11,val\n',
    'auto.csv': `path,label,start,end\n${['a', 'b'].flatMap((film) => [1, 3, 5, 7].map((sec, i) => `${film}.mp4,${'xy'[i % 2]},${sec},${sec + 1}\n`)).join('')}`,
    'one.csv': `path,label,start,end\n${[1, 3, 5, 7].map((sec, i) => `a.mp4,${'xy'[i % 2]},${sec},${sec + 1}\n`).join('')}`,
  });
  assert.match((await read('mixed.csv')).notes.join(), /2 segments for validation and testing are of 1 film that training sees/);
  const auto = await read('auto.csv');
  assert.equal(auto.splitBy, '80/10/10 by film, seed 0');
  const sides = new Map(
    auto.videos.map(({ path }) => [path, new Set(auto.videos.filter((video) => video.path === path).map(({ split }) => split))]),
  );
  for (const [path, splits] of sides) assert.equal(splits.size, 1, path);
  assert.match((await read('one.csv')).notes.join(), /on both sides of the split, since there is only one/);
});

test('annotations become segments of their films; stretches called complete are background, points need a length', async (t) => {
  const root = temporaryFolder(t);
  makeVideo(join(root, 'films', 'a.mp4'), { frames: 240 });
  const moments = [
    { startSec: 1, endSec: 3, labels: ['x'], subject: 'ann', where: 'm:1' },
    { startSec: 9, labels: ['y'], endSec: 9, where: 'm:2' },
    { endSec: 0.5, labels: ['y'], attributes: { view: 'side' }, where: 'm:3' },
  ];
  const film: AnnotatedFilm = {
    film: 'C:\\a.mp4',
    moments,
    complete: [{ startSec: 10, endSec: 20 }],
    split: 'train',
    where: 'm',
  };
  const find = () => join(root, 'films', 'a.mp4');
  const data = await annotatedVideos({ films: [film], notes: ['read'] }, { root, find }, { valShare: 0 });
  assert.deepEqual(data.videos.map(({ name, label, columns }) => [name, label, columns]).slice(0, 2), [
    ['films/a.mp4@1.000-3.000', 'x', { subject: 'ann' }],
    ['films/a.mp4@0.000-0.500', 'y', { view: 'side' }],
  ]);
  assert.equal(data.videos[2]?.label, 'background');
  assert.ok((data.videos[2]?.segment?.startSec ?? 0) >= 10);
  assert.deepEqual(data.notes.slice(0, 2), ['read', '1 point event left out: --around SEC gives them a length']);
  const given = await annotatedVideos(
    { films: [film], notes: [] },
    { root, find, aroundSec: 1 },
    { valShare: 0, background: false },
  );
  assert.deepEqual(
    given.videos.map(({ name }) => name.slice(12)),
    ['1.000-3.000', '8.500-9.500', '0.000-0.500'],
  );
  const both = { ...film, moments: [{ ...moments[0], labels: ['x', 'y'], where: 'm:7' }] };
  const several = await annotatedVideos({ films: [both], notes: [] }, { root, find }, { background: false });
  assert.deepEqual([several.multiLabel, several.videos.map(({ labels }) => labels)], [true, [['x', 'y']]]);
  const one = annotatedVideos({ films: [both], notes: [] }, { root, find }, { labels: 'one', background: false });
  await assert.rejects(one, /m:7: --labels one: expected one label of .*, got x\|y/);
});

test('a loader cuts each segment from its own stretch, keeps it apart in its caches, and tells of a bad film once', async (t) => {
  const root = temporaryFolder(t);
  makeVideo(join(root, 'a.mp4'), { frames: 240 });
  makeFile(join(root, 'bad.mp4'), 'no video');
  const of = (name: string, startSec: number) => {
    return { path: join(root, name), name, labelIndex: 0, segment: { startSec, endSec: startSec + 2 } };
  };
  const told: string[] = [];
  const options = {
    ...{ preprocess: makePreprocess({ frames: 4, height: 32, width: 32 }), workers: 1, memoryBytes: 0, maxBadShare: 0.6 },
    ...{ cacheFolder: join(root, 'cache'), onLeftOut: (_: unknown, { message }: Error) => told.push(message) },
  };
  const loader = new DataLoader(options);
  t.after(() => loader.close());
  const parts = [of('a.mp4', 1), of('a.mp4', 7.5), of('bad.mp4', 1), of('bad.mp4', 3)];
  const { usable, leftOut } = await loader.prepare(parts);
  assert.deepEqual([usable, leftOut, told.length], [2, 2, 1]);
  assert.deepEqual(
    parts.map((part) => loader.isUsable(part)),
    [true, true, false, false],
  );
  const [early, late] = await Promise.all(parts.slice(0, 2).map((part) => loader.dataset.clip(part, { mode: 'test' })));
  assert.notDeepEqual(early, late);
  assert.deepEqual(await loader.dataset.clip(parts[0] as (typeof parts)[0], { mode: 'test' }), early);
  const cut = join(root, 'cut.mp4'); // the same two seconds as a file of their own, decoded again
  const strip = decode(
    openDecoder(),
    join(root, 'a.mp4'),
    { times: { evenly: 24 }, size: { width: 64, height: 48 } },
    of('a', 1).segment,
  ).strip;
  const frame = 64 * 48 * 3;
  encodeVideo(
    cut,
    { width: 64, height: 48, frameRate: 12, codec: 'h264' },
    Array.from({ length: 24 }, (_, i) => strip.rgb.subarray(i * frame, (i + 1) * frame)),
  );
  const own = await loader.dataset.clip({ path: cut }, { mode: 'test' });
  const apart = (clip: typeof early) =>
    own.data.reduce((sum, value, i) => sum + Math.abs(value - (clip?.data[i] ?? 0)), 0) / own.data.length;
  assert.ok(apart(early) < 0.1 && apart(late) > 3 * apart(early), `mean differences ${apart(early)} and ${apart(late)}`);
});
