import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RingBuffer } from './ringBuffer.js';

test('the last values, in order, zeros before the first', () => {
  const ring = new RingBuffer();
  const pushed: number[] = [0, 0, 0, 0, 0, 0];
  for (let round = 1; round < 200; round++) {
    const room = ring.room(2);
    room.set([round, -round]);
    ring.advance(2);
    pushed.push(round, -round);
    assert.deepEqual([...ring.last(6)], pushed.slice(-6), `after ${round} pushes`);
  }
  assert.deepEqual([...ring.last(2)], [199, -199]);
});

test('a reader may ask for more later; what the ring forgot is not invented', () => {
  const ring = new RingBuffer();
  for (let round = 1; round <= 3; round++) {
    ring.room(1).fill(round);
    ring.advance(1);
  }
  assert.deepEqual([...ring.last(5)].slice(-1), [3]);
  ring.room(1).fill(4);
  ring.advance(1);
  assert.deepEqual([...ring.last(5)].slice(-2), [3, 4]);
});

test('what is being written does not change what is being read', () => {
  const ring = new RingBuffer();
  for (let round = 1; round < 50; round++) {
    const room = ring.room(3);
    const read = ring.last(9);
    const before = [...read];
    room.fill(round);
    assert.deepEqual([...read], before);
    ring.advance(3);
  }
});
