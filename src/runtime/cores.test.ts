import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocateThreads, decodersFor, threadsFor } from './cores.js';

test('cores are used, none twice by engines, for 1 to 64 of them', () => {
  for (let cores = 1; cores <= 64; cores++) {
    for (const use of ['latency', 'throughput'] as const) {
      const { engines, threads } = allocateThreads(use, cores);
      assert.ok(engines >= 1 && threads >= 1 && engines * threads <= cores, `${use}, ${cores} cores`);
      assert.ok(use === 'latency' || engines * threads > cores / 2, `${use}, ${cores} cores: idle ones`);
    }
    assert.ok(decodersFor(cores) >= 1 && decodersFor(cores) <= cores);
  }
});

test('latency is one engine with the cores, throughput an engine a core; nobody spins', () => {
  assert.deepEqual(allocateThreads('latency', 1), { engines: 1, threads: 1, spin: false });
  assert.deepEqual(allocateThreads('latency', 2), { engines: 1, threads: 2, spin: false });
  assert.deepEqual(allocateThreads('latency', 64), { engines: 1, threads: 8, spin: false });
  assert.deepEqual(allocateThreads('throughput', 2), { engines: 2, threads: 1, spin: false });
  assert.deepEqual(allocateThreads('throughput', 64), { engines: 16, threads: 4, spin: false });
});

test('one thread for the answer of a small network, all cores for that of a large one', () => {
  assert.equal(threadsFor(8.5e7, 64), 1);
  assert.equal(threadsFor(9.6e8, 2), 2);
  assert.equal(threadsFor(9.6e8, 64), 8);
});
