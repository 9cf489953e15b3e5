import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { csvTable, jsonText, textTable } from './textTable.js';

test('columns are aligned, numbers to the right', () => {
  const rows = [
    ['wave', 12, '91.7 %'],
    ['sit-down', 3, '100.0 %'],
  ];
  assert.equal(
    textTable(['class', 'videos', 'recall'], rows),
    'class     videos   recall\nwave          12   91.7 %\nsit-down       3  100.0 %\n',
  );
});

test('any CSV reads back as it was', () => {
  const cell = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('a,b', '"', 'line\nbreak', 'line\r\nbreak', ' x ', ''));
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell)), (rows) => {
      const read = parse(csvTable(['a', 'b', 'c'], rows), { record_delimiter: '\n' });
      assert.deepEqual(read, [['a', 'b', 'c'], ...rows]);
    }),
  );
});

test('any JSON keeps its meaning, lists of numbers on one line', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(JSON.parse(jsonText(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
  assert.equal(
    jsonText({ scores: [0.5, -1e-7, 3], label: '[\n 1\n]' }),
    '{\n  "scores": [0.5, -1e-7, 3],\n  "label": "[\\n 1\\n]"\n}\n',
  );
});
