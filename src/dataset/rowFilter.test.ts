import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFile, temporaryFolder } from '../../test/smallVideos.js';
import { readDataset } from './dataset.js';
import { parseRowFilters } from './rowFilter.js';

test('choices as they are given: several values, several columns, a column twice', () => {
  assert.deepEqual(parseRowFilters(['set=1, 2', 'label=bow', 'set=3,1']), [
    { column: 'set', values: ['1', '2', '3'] },
    { column: 'label', values: ['bow'] },
  ]);
  assert.deepEqual(parseRowFilters(['note=a=b']), [{ column: 'note', values: ['a=b'] }]);
  for (const wrong of ['set', '=1', 'set=', 'set=1,,2', ' =1']) {
    assert.throws(() => parseRowFilters([wrong]), /^ConfigError: --filter: expected COLUMN=VALUE\[,VALUE\], got "/, wrong);
  }
});

test('only the rows that are meant are read; labels and splits follow from them', async (t) => {
  const root = temporaryFolder(t);
  const rows = [
    ['a.mp4', 'bow', 'train', '1'],
    ['b.mp4', 'bow', 'test', '2'],
    ['c.mp4', 'jump', 'train', '1'],
    ['d.mp4', 'jump', 'test', '2'],
    ['e.mp4', 'wave', 'train', '2'],
  ];
  for (const [path = ''] of rows.slice(0, 4)) makeFile(join(root, path), 'x'); // e.mp4 is not there
  const list = join(root, 'list.csv');
  makeFile(list, `path,label,split,set\n${rows.map((row) => `${row.join()}\n`).join('')}`);
  const names = async (...texts: string[]) =>
    (await readDataset(list, { filter: parseRowFilters(texts), valShare: 0 })).videos.map(({ name }) => name);
  assert.deepEqual(await names('label=bow,jump'), ['a.mp4', 'b.mp4', 'c.mp4', 'd.mp4']);
  assert.deepEqual(await names('label=bow,jump', 'set=1'), ['a.mp4', 'c.mp4']);
  assert.deepEqual(await names('split=train', 'label=jump'), ['c.mp4']);
  const data = await readDataset(list, { filter: parseRowFilters(['label=jump,bow']), ignoreSplits: true });
  assert.deepEqual([data.labels, new Set(data.videos.map(({ split }) => split))], [['bow', 'jump'], new Set(['train'])]);
  assert.deepEqual(data.notes, ['only label=jump,bow: 4 of 5 videos', 'the splits that the data came with are left aside']);
  await assert.rejects(
    names('colour=red'),
    /^DatasetError: .*list\.csv: has no column "colour"; its columns are label, split, set$/,
  );
  await assert.rejects(names('set=3'), /^DatasetError: .*: no row has "3" in its column "set"; there are 1, 2$/);
  await assert.rejects(names('label=wave', 'set=1'), /^DatasetError: .*: no row has label=wave and set=1$/);
});
