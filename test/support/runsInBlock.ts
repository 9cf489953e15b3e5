/** Lowers a 1x1 convolution for a given block, runs it, prints a value or the error. */

import { input } from '../../src/graph/expr.js';
import { lower } from '../../src/graph/lowering/lower.js';
import { pointwise } from '../../src/graph/operators/pointwise.js';
import { openRuntime } from '../../src/node/graphRuntime.js';

const engine = openRuntime({ threads: 1 });
const ones = (shape: readonly number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b)).fill(1) });
const shapes = { x: [1, 1, 8, 2, 2], w: [8, 8] };
try {
  const y = pointwise(input('x', shapes.x), input('w', shapes.w));
  const loaded = await engine.load(lower({ outputs: { y } }, { block: Number(process.argv[2]) }), 'network', 'inference');
  console.log((await loaded.run<'y'>({ x: ones(shapes.x), w: ones(shapes.w) })).y.data[0]);
} catch (error) {
  console.log(String(error));
} finally {
  await engine.close();
}
