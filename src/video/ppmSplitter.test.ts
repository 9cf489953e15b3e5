import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PpmSplitter } from './ppmSplitter.js';

const picture = (width: number, height: number, value: number): Buffer =>
  Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), Buffer.alloc(width * height * 3, value)]);

test('pictures of any size, however the bytes are cut', () => {
  const bytes = Buffer.concat([picture(3, 2, 10), picture(5, 4, 32), picture(3, 2, 13)]); // 10, 13 and 32 are white space in a header
  for (const step of [1, 7, 64, bytes.length]) {
    const splitter = new PpmSplitter('test', 100);
    const got: string[] = [];
    for (let at = 0; at < bytes.length; at += step) {
      for (const { width, height, rgb } of splitter.push(bytes.subarray(at, at + step))) {
        assert.ok(rgb.length === width * height * 3 && rgb.every((value) => value === rgb[0]));
        got.push(`${width}x${height} ${rgb[0]}`);
      }
    }
    assert.deepEqual(got, ['3x2 10', '5x4 32', '3x2 13'], `cut every ${step} bytes`);
    assert.equal(splitter.unfinished, false);
  }
});

test('what is no picture, or too large a one, is refused before room is made for it', () => {
  assert.throws(() => [...new PpmSplitter('x', 100).push(Buffer.alloc(80, 65))], /^VideoError: x: FFmpeg sent something other/);
  assert.throws(
    () => [...new PpmSplitter('x', 100).push(Buffer.from('P6\n90000 90000\n255\n'))],
    /^LimitError: x: frames of 90000x90000/,
  );
});

test('an end in the middle of a picture shows', () => {
  const splitter = new PpmSplitter('x', 100);
  assert.deepEqual([...splitter.push(picture(3, 2, 1).subarray(0, 20))], []);
  assert.equal(splitter.unfinished, true);
});
