import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeFile, temporaryFolder } from '../../test/smallVideos.js';
import { readDataset } from './dataset.js';
import { videosOf } from './labelledVideos.js';
import { readManifest } from './manifest.js';

function folderWith(t: TestContext, files: Record<string, string> | readonly string[]): string {
  const root = temporaryFolder(t);
  const entries = Array.isArray(files) ? files.map((name) => [name, ''] as const) : Object.entries(files);
  for (const [name, content] of entries) makeFile(join(root, name), content);
  return root;
}

const brief = (videos: readonly { name: string; label: string; split: string }[]) =>
  videos.map(({ name, label, split }) => `${name} ${label} ${split}`);

const twentyOf = (...labels: string[]) => labels.flatMap((label) => Array.from({ length: 20 }, (_, i) => `${label}/${i}.mp4`));

test('train, val and test folders in any spelling, classes in each', async (t) => {
  const root = folderWith(t, ['Train/wave/a.mp4', 'Train/jump/deep/b.MKV', 'valid/jump/c.avi', 'testing/wave/d.webm']);
  const data = await readDataset(root);
  assert.equal(data.source, 'split folders');
  assert.deepEqual(data.labels, ['jump', 'wave']);
  assert.deepEqual(brief(data.videos), [
    'Train/jump/deep/b.MKV jump train',
    'Train/wave/a.mp4 wave train',
    'testing/wave/d.webm wave test',
    'valid/jump/c.avi jump val',
  ]);
  assert.deepEqual(
    data.videos.map((video) => video.labelIndex),
    [0, 1, 1, 0],
  );
  assert.equal(data.videos[0]?.path, join(root, 'Train', 'jump', 'deep', 'b.MKV'));
  assert.deepEqual([data.splitBy, data.notes], ['as given', []]);
});

test('class folders are divided 80/10/10 by class, the same each time, otherwise with another seed', async (t) => {
  const root = folderWith(t, twentyOf('jump', 'wave'));
  const data = await readDataset(root);
  for (const label of data.labels) {
    const count = (split: string) => data.videos.filter((video) => video.label === label && video.split === split).length;
    assert.deepEqual([count('train'), count('val'), count('test')], [16, 2, 2]);
  }
  assert.deepEqual(await readDataset(root), data);
  assert.notDeepEqual(brief((await readDataset(root, { seed: 1 })).videos), brief(data.videos));
  assert.equal(data.splitBy, '80/10/10 by class, seed 0');
  assert.deepEqual(data.notes, ['no split given: divided 80/10/10 by class, seed 0']);
});

test('what is passed over is said: other files, and a list beside the folders', async (t) => {
  const root = folderWith(t, ['jump/a.mp4', 'jump/notes.txt', 'jump/.hidden.mp4', 'wave/b.mp4', 'labels.csv']);
  const { videos, notes } = await readDataset(root);
  assert.equal(videos.length, 2);
  assert.ok(notes.some((note) => note.startsWith("1 file without a video's ending passed over: jump/notes.txt")));
  assert.ok(notes.some((note) => note === `${join(root, 'labels.csv')} not read; give its path to use its labels and split`));
});

test('links to folders are followed, a circle of them ends in a clear error', async (t) => {
  const root = folderWith(t, ['data/jump/a.mp4', 'elsewhere/b.mp4']);
  symlinkSync(join(root, 'elsewhere'), join(root, 'data', 'wave'));
  assert.deepEqual((await readDataset(join(root, 'data'))).labels, ['jump', 'wave']);
  symlinkSync(join(root, 'data', 'jump'), join(root, 'data', 'jump', 'again'));
  await assert.rejects(readDataset(join(root, 'data')), /more than 16 deep; is there a link/);
});

test('val is taken out of train when only val is lacking, unless forbidden', async (t) => {
  const files = [...twentyOf('train/jump', 'train/wave'), 'test/jump/x.mp4', 'test/wave/y.mp4'];
  const root = folderWith(t, files);
  const carved = await readDataset(root);
  assert.deepEqual(
    [videosOf(carved, 'train').length, videosOf(carved, 'val').length, videosOf(carved, 'test').length],
    [36, 4, 2],
  );
  assert.equal(carved.splitBy, 'as given, val = 10 % of train by class, seed 0');
  const whole = await readDataset(root, { valShare: 0 });
  assert.equal(videosOf(whole, 'train').length, 40);
  assert.throws(() => videosOf(whole, 'val'), /no video in split "val" \(train 40, val 0, test 2\)/);
});

