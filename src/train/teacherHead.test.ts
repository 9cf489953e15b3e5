import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tinyCheckpoint, tinyConfig } from '../../test/support/randomWeights.js';
import { lower } from '../graph/lowering/lower.js';
import { sizeOf } from '../graph/shape.js';
import { softmax } from '../metrics/softmax.js';
import { clipShape, masksOf } from '../models/network.js';
import { countValues } from '../models/variables.js';
import { openRuntime } from '../node/graphRuntime.js';
import { Rng } from '../rng.js';
import { FeatureDirections } from './objectives/featureDirections.js';
import { defaultStep, gradientMicroStep } from './step.js';
import { headParameters, type TeacherHead } from './teacherHead.js';

const config = tinyConfig({ classes: 3 });
const [clips, outputs, temperature] = [4, 5, 2.5];
const rng = new Rng(['teacher head']);
const normals = (count: number, deviation = 1) => Float32Array.from({ length: count }, () => rng.normal(0, deviation));

function targetsOf(learns: TeacherHead['learns'], weights: readonly number[]): Float32Array {
  const rows = Array.from({ length: clips }, () => normals(outputs));
  if (learns === 'features') {
    const directions = new FeatureDirections(rows).of(rows, 'test');
    return directions.map((value, i) => value * (weights[Math.floor(i / outputs)] ?? 0));
  }
  return Float32Array.from(rows.flatMap((row, b) => softmax(row).map((value) => value * (weights[b] ?? 0))));
}

async function opened(learns: TeacherHead['learns'], soft: Float32Array) {
  const head = { learns, outputs };
  const { parameters, statistics } = tinyCheckpoint({ labels: ['a', 'b', 'c'] });
  const behind = countValues(headParameters(config, head));
  const engine = openRuntime({ threads: 1 });
  const options = { ...defaultStep, clips, gradAccum: 2, temperature, teacherHead: head };
  const session = await engine.load(lower(gradientMicroStep(config, options), { block: 0 }), 'pass', 'training');
  const data = normals(sizeOf(clipShape(config, clips)));
  const { dropouts } = masksOf(config);
  const run = async (all: Float32Array) => {
    await engine.setState({ parameters: all, statistics, gradients: new Float32Array(all.length) });
    const { loss } = await session.run<'loss'>({
      clips: { shape: clipShape(config, clips), data },
      targets: { shape: [clips, 3], data: new Float32Array(clips * 3) },
      soft: { shape: [clips, outputs], data: soft },
      dropout: { shape: [clips, dropouts], data: new Float32Array(clips * dropouts).fill(1) },
    });
    return { loss: loss.data[0] ?? Number.NaN, gradients: (await engine.readState(['gradients'])).gradients };
  };
  return { run, parameters, behind, close: () => engine.close() };
}

const joined = (a: Float32Array, b: Float32Array) => Float32Array.from([...a, ...b]);

for (const learns of ['classes', 'features'] as const) {
  test(`${learns}: the loss is that of the formula`, async (t) => {
    const soft = targetsOf(learns, [1, 0.5, 2, 0]);
    const { run, parameters, behind, close } = await opened(learns, soft);
    t.after(close);
    const bias = [0.5, -1, 0.25, 2, -0.75];
    const head = new Float32Array(behind);
    head.set(bias, behind - outputs);
    const length = Math.hypot(...bias);
    const rows = Array.from({ length: clips }, (_, b) => soft.subarray(b * outputs, (b + 1) * outputs));
    const own = rows.map((row) =>
      learns === 'classes'
        ? -(temperature ** 2) * softmax(bias, temperature).reduce((sum, p, k) => sum + (row[k] ?? 0) * Math.log(p), 0)
        : Math.hypot(...row) - bias.reduce((sum, value, k) => sum + ((row[k] ?? 0) * value) / length, 0),
    );
    const { loss } = await run(joined(parameters, head));
    const expected = own.reduce((sum, value) => sum + value / clips, 0);
    assert.ok(Math.abs(loss - expected) < 1e-4 * (1 + Math.abs(expected)), `${loss}, expected ${expected}`);
  });

  test(`${learns}: gradients of head and network are those of finite differences`, async (t) => {
    const { run, parameters, behind, close } = await opened(learns, targetsOf(learns, [1, 0.5, 2, 1]));
    t.after(close);
    const all = joined(parameters, normals(behind, 0.3));
    const { gradients } = await run(all);
    const check = async (from: number, to: number, step: number) => {
      // Along the gradient itself, where rounding of the loss weighs least.
      const size = Math.hypot(...gradients.subarray(from, to));
      assert.ok(size > 1e-3, `no gradient from ${from}`);
      const moved = (factor: number) =>
        all.map((value, i) => (i >= from && i < to ? value + (factor * step * (gradients[i] ?? 0)) / size : value));
      const slope = ((await run(moved(1))).loss - (await run(moved(-1))).loss) / (2 * step);
      assert.ok(Math.abs(slope - size) < 0.02 * size, `slope ${slope}, gradient ${size}`);
    };
    await check(parameters.length, all.length - outputs, 0.02);
    await check(all.length - outputs, all.length, 0.02);
    await check(0, parameters.length, 0.003);
  });
}

test('features become directions: what all clips share counts for nothing, a clip like the mean for none', () => {
  const rows = [Float32Array.of(5, 1, 7), Float32Array.of(5, 3, 7), Float32Array.of(5, 2, 9), Float32Array.of(5, 2, 5)];
  const directions = new FeatureDirections(rows);
  const got = directions.of([Float32Array.of(5, 3, 9), Float32Array.of(5, 2, 7), Float32Array.of(9, 1, 7)], 'x');
  const half = Math.fround(Math.SQRT1_2);
  assert.deepEqual([...got], [0, half, half, 0, 0, 0, 0, -1, 0]);
  assert.throws(() => directions.of([Float32Array.of(5, Number.NaN, 7)], 'x'), /^WeightsError: x: its features are no numbers/);
});
