import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DatasetError, isFaultOf, LimitError, VideoError, VmfError } from './errors.js';
import { packError, unpackError } from './workers/messages.js';

test('an error names its path, its code and what is behind it', () => {
  const cause = new Error('ENOENT');
  const error = new VideoError('no such file', { path: 'a.mp4', code: 'missing', cause });
  assert.deepEqual(
    [error.message, error.reason, error.path, error.code],
    ['a.mp4: no such file', 'no such file', 'a.mp4', 'missing'],
  );
  assert.equal(error.cause, cause);
  assert.deepEqual([new VmfError('x').code, new DatasetError('x').code, new LimitError('x').path], ['vmf', 'dataset', undefined]);
});

test('an error is the same behind a thread', () => {
  const error = new LimitError('took too long', { path: 'a.mp4', code: 'timeout', cause: new Error('why') });
  const far = unpackError(structuredClone(packError(error)));
  assert.ok(far instanceof LimitError);
  const { message, reason, path, code, cause, stack } = far;
  assert.deepEqual({ message, reason, path, code, cause, stack }, { ...pick(error), cause: 'why' });
});

const pick = ({ message, reason, path, code, stack }: VmfError) => ({ message, reason, path, code, stack });

test('only a video or a limit that names the file is its fault', () => {
  assert.ok(isFaultOf('a.mp4', new VideoError('is empty', { path: 'a.mp4' })));
  assert.ok(!isFaultOf('a', new VideoError('is empty', { path: 'a.mp4' })));
  assert.ok(!isFaultOf('a.mp4', new VideoError('a.mp4: no decoder')));
  assert.ok(!isFaultOf('a.mp4', new DatasetError('is empty', { path: 'a.mp4' })));
});
