import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { faultsOf, integer, matching, number, positive, share } from './schema.js';

const schema = v.strictObject({ frames: integer(1, 4), parts: v.optional(v.array(v.strictObject({ rate: positive })), []) });

const faults = (value: unknown): string[] => {
  const parsed = v.safeParse(schema, value);
  return parsed.success ? [] : faultsOf(parsed.issues);
};

test('faults are told with their path, all of them', () => {
  assert.deepEqual(faults({ frames: 0, parts: [{ rate: 1 }, { rate: 0 }] }), [
    'frames: expected at least 1, got 0',
    'parts.1.rate: expected more than 0, got 0',
  ]);
  assert.deepEqual(faults({ frames: 5 }), ['frames: expected at most 4, got 5']);
  assert.deepEqual(faults({ frames: 1, depth: 2 }), ['value: Unrecognized key: "depth"']);
  assert.deepEqual(faults({ frames: 1, parts: [{ rate: 1, size: 2 }] }), ['parts.0: Unrecognized key: "size"']);
  assert.match(faults({})[0] ?? '', /^frames: .*Expected "frames"/);
  assert.match(faults(3)[0] ?? '', /^value: /);
});

test('numbers are finite, integers safe, bounds included', () => {
  for (const value of [Number.NaN, Infinity, -Infinity, '1', null]) assert.equal(matching(number(), value), undefined);
  for (const value of [1.5, 2 ** 53, Number.NaN]) assert.equal(matching(integer(), value), undefined);
  for (const value of [0, 0.5, 1]) assert.equal(matching(share, value), value);
  for (const value of [-1e-9, 1 + 1e-9]) assert.equal(matching(share, value), undefined);
});

test('what does not match is undefined, defaults are filled in', () => {
  assert.deepEqual(matching(schema, { frames: 2 }), { frames: 2, parts: [] });
  assert.equal(matching(schema, { frames: 2.5 }), undefined);
});
