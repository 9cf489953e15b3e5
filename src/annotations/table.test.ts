import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvText, headerOf, tableOf } from './table.js';
import { fileOfText, jsonOf, stemOf, textOf } from './text.js';

const cellsOf = (text: string) => tableOf(fileOfText('t.csv', text)).rows.map(({ cells }) => cells);

test('a table saved again by a spreadsheet: semicolons, decimal commas, byte order mark, padded rows and empty rows', () => {
  const text = '\uFEFFpath;start;end;;\r\na.mp4;1,5;2;;\r\n;;;;\r\n\r\n"b;c.mp4";3;4,25;;\r\n';
  assert.deepEqual(cellsOf(text), [
    ['path', 'start', 'end'],
    ['a.mp4', '1,5', '2'],
    ['b;c.mp4', '3', '4,25'],
  ]);
  assert.deepEqual(
    tableOf(fileOfText('t.csv', text)).rows.map(({ line }) => line),
    [1, 2, 5],
  );
  assert.deepEqual(headerOf(fileOfText('t.csv', text)), ['path', 'start', 'end']);
  assert.deepEqual(cellsOf('sep=;\r\na,b;c\r\n'), [['a,b', 'c']]);
});

test('names of columns may have line breaks in them', () => {
  assert.deepEqual(headerOf(fileOfText('t.csv', 'path,label,"Start\n(s)",end\na.mp4,x,1,2\n')), [
    'path',
    'label',
    'Start\n(s)',
    'end',
  ]);
});

test('tabs win over commas in the cells, and cells hold quotes and line breaks', () => {
  assert.deepEqual(cellsOf('a\tb\nx, y, z\t"1\n2"\n'), [
    ['a', 'b'],
    ['x, y, z', '1\n2'],
  ]);
  assert.deepEqual(
    cellsOf(
      csvText([
        ['a', 'b'],
        [' x', 'say "no", he said'],
      ]),
    ),
    [
      ['a', 'b'],
      [' x', 'say "no", he said'],
    ],
  );
});

test('text is UTF-8 with or without mark, UTF-16 with a mark, and Latin-1 where it is neither', () => {
  const utf16 = Uint8Array.of(0xff, 0xfe, ...Buffer.from('été', 'utf16le'));
  const big = Uint8Array.of(0xfe, 0xff, ...Buffer.from('été', 'utf16le').swap16());
  for (const bytes of [utf16, big, Buffer.from('été'), Buffer.from('\uFEFFété'), Buffer.from('été', 'latin1')]) {
    assert.equal(textOf({ path: 't.srt', bytes }), 'été');
  }
});

test('JSON that is none says where, and a bare NaN outside of strings is null', () => {
  assert.deepEqual(jsonOf(fileOfText('a.json', '{"a": NaN, "b": "NaN, \\" NaN"}')), { a: null, b: 'NaN, " NaN' });
  const fails = (text: string, message: RegExp) => assert.throws(() => jsonOf(fileOfText('a.json', text)), { message });
  fails('{"a": 1,\n  "b" 2}', /^a\.json: not JSON at line 2, column 7: (?:Unexpected|Expected) /);
  fails('{"a": 1,\n  "b": [', /^a\.json: not JSON at line 2, column 9: Unexpected end/);
});

test('stems of POSIX and Windows paths', () => {
  assert.deepEqual(['C:\\x\\a.b.mp4', '/x/a.mp4', 'a', '.mp4'].map(stemOf), ['a.b', 'a', 'a', '.mp4']);
});
