import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emitter } from './emitter.js';

const types = (e: Emitter) => e.finish().nodes.map(({ type }) => type);

test('equal nodes and equal constants exist once', () => {
  const e = new Emitter();
  const a = e.node('Mul', ['x', e.filled(2, [3])]);
  assert.equal(e.node('Mul', ['x', e.filled(2, [3])]), a);
  assert.notEqual(e.node('Mul', ['x', e.filled(2, [1, 3])]), a);
  assert.deepEqual(e.split('x', 0, [1, 2]), e.split('x', 0, [1, 2]));
  e.expose(a, 'y');
  assert.deepEqual(types(e), ['Mul']);
  assert.equal(e.finish().initializers.length, 1);
});

test('reshapes in a row are one, and none where the shape is known to fit', () => {
  const e = new Emitter();
  const x = e.hasShape(e.node('Relu', ['x']), [2, 6]);
  assert.equal(e.reshape(e.reshape(x, [3, 4]), [2, 6]), x);
  e.expose(e.reshape(e.reshape(x, [3, 4]), [12]), 'y');
  assert.deepEqual(types(e), ['Relu', 'Reshape']);
});

test('what no exposed value needs is left out', () => {
  const e = new Emitter();
  const needed = e.node('Exp', ['x']);
  e.node('Mul', [needed, e.filled(5, [7])]);
  e.expose(needed, 'y');
  e.expose(needed, 'again');
  const { nodes, initializers } = e.finish();
  assert.deepEqual(
    nodes.map(({ type, inputs, outputs }) => [type, inputs, outputs]),
    [
      ['Exp', ['x'], ['y']],
      ['Identity', ['y'], ['again']],
    ],
  );
  assert.deepEqual(initializers, []);
});