test('a list in Latin-1 or UTF-16 keeps its labels apart', (t) => {
  const list = join(temporaryFolder(t), 'list.csv');
  const text = 'path,label\na.mp4,caf\u00e9\nb.mp4,caf\u00e8\n';
  for (const bytes of [Buffer.from(text, 'latin1'), Buffer.from(`\uFEFF${text}`, 'utf16le')]) {
    writeFileSync(list, bytes);
    assert.deepEqual(
      readManifest(list).map(({ label }) => label),
      ['caf\u00e9', 'caf\u00e8'],
    );
  }
});

test('a CSV list keeps its order and further columns; quotes, a byte order mark and spaces are understood', async (t) => {
  const list =
    '\uFEFFpath, label ,split,set\r\n"b, c.mp4",wave,train,2\r\nsub/a.mp4,jump,train,1\r\n' +
    '\r\nd.mp4,jump,Validation,\r\ne.mp4,jump,test,1\r\n';
  const root = folderWith(t, { 'list.csv': list, 'b, c.mp4': '', 'sub/a.mp4': '', 'd.mp4': '', 'e.mp4': '' });
  const data = await readDataset(join(root, 'list.csv'));
  assert.equal(data.source, 'list');
  assert.equal(data.root, root);
  assert.deepEqual(brief(data.videos), ['b, c.mp4 wave train', 'sub/a.mp4 jump train', 'd.mp4 jump val', 'e.mp4 jump test']);
  assert.deepEqual(data.videos[0]?.columns, { set: '2' });
});

test('JSON lines and TSV say the same as CSV', async (t) => {
  const files = { 'a.mp4': '', 'b.mp4': '' };
  const root = folderWith(t, {
    ...files,
    'l.jsonl': '{"path":"a.mp4","label":"x","split":"train","fold":3}\n\n{"path":"b.mp4","label":7,"split":"train"}\n',
    'l.tsv': 'path\tlabel\tsplit\tfold\na.mp4\tx\ttrain\t3\nb.mp4\t7\ttrain\t\n',
  });
  const options = { valShare: 0 };
  const [lines, tabs] = await Promise.all(['l.jsonl', 'l.tsv'].map((name) => readDataset(join(root, name), options)));
  assert.deepEqual(brief(lines?.videos ?? []), brief(tabs?.videos ?? []));
  assert.deepEqual(lines?.videos[0]?.columns, { fold: '3' });
  assert.deepEqual(lines?.labels, ['7', 'x']);
});

test('what would spoil a data set is a DatasetError with the line and what to do', async (t) => {
  const videos = { 'a.mp4': '', 'b.mp4': '' };
  const fails = async (list: string, pattern: RegExp, name = 'list.csv') => {
    const root = folderWith(t, { ...videos, [name]: list });
    await assert.rejects(readDataset(join(root, name)), (error: Error) => {
      assert.equal(error.name, 'DatasetError');
      assert.match(error.message, pattern);
      return true;
    });
  };
  await fails('video,kind\na.mp4,x\n', /expected a first line with the columns path,label\[,split\], got video,kind/);
  await fails('path,label,label\na.mp4,x,y\n', /"label" is there twice/);
  await fails('path,label\na.mp4\n', /not a readable table/);
  await fails('path,label\na.mp4,\n', /list\.csv:2: the label of a\.mp4 is empty/);
  await fails('path,label\n,x\n', /list\.csv:2: the path is empty/);
  await fails(
    'path,label\na.mp4,x\nb.mp4,x\na.mp4,x\n',
    /list\.csv:4: a\.mp4 is there twice \(before: .*list\.csv:2\); keep one row/,
  );
  await fails('path,label\na.mp4,x\n./a.mp4,y\n', /twice .* as "x" and as "y"/);
  await fails('path,label\na.mp4,x\nc.mp4,x\n', /list\.csv:3: 1 of 2 files are missing: c\.mp4/);
  await fails('path,label,split\na.mp4,x,trian\n', /list\.csv:2: expected split train, val or test, got "trian"/);
  await fails('path,label,split\na.mp4,x,\n', /expected split train, val or test, got nothing/);
  await fails('path,label,split\na.mp4,x,train\nb.mp4,y,test\n', /class "y" is in test \(b\.mp4\) but not in train; train has x/);
  await fails('path,label\n../a.mp4,x\n', /list\.csv:2: \.\.\/a\.mp4 is not below the folder of the list/);
  await fails('path,label\n/etc/hostname,x\n', /not below the folder of the list/);
  await fails('path,label\n.,x\n', /not below the folder of the list/);
  await fails('path,label\n', /no videos/);
  await fails('{"path":"a.mp4"\n', /list\.jsonl:1: not JSON/, 'list.jsonl');
  await fails('[1]\n', /list\.jsonl:1: expected an object/, 'list.jsonl');
  await fails('{"path":"a.mp4"}\n', /label of a\.mp4 is empty/, 'list.jsonl');
});

