import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ConfigError, LimitError, VideoError, VmfError } from '../errors.js';
import { WorkerPool } from './workerPool.js';

export type TestTasks = {
  double: { input: number; output: number };
  fill: { input: number; output: Uint8Array<ArrayBuffer> };
  fail: { input: string; output: never };
  die: { input: number; output: never };
  wait: { input: number; output: number };
};

const url = new URL('./workerPool.test.worker.js', import.meta.url);

describe('worker pool', () => {
  let pool: WorkerPool<TestTasks>;
  before(() => {
    pool = new WorkerPool<TestTasks>({ url, size: 2, crashed: (label, reason) => new VideoError(`${label}: ${reason}`) });
  });
  after(() => pool.close());

  it('gives each caller its own answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => pool.run('double', index, { label: `task ${index}` })),
    );
    assert.deepEqual(
      answers,
      Array.from({ length: 50 }, (_, index) => 2 * index),
    );
  });

  it('moves large answers', async () => {
    const bytes = await pool.run('fill', 1000, { label: 'fill' });
    assert.deepEqual([bytes.length, bytes[999]], [1000, 7]);
  });

  it('keeps the class and message of errors', async () => {
    await assert.rejects(pool.run('fail', 'bad option', { label: 'x' }), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.message, 'bad option');
      return true;
    });
  });

  it('names the task under which a worker died, and goes on with a new worker', async () => {
    const rest = [1, 2, 3, 4].map((value) => pool.run('double', value, { label: 'after' }));
    await assert.rejects(pool.run('die', 3, { label: 'clip.mp4' }), (error) => {
      assert.ok(error instanceof VideoError);
      assert.equal(error.message, 'clip.mp4: exit code 3');
      return true;
    });
    assert.deepEqual(await Promise.all(rest), [2, 4, 6, 8]);
    assert.equal(await pool.run('double', 21, { label: 'after' }), 42);
  });

  it('stops a task that takes too long', async () => {
    await assert.rejects(pool.run('wait', 60_000, { label: 'slow.mp4', timeoutSec: 0.05 }), (error) => {
      assert.ok(error instanceof LimitError);
      assert.match(error.message, /slow\.mp4: gave no result within 0\.05 s/);
      return true;
    });
    assert.equal(await pool.run('double', 4, { label: 'after' }), 8);
  });

  it('lets go of waiting and running tasks when aborted', async () => {
    const stop = new AbortController();
    const busy = [1, 2].map(() => pool.run('wait', 100, { label: 'busy', signal: stop.signal }));
    const queued = pool.run('double', 1, { label: 'queued', signal: stop.signal });
    const other = pool.run('double', 5, { label: 'other' });
    stop.abort(new Error('enough'));
    for (const task of [...busy, queued]) await assert.rejects(task, /enough/);
    assert.equal(await other, 10);
    await assert.rejects(pool.run('double', 1, { label: 'late', signal: stop.signal }), /enough/);
  });

  it('rejects what is left when closed', async () => {
    const closing = new WorkerPool<TestTasks>({ url, size: 1 });
    const tasks = [closing.run('wait', 60_000, { label: 'running' }), closing.run('double', 1, { label: 'queued' })];
    const settled = Promise.allSettled(tasks);
    await closing.close();
    for (const result of await settled) {
      assert.ok(result.status === 'rejected' && result.reason instanceof VmfError && /closed/.test(result.reason.message));
    }
    await assert.rejects(closing.run('double', 1, { label: 'late' }), /closed/);
  });

  it('refuses a size that is no number of workers', () => {
    for (const size of [0, -1, 1.5]) assert.throws(() => new WorkerPool({ url, size }), RangeError);
  });
});
