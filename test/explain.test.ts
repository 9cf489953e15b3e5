/**
 * Explanations against the network: attention against plain loops, ablation against tokens made ineffective, a hand-made network
 * that attends to one bright spot.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attentionFacts, attentionOfTokens } from '../src/explain/attentionMaps.js';
import { sizeOf } from '../src/graph/shape.js';
import { type Blinding, type Blindness, placesOf, sightOf, tokenGraphs, untouched } from '../src/models/ablationGraph.js';
import type { NetworkConfig } from '../src/models/config.js';
import type { Intermediates } from '../src/models/network.js';
import { clipShape, type FlatWeights, inferenceGraph, inventoryOf } from '../src/models/network.js';
import { parseNetworkConfig } from '../src/models/registry.js';
import { Rng } from '../src/rng.js';
import { blockOf, layouts } from './support/layouts.js';
import { randomWeights, tinyConfig } from './support/randomWeights.js';
import { runOnce } from './support/runOnce.js';

const config = tinyConfig();
const weights = randomWeights(config);
const clip = randomClip(config, 1);

function randomClip(of: NetworkConfig, seed: number): Float32Array {
  const rng = new Rng([seed, 'clip']);
  return Float32Array.from({ length: sizeOf(clipShape(of, 1)) }, () => rng.normal());
}

function copiesOf(of: NetworkConfig, x: Float32Array, copies: number): Float32Array {
  const image = x.length / of.frames;
  return Float32Array.from({ length: x.length * copies }, (_, i) => {
    const [frame, at] = [Math.floor(i / (image * copies)), i % image];
    return x[frame * image + at] ?? Number.NaN;
  });
}

interface Run {
  readonly logits: readonly (readonly number[])[];
  readonly maps: Readonly<Record<string, Float32Array>>;
}

async function watch(
  of: NetworkConfig,
  values: FlatWeights,
  x: Float32Array,
  blindings: readonly Blinding[],
  { blindness = 'average', block = 0 }: { blindness?: Blindness; block?: number } = {},
): Promise<Run> {
  const { logits, attention } = tokenGraphs(of, values, blindings.length, blindness);
  const inputs = new Map([
    ['clips', copiesOf(of, x, blindings.length)],
    ['sight', sightOf(of, blindings).data],
  ]);
  const { logits: all = new Float32Array(), ...maps } = await runOnce({ logits, ...attention }, inputs, block);
  return { logits: blindings.map((_, b) => [...all.slice(b * of.classes, (b + 1) * of.classes)]), maps };
}

async function plain(values: FlatWeights): Promise<number[]> {
  const got = await runOnce({ logits: inferenceGraph(config, values, 1) }, new Map([['clips', clip]]), 0);
  return [...(got['logits'] ?? [])];
}

function near(got: readonly number[], expected: readonly number[], bound: number, what: string): void {
  assert.equal(got.length, expected.length, what);
  const worst = Math.max(...got.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN))));
  assert.ok(worst <= bound, `${what}: off by ${worst}`);
}

const apart = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? 0))));

/** Weights by name. */
function namedWeight(of: NetworkConfig, { parameters }: FlatWeights, name: string): Float32Array {
  let at = 0;
  for (const spec of inventoryOf(of).parameters) {
    if (spec.name === name) return parameters.subarray(at, at + sizeOf(spec.shape));
    at += sizeOf(spec.shape);
  }
  throw new RangeError(`no parameter ${name}`);
}

