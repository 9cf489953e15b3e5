import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldConstants } from './constantFolding.js';
import { constant, type Expr, input } from './expr.js';
import { add, div, mul, sub } from './operators/arithmetic.js';
import { reshape } from './operators/reshape.js';
import { slice } from './operators/sliceConcat.js';
import { transpose } from './operators/transpose.js';
import { sqrt } from './operators/unary.js';

const folded = (value: Expr, clips = 509): Expr => foldConstants({ value }, clips)['value'] ?? value;

const values = (value: Expr): number[] => {
  const { op } = folded(value);
  assert.equal(op.kind, 'constant');
  return op.kind === 'constant' ? [...op.data] : [];
};

test('a batch norm scaled into a kernel is a constant', () => {
  const kernel = constant([1, 2, 3, 4, 5, 6], [2, 3]);
  const scale = div(constant([2, 3], [2]), sqrt(constant([4, 9], [2]))); // 1, 1
  const wide = mul(kernel, mul(reshape(scale, [2, 1]), constant([10, 100], [2, 1])));
  assert.deepEqual(values(wide), [10, 20, 30, 400, 500, 600]);
  assert.deepEqual(values(sub(constant([1, 2], [2]), mul(constant([3, 4], [2]), scale))), [-2, -2]);
});

test('broadcasting on either side, over leading and inner axes', () => {
  const column = constant([10, 20], [2, 1]);
  const row = constant([1, 2, 3], [3]);
  assert.deepEqual(values(add(column, row)), [11, 12, 13, 21, 22, 23]);
  assert.deepEqual(values(add(row, column)), [11, 12, 13, 21, 22, 23]);
  assert.deepEqual(values(sub(constant([1], []), row)), [0, -1, -2]);
});

test('slices of any axis', () => {
  const x = constant(
    Array.from({ length: 12 }, (_, i) => i),
    [2, 3, 2],
  );
  assert.deepEqual(values(slice(x, 0, 1, 2)), [6, 7, 8, 9, 10, 11]);
  assert.deepEqual(values(slice(x, 1, 1, 3)), [2, 3, 4, 5, 8, 9, 10, 11]);
  assert.deepEqual(values(slice(x, 2, 0, 1)), [0, 2, 4, 6, 8, 10]);
});

test('what depends on an input, or has a row for every clip, stays an expression', () => {
  const x = input('x', [2, 3]);
  const y = folded(add(x, mul(constant([1, 2, 3], [3]), 2)));
  assert.equal(y.op.kind, 'add');
  assert.equal(y.inputs[0], x);
  assert.equal(y.inputs[1]?.op.kind, 'constant');
  const table = add(constant([1, 2], [1, 2]), constant([0, 0, 0, 0, 0], [5, 1]));
  assert.equal(folded(table, 5).op.kind, 'add');
  assert.equal(folded(table).op.kind, 'constant');
  assert.equal(folded(transpose(constant([1, 2], [1, 2]), [1, 0])).op.kind, 'transpose', 'not an operator of weights');
});
