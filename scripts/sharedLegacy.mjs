// Weights from before configurations named their family give the same logits.
import assert from 'node:assert/strict';
import { lower } from '../dist/src/graph/lowering/lower.js';
import { clipShape, inferenceGraph } from '../dist/src/models/network.js';
import { openRuntime } from '../dist/src/node/graphRuntime.js';
import { Rng } from '../dist/src/rng.js';
import { parseCheckpoint } from '../dist/src/weights/checkpoint.js';
import { readSafetensors } from '../dist/src/weights/files.js';

/** Of the clip below, computed with the version of 2026-11-27. */
const expected = [
  -0.2749991, 0.2077698, 0.3060619, 0.6777595, 0.0428085, 0.4233739, -0.3522113, 0.5834987, -0.0698165, 0.0242351, 0.3595681,
  -0.8861517,
];

const path = process.argv[2] ?? '';
const weights = parseCheckpoint(await readSafetensors(path), path);
const shape = clipShape(weights.config, 1);
const rng = new Rng(['legacy']);
const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal());
const engine = openRuntime({ threads: 1 });
const program = await engine.load(
  lower({ outputs: { logits: inferenceGraph(weights.config, weights, 1) } }, { block: 0 }),
  'legacy',
  'inference',
);
const { logits } = await program.run({ clips: { shape, data } });
await engine.close();
const got = Array.from(logits.data.subarray(0, 12));
if (process.argv[3] === '--print') console.log(JSON.stringify(got.map((value) => Number(value.toFixed(7)))));
else {
  assert.equal(logits.data.length, weights.config.classes);
  const apart = Math.max(...expected.map((value, i) => Math.abs(value - (got[i] ?? Number.NaN))));
  assert.ok(apart < 1e-5, `logits differ by ${apart}`);
  console.log(`logits within ${apart.toExponential(1)}`);
}