function naiveAttention(
  x: Float32Array,
  shape: readonly number[],
  z: Float32Array,
  matrix: Float32Array,
  bias: Float32Array,
): number[] {
  const [frames = 0, , channels = 0, height = 0, width = 0] = shape;
  const [area, d] = [height * width, matrix.length / channels];
  const tokens = z.length / d;
  const out = Array<number>(frames * tokens * area).fill(0);
  for (let m = 0; m < tokens; m++) {
    for (const head of [0, 1]) {
      const own = Array.from({ length: channels / 2 }, (_, c) => c + (head * channels) / 2);
      const query = own.map((c) => {
        let value = bias[c] ?? 0;
        for (let k = 0; k < d; k++) value += (z[m * d + k] ?? 0) * (matrix[c * d + k] ?? 0);
        return value / Math.sqrt(channels / 2);
      });
      const powers = Array.from({ length: frames * area }, (_, i) => {
        const [t, at] = [Math.floor(i / area), i % area];
        return Math.exp(own.reduce((sum, c, k) => sum + (query[k] ?? 0) * (x[(t * channels + c) * area + at] ?? 0), 0));
      });
      const total = powers.reduce((sum, value) => sum + value, 0);
      powers.forEach((value, i) => {
        const place = (Math.floor(i / area) * tokens + m) * area + (i % area);
        out[place] = (out[place] ?? 0) + value / total / 2;
      });
    }
  }
  return out;
}

for (const layout of layouts) {
  test(`${layout}: attention is the softmax of queries and features over all frames, and sums to 1`, async (t) => {
    const block = await blockOf(t, layout);
    if (block === undefined) return;
    const keep: Intermediates = new Map();
    inferenceGraph(config, weights, 1, { keep });
    const inside = await runOnce(Object.fromEntries(keep), new Map([['clips', clip]]), 0);
    const { maps } = await watch(config, weights, clip, [untouched, { tokens: [0] }], { block });
    const before = { 'blocks.1': 0, 'blocks.2': 1, 'blocks.3': 2, bridge: 3 };
    assert.deepEqual(
      placesOf(config).map(({ name }) => name),
      Object.keys(before),
    );
    for (const [name, from] of Object.entries(before)) {
      const features = keep.get(`blocks.${from}.features`);
      const layer = name === 'bridge' ? 'bridge' : `${name}.mobile_to_former`;
      const expected = naiveAttention(
        inside[`blocks.${from}.features`] ?? new Float32Array(),
        features?.shape ?? [],
        inside[`blocks.${from}.tokens`] ?? new Float32Array(),
        namedWeight(config, weights, `${layer}.query.weight`),
        namedWeight(config, weights, `${layer}.query.bias`),
      );
      const got = [...(maps[`${name}.attention`] ?? [])];
      near(got, expected, 1e-5, name);
      assert.ok(apart(got, Array(got.length).fill(got[0])) > 1e-3, `${name}: all positions alike: the test would see nothing`);
      const [, , , height = 0, width = 0] = features?.shape ?? [];
      for (const map of attentionOfTokens(Float32Array.from(got), [config.frames, config.tokens, height, width], 1)) {
        const total = map.values.reduce((sum, value) => sum + value, 0);
        assert.ok(Math.abs(total - 1) < 1e-5, `${name}: sums to ${total}`);
      }
    }
  });

  test(`${layout}: the untouched copy gives the network's own logits, whoever is blind beside it`, async (t) => {
    const block = await blockOf(t, layout);
    if (block === undefined) return;
    const blindings = [untouched, { tokens: [0] }, { tokens: [1] }, { places: ['bridge'] }];
    const together = await watch(config, weights, clip, blindings, { block });
    near(together.logits[0] ?? [], await plain(weights), 1e-4, 'untouched');
    for (const [i, blinding] of blindings.entries()) {
      const alone = await watch(config, weights, clip, [blinding], { block });
      near(together.logits[i] ?? [], alone.logits[0] ?? [], 1e-4, `copy ${i}`);
      if (i > 0)
        assert.ok(apart(together.logits[i] ?? [], together.logits[0] ?? []) > 1e-3, `copy ${i} is blind and does not show it`);
    }
  });
}

function zeroed(name: RegExp): FlatWeights {
  const parameters = weights.parameters.slice();
  for (const spec of inventoryOf(config).parameters)
    if (name.test(spec.name)) namedWeight(config, { ...weights, parameters }, spec.name).fill(0);
  return { ...weights, parameters };
}

