import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../rng.js';
import { clockText, isMissingTime, parseTime, secondsText } from './time.js';

const read: readonly [text: string, sec: number | undefined][] = [
  ['12.5', 12.5],
  ['12,5', 12.5],
  ['67', 67],
  [' 0.040 ', 0.04],
  ['.5', 0.5],
  ['1e-05', 1e-5],
  ['-0.5', -0.5],
  ['1:02', 62],
  ['90:00', 5400],
  ['1:02.25', 62.25],
  ['0:05,5', 5.5],
  ['00:01:02.07', 62.07],
  ['1:02:03.500', 3723.5],
  ['-0:01', -1],
  ['00:00:60.000', 60],
  ['', undefined],
  ['1:60', undefined],
  ['1:60:00', undefined],
  ['0:00:61', undefined],
  ['1.234,5', undefined],
  ['1,234,5', undefined],
  ['1:2:3:4', undefined],
  ['12 s', undefined],
  ['NaN', undefined],
  ['Infinity', undefined],
  ['0x10', undefined],
  ['1e999', undefined],
];

test('times are read as people write them', () => {
  for (const [text, sec] of read) assert.equal(parseTime(text), sec, `"${text}"`);
});

test('cells without a time are told from cells with a bad one', () => {
  for (const text of ['', ' ', 'NA', 'nan', 'None', 'null', '-']) assert.ok(isMissingTime(text), `"${text}"`);
  for (const text of ['0', 'soon', '-1']) assert.ok(!isMissingTime(text), `"${text}"`);
});

test('written times are read back, to the millisecond', () => {
  const rng = new Rng(['times']);
  for (let i = 0; i < 500; i++) {
    const sec = Math.round(rng.uniform(-10, 20_000) * 1000) / 1000;
    for (const text of [secondsText(sec), clockText(sec), clockText(sec).replace('.', ',')]) {
      assert.ok(Math.abs((parseTime(text) ?? Number.NaN) - sec) < 1e-9, `${sec} as ${text}`);
    }
  }
  assert.equal(clockText(3599.9996), '1:00:00.000');
  assert.equal(secondsText(-0.0001), '0.000');
});
