import assert from 'node:assert/strict';
import { test } from 'node:test';
import { input } from '../graph/expr.js';
import { lower } from '../graph/lowering/lower.js';
import { add, mul } from '../graph/operators/arithmetic.js';
import { openRuntime } from './graphRuntime.js';

const model = () => {
  const counter = input('counter', [3]);
  const step = input('step', [3]);
  return lower({ outputs: { doubled: mul(counter, 2) }, updates: { counter: add(counter, step) } }, { block: 0 });
};

test('outputs come back, state stays and moves on', async () => {
  const engine = openRuntime({ threads: 1 });
  try {
    const session = await engine.load(model(), 'counter', 'inference');
    await engine.setState({ counter: Float32Array.of(1, 2, 3) });
    for (let run = 0; run < 5; run++) {
      const { doubled } = await session.run<'doubled'>({ step: { shape: [3], data: Float32Array.of(1, 1, 1) } });
      assert.deepEqual([...doubled.data], [2 + 2 * run, 4 + 2 * run, 6 + 2 * run]);
    }
    assert.deepEqual([...(await engine.readState(['counter'])).counter], [6, 7, 8]);
    await session.release();
    await assert.rejects(session.run({ step: { shape: [3], data: new Float32Array(3) } }), /released/);
  } finally {
    await engine.close();
  }
});

test('what is missing or does not fit is said', async () => {
  const engine = openRuntime({ threads: 1 });
  try {
    const session = await engine.load(model(), 'counter', 'inference');
    await assert.rejects(session.run({ step: { shape: [3], data: new Float32Array(3) } }), /"counter" is neither fed nor part/);
    await engine.setState({ counter: new Float32Array(3) });
    await assert.rejects(session.run({ step: { shape: [2], data: new Float32Array(2) } }), /step/);
    await assert.rejects(engine.load(new Uint8Array([1, 2, 3]), 'rubbish', 'inference'), /rubbish|protobuf|model/i);
  } finally {
    await engine.close();
  }
});