test('all blind with "average" is a network whose queries are zero; with "nothing" one that writes nothing down', async () => {
  const average = await watch(config, weights, clip, [{}]);
  near(average.logits[0] ?? [], await plain(zeroed(/(mobile_to_former|bridge)\.query\./)), 1e-4, 'average');
  const nothing = await watch(config, weights, clip, [{}], { blindness: 'nothing' });
  near(nothing.logits[0] ?? [], await plain(zeroed(/(mobile_to_former|bridge)\.out\.weight/)), 1e-4, 'nothing');
  assert.ok(apart(average.logits[0] ?? [], nothing.logits[0] ?? []) > 1e-3);
});

test('in the bridge nobody reads any token but the first', async () => {
  const blindings = [untouched, { tokens: [1], places: ['bridge'] }, { tokens: [0], places: ['bridge'] }, { places: ['bridge'] }];
  const { logits } = await watch(config, weights, clip, blindings);
  near(logits[1] ?? [], logits[0] ?? [], 1e-6, 'token 1');
  near(logits[3] ?? [], logits[2] ?? [], 1e-6, 'all of them are token 0');
  assert.ok(apart(logits[2] ?? [], logits[0] ?? []) > 1e-3);
});

test('a linear readout reads all tokens, so in its bridge each one matters', async () => {
  const linear: NetworkConfig = { ...config, readout: 'linear' };
  assert.equal(placesOf(linear).at(-1)?.used, 'all');
  const { logits } = await watch(linear, randomWeights(linear), clip, [untouched, { tokens: [1], places: ['bridge'] }]);
  assert.ok(apart(logits[1] ?? [], logits[0] ?? []) > 1e-3);
});

test('a token that asks for brightness looks at the one bright spot, where and when it is', async () => {
  const blocks = [{ kind: 'mf', expand: 1, out: 8, temporal: 1 }];
  const widths = { stem: 8, tokens: 2, tokenDim: 16, head: 8, groups: 1, dropout: 0 };
  const one = parseNetworkConfig(
    {
      family: 'video-mobile-former',
      name: 'eye',
      layout: 'eye',
      ...widths,
      blocks,
      frames: 4,
      height: 32,
      width: 32,
      classes: 2,
    },
    'eye',
  );
  const inventory = inventoryOf(one);
  const length = inventory.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const statistics = inventory.statistics.flatMap(({ name, shape }) =>
    Array<number>(sizeOf(shape)).fill(name.endsWith('running_var') ? 1 : 0),
  );
  const eye = { parameters: new Float32Array(length), statistics: Float32Array.from(statistics) };
  // Channels 0 and 4, one per head, are brightness; only token 0's query asks for them.
  for (const channel of [0, 4]) {
    for (let colour = 0; colour < 3; colour++) namedWeight(one, eye, 'stem.conv.weight')[(channel * 3 + colour) * 9 + 4] = 1;
    namedWeight(one, eye, 'stem.bn.weight')[channel] = 1;
    namedWeight(one, eye, 'blocks.0.mobile_to_former.query.weight')[channel * 16] = 20;
  }
  namedWeight(one, eye, 'tokens')[0] = 1;
  const [t, x, y] = [2, 22, 6];
  const dark = new Float32Array(sizeOf(clipShape(one, 1)));
  for (let colour = 0; colour < 3; colour++) dark[((t * 3 + colour) * 32 + y) * 32 + x] = 1;
  const { maps } = await watch(one, eye, dark, [untouched, { tokens: [0] }]);
  const [first, second] = attentionOfTokens(maps['blocks.0.attention'] ?? new Float32Array(), [4, 2, 16, 16], 2);
  assert.ok(first && second);
  const facts = attentionFacts(first);
  assert.ok((facts.timeShare[t] ?? 0) > 0.99, `frame ${t} gets ${facts.timeShare[t]}`);
  assert.deepEqual(facts.peak, { frame: t, x: x / 32, y: y / 32 });
  near(
    [...second.values],
    Array<number>(second.values.length).fill(1 / second.values.length),
    1e-6,
    'a token that asks for nothing',
  );
});
