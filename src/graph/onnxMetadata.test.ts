import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { writeOnnx } from './onnx.js';
import { readOnnxMetadata } from './onnxMetadata.js';

const modelWith = (metadata: Record<string, string>) =>
  writeOnnx({ opsets: { '': 17 }, nodes: [], initializers: [], inputs: [], outputs: [], metadata });

test('what is written is read', () => {
  const metadata = { labels: '["größer","a"]', empty: '', constructor: 'x' };
  assert.deepEqual({ ...readOnnxMetadata(modelWith(metadata)) }, metadata);
  assert.deepEqual({ ...readOnnxMetadata(modelWith({})) }, {});
});

test('a file that is cut off is none, wherever it is cut', () => {
  const whole = modelWith({ key: 'value', other: 'x'.repeat(300) });
  const complete = Object.keys(readOnnxMetadata(whole) ?? {}).length;
  for (let length = 0; length < whole.length; length++) {
    const found = readOnnxMetadata(whole.subarray(0, length));
    assert.ok(found === undefined || Object.keys(found).length < complete, `${length} bytes`);
  }
});

test('any bytes: entries, or none, but never a throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const found = readOnnxMetadata(bytes);
      assert.ok(found === undefined || Object.values(found).every((value) => typeof value === 'string'));
    }),
  );
});
