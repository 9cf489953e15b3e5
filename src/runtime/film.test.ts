import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Film } from './film.js';

test('the last values, in order, zeros before the first', () => {
  const film = new Film();
  const pushed: number[] = [0, 0, 0, 0, 0, 0];
  for (let round = 1; round < 200; round++) {
    const room = film.room(2);
    room.set([round, -round]);
    film.advance(2);
    pushed.push(round, -round);
    assert.deepEqual([...film.last(6)], pushed.slice(-6), `after ${round} pushes`);
  }
  assert.deepEqual([...film.last(2)], [199, -199]);
});

test('a reader may ask for more later; what the film forgot is not invented', () => {
  const film = new Film();
  for (let round = 1; round <= 3; round++) {
    film.room(1).fill(round);
    film.advance(1);
  }
  assert.deepEqual([...film.last(5)].slice(-1), [3]);
  film.room(1).fill(4);
  film.advance(1);
  assert.deepEqual([...film.last(5)].slice(-2), [3, 4]);
});

test('what is being written does not change what is being read', () => {
  const film = new Film();
  for (let round = 1; round < 50; round++) {
    const room = film.room(3);
    const read = film.last(9);
    const before = [...read];
    room.fill(round);
    assert.deepEqual([...read], before);
    film.advance(3);
  }
});