test('folders that are no data set are refused', async (t) => {
  const fails = (files: readonly string[], pattern: RegExp) => assert.rejects(readDataset(folderWith(t, files)), pattern);
  await fails(['a.mp4'], /no videos; expected a folder per class/);
  await fails(['train/x/a.mp4', 'extra/x/b.mp4'], /split folders \(train\) beside others \(extra\)/);
  await fails(['train/x/a.mp4', 'test/y/b.mp4'], /class "y" is in test/);
  await assert.rejects(readDataset('/no/such/place'), /\/no\/such\/place: no such file or folder/);
  const root = folderWith(t, { 'list.txt': 'hello', 'a.mp4': '' });
  await assert.rejects(
    readDataset(join(root, 'list.txt')),
    /list\.txt: of no format that is known; it has the first line "hello"/,
  );
  await assert.rejects(readDataset(join(root, 'a.mp4')), /a\.mp4: a video; expected a folder, a list or annotations/);
});

test('paths outside and missing files are kept when asked for; a set without train is for testing only', async (t) => {
  const root = folderWith(t, { 'out.mp4': '', 'lists/l.csv': 'path,label,split\n../out.mp4,x,test\ngone.mp4,y,test\n' });
  const data = await readDataset(join(root, 'lists', 'l.csv'), { allowOutside: true, keepMissing: true });
  assert.deepEqual(brief(data.videos), ['../out.mp4 x test', 'gone.mp4 y test']);
});

test('a column group keeps videos together in the split that is made, where every class stays in training', async (t) => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ name: `${i}.mp4`, label: i % 2 === 0 ? 'x' : 'y', group: `g${i % 10}` }));
  const list = (groupOf: (i: number) => string) =>
    `path,label,group\n${rows.map(({ name, label }, i) => `${name},${label},${groupOf(i)}\n`).join('')}`;
  const files = Object.fromEntries(rows.map(({ name }) => [name, '']));
  const lists = {
    'apart.csv': list((i) => `g${i % 11}`),
    'classes.csv': list((i) => `g${i % 2}`),
    'own.csv': list((i) => `g${i}`),
  };
  const root = folderWith(t, { ...files, ...lists });
  const apart = await readDataset(join(root, 'apart.csv'));
  assert.equal(apart.splitBy, '80/10/10 by column group, seed 0');
  assert.match(apart.notes.join(), /divided 80\/10\/10 by column group, seed 0 \(train \d+, val \d+, test \d+\)/);
  for (const { columns } of apart.videos) {
    const splits = apart.videos.filter((video) => video.columns['group'] === columns['group']).map(({ split }) => split);
    assert.equal(new Set(splits).size, 1, columns['group']);
  }
  const classes = await readDataset(join(root, 'classes.csv'));
  assert.equal(classes.splitBy, '80/10/10 by class, seed 0');
  assert.match(
    classes.notes.join(),
    /samples of one value of the column group are on both sides of the split, since each part needs its classes/,
  );
  assert.deepEqual((await readDataset(join(root, 'own.csv'))).notes, ['no split given: divided 80/10/10 by class, seed 0']);
});
