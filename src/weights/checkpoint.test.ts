import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/smallVideos.js';
import { randomWeights, tinyCheckpoint, tinyConfig } from '../../test/support/randomWeights.js';
import { causalParameter } from '../models/causalKernels.js';
import { inventoryOf } from '../models/network.js';
import { type Checkpoint, checkpointFile, parseCheckpoint, transferWeights } from './checkpoint.js';
import { readSafetensors, writeSafetensors } from './files.js';
import { parseSafetensors, serializeSafetensors, type TensorFile } from './safetensors.js';

const labels = ['wave', 'sit down', 'ünïcode 走', '"quoted", with commas'];

const journey = (checkpoint: Checkpoint) =>
  parseCheckpoint(parseSafetensors(serializeSafetensors(checkpointFile(checkpoint))), 'w');

test('everything comes back as it was, through bytes and through a file', async (t) => {
  const checkpoint = tinyCheckpoint({
    labels,
    notes: { top1: '0.93' },
    preprocess: { startSec: 0.5, windowSec: 1.75, flip: false },
  });
  assert.deepEqual(journey(checkpoint), checkpoint);
  const path = join(temporaryFolder(t), 'weights.safetensors');
  await writeSafetensors(path, checkpointFile(checkpoint));
  assert.deepEqual(parseCheckpoint(await readSafetensors(path), path), checkpoint);
});

test('a run comes back with its moments and progress, and without them when it has none', () => {
  const plain = tinyCheckpoint({ labels });
  const moments = (value: number) => plain.parameters.map((_, i) => value / (i + 1));
  const training = { expAvg: moments(1), expAvgSq: moments(2), progress: { step: 12, seed: [1, 'a'], best: null } };
  assert.deepEqual(journey({ ...plain, training }).training, training);
  assert.equal('training' in journey(plain), false);
});

test('a run under earlier names gives its weights, but nothing to go on with', () => {
  const plain = tinyCheckpoint({ labels });
  const training = { expAvg: plain.parameters, expAvgSq: plain.parameters, progress: {} };
  const file = checkpointFile({ ...plain, training });
  const tensors = new Map(
    [...file.tensors].map(([name, tensor]) => [name.replace(/[.]expAvg$/, '.first').replace(/[.]expAvgSq$/, '.second'), tensor]),
  );
  const { training: none, parameters } = parseCheckpoint({ ...file, tensors }, 'earlier');
  assert.equal(none, undefined);
  assert.deepEqual(parameters, plain.parameters);
});

const calibration = {
  temperature: 1.7,
  fittedOn: { videos: 48, split: 'val', views: '1x1', eceBefore: 0.12, eceAfter: 0.03, nllBefore: 0.3, nllAfter: 0.2 },
  rejectThreshold: 0.6,
  unknownFit: { wanted: 0.95, precision: 0.96, coverage: 0.9 },
};

test('a calibration comes back, without a threshold too; what later versions add to it is passed over', () => {
  const plain = tinyCheckpoint({ labels });
  assert.equal('calibration' in journey(plain), false);
  assert.deepEqual(journey({ ...plain, calibration }).calibration, calibration);
  const { rejectThreshold: _, unknownFit: __, ...temperatureOnly } = calibration;
  assert.deepEqual(journey({ ...plain, calibration: temperatureOnly }).calibration, temperatureOnly);
  const later = { ...calibration, method: 'vector', fittedOn: { ...calibration.fittedOn, machine: 'x' } };
  assert.deepEqual(journey({ ...plain, calibration: later }).calibration, calibration);
});

test('tensors go by their own names', () => {
  const checkpoint = tinyCheckpoint();
  const { tensors } = checkpointFile(checkpoint);
  const { parameters, statistics } = inventoryOf(checkpoint.config);
  assert.deepEqual(
    [...tensors.keys()],
    [...parameters, ...statistics].map(({ name }) => name),
  );
  assert.deepEqual(tensors.get('stem.conv.weight')?.shape, [8, 3, 1, 3, 3]);
  assert.deepEqual(tensors.get('head.fc2.bias')?.shape, [5]);
});

test('an order of tensors other than ours does not matter', () => {
  const checkpoint = tinyCheckpoint();
  const { metadata, tensors } = checkpointFile(checkpoint);
  assert.deepEqual(parseCheckpoint({ metadata, tensors: new Map([...tensors].reverse()) }, 'w'), checkpoint);
});

/** A valid checkpoint with changed metadata; undefined removes a key. */
function withMetadata(change: Readonly<Record<string, string | undefined>>): TensorFile {
  const { metadata, tensors } = checkpointFile(tinyCheckpoint());
  const entries = Object.entries({ ...metadata, ...change }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { metadata: Object.fromEntries(entries), tensors };
}

const config = tinyConfig();
const { preprocess } = tinyCheckpoint();
const giant = { ...config, stem: 8192, blocks: new Array(200).fill({ kind: 'mf', expand: 8192, out: 8192, temporal: 3 }) };
const hostile: readonly (readonly [what: string, change: Record<string, string | undefined>, reason: RegExp])[] = [
  ['no format', { format: undefined }, /^WeightsError: bad\.st: not weights of this program: metadata "format" is missing/],
  [
    'a format of the future',
    { format: 'video-mobile-former 2' },
    /is "video-mobile-former 2", expected "video-mobile-former 1"$/,
  ],
  ['a format with line breaks', { format: 'x\ny' }, /^WeightsError: [^\n]*$/],
  ['no configuration', { config: undefined }, /^WeightsError: bad\.st: metadata "config" is missing or no JSON$/],
  ['a configuration cut off', { config: '{"name":' }, /^WeightsError: bad\.st: metadata "config" is missing or no JSON$/],
  ['a configuration that is none', { config: '[]' }, /^ConfigError: bad\.st: /],
  ['an unknown key', { config: JSON.stringify({ ...config, exec: 'rm' }) }, /^ConfigError: bad\.st: .*"exec"/],
  ['a prototype', { config: `{"__proto__":{"a":1},${JSON.stringify(config).slice(1)}` }, /^ConfigError: bad\.st: .*"__proto__"/],
  ['a network too large', { config: JSON.stringify({ ...config, tokenDim: 1e9 }) }, /^ConfigError: bad\.st: tokenDim: /],
  [
    'endless blocks',
    { config: JSON.stringify({ ...config, blocks: new Array(5000).fill(config.blocks[0]) }) },
    /^ConfigError: .*blocks/,
  ],
  [
    'a network that would fill the memory',
    { config: JSON.stringify(giant) },
    /of a network of more parameters than the file holds values, \d+$/,
  ],
  ['other widths', { config: JSON.stringify({ ...config, stem: 6 }) }, /^WeightsError: bad\.st: .*"stem\.conv\.weight"/],
  [
    'one class more',
    { config: JSON.stringify({ ...config, classes: 6 }) },
    /^WeightsError: bad\.st: expected 6 labels, one a class, got 5$/,
  ],
  ['one label less', { labels: '["a","b","c","d"]' }, /^WeightsError: bad\.st: expected 5 labels, one a class, got 4$/],
  ['labels that are numbers', { labels: '[1,2,3,4,5]' }, /^WeightsError: bad\.st: expected 5 labels, one a class, got none$/],
  ['labels that are text', { labels: '"abcde"' }, /got none$/],
  ['no preprocessing', { preprocess: undefined }, /^WeightsError: bad\.st: metadata "preprocess" is missing/],
  ['a deviation of zero', { preprocess: JSON.stringify({ ...preprocess, std: [0, 1, 1] }) }, /^ConfigError: bad\.st: std\.0: /],
  [
    'a temperature of zero',
    { calibration: JSON.stringify({ ...calibration, temperature: 0 }) },
    /^WeightsError: bad\.st: metadata "calibration" is not understood: temperature: /,
  ],
  ['a threshold above 1', { calibration: JSON.stringify({ ...calibration, rejectThreshold: 2 }) }, /rejectThreshold: /],
  [
    'a calibration cut off',
    { calibration: '{"temperature":' },
    /^WeightsError: bad\.st: metadata "calibration" is not understood/,
  ],
  ['a run without its moments', { training: '{}' }, /^WeightsError: bad\.st: .*"optimizer\.expAvg"/],
];
for (const [what, change, reason] of hostile) {
  test(`refused: ${what}`, () => {
    assert.throws(() => parseCheckpoint(withMetadata(change), 'bad.st'), reason);
  });
}

test('refused: a tensor that is missing, of another shape, of another kind', () => {
  const { metadata, tensors } = checkpointFile(tinyCheckpoint());
  const refused = (name: string, tensor: Parameters<Map<string, never>['set']>[1] | undefined, reason: RegExp) => {
    const changed = new Map(tensors);
    if (tensor === undefined) changed.delete(name);
    else changed.set(name, tensor);
    assert.throws(() => parseCheckpoint({ metadata, tensors: changed }, 'bad.st'), reason);
  };
  refused('tokens', undefined, /^WeightsError: bad\.st: there is no tensor "tokens"/);
  refused(
    'tokens',
    { dtype: 'F32', shape: [16, 2], data: new Float32Array(32) } as never,
    /"tokens" has the shape \[16,2\]; expected \[2,16\]/,
  );
  refused('tokens', { dtype: 'I32', shape: [2, 16], data: new Int32Array(32) } as never, /^WeightsError: .*I32/);
});

const fresh = (choice: Parameters<typeof tinyConfig>[0]) => {
  const config = tinyConfig(choice);
  return { config, weights: randomWeights(config, 99) };
};

function part(config: ReturnType<typeof tinyConfig>, parameters: Float32Array, wanted: string): Float32Array {
  let at = 0;
  for (const { name, shape } of inventoryOf(config).parameters) {
    const end = at + shape.reduce((a, b) => a * b, 1);
    if (name === wanted) return parameters.subarray(at, end);
    at = end;
  }
  throw new Error(wanted);
}

test('transfer to the same classes takes everything', () => {
  const from = tinyCheckpoint();
  const { config, weights } = fresh({});
  const { taken, fresh: left } = transferWeights(config, weights, from, true, 'init');
  assert.deepEqual(left, []);
  assert.ok(taken.includes('head.fc2.weight') && taken.includes('stem.bn.running_var'));
  assert.deepEqual([weights.parameters, weights.statistics], [from.parameters, from.statistics]);
});

test('transfer to other labels begins the last layer anew, even when there are as many', () => {
  for (const classes of [5, 9]) {
    const from = tinyCheckpoint();
    const { config, weights } = fresh({ classes });
    const before = part(config, weights.parameters, 'head.fc2.weight').slice();
    const result = transferWeights(config, weights, from, false, 'init');
    assert.deepEqual(result.fresh, ['head.fc2.weight', 'head.fc2.bias']);
    assert.deepEqual(part(config, weights.parameters, 'head.fc2.weight'), before);
    assert.deepEqual(
      part(config, weights.parameters, 'head.fc1.weight'),
      part(from.config as typeof config, from.parameters, 'head.fc1.weight'),
    );
  }
});

test('transfer between kernels of 1 and 3 frames leaves the kernels in time and says so', () => {
  const { config, weights } = fresh({ temporal: 1 });
  const { taken, fresh: left } = transferWeights(config, weights, tinyCheckpoint(), true, 'init');
  assert.ok(left.length > 0 && left.every((name) => /conv\d\.conv\.weight$/.test(name)), left.join());
  assert.ok(taken.length > left.length);
});

test('a causal network takes everything of one that sees whole clips, its kernels over time turned back', () => {
  const from = tinyCheckpoint();
  const config = { ...tinyConfig(), causal: true };
  const weights = randomWeights(config, 99);
  assert.deepEqual(transferWeights(config, weights, from, true, 'init').fresh, []);
  const [kernel, pointwise] = ['blocks.1.conv2.conv.weight', 'head.fc1.weight'];
  const own = part(from.config as typeof config, from.parameters, kernel);
  assert.deepEqual(part(config, weights.parameters, kernel), causalParameter([own.length / 27, 1, 3, 3, 3], own));
  assert.deepEqual(part(config, weights.parameters, pointwise), part(config, from.parameters, pointwise));
  const again = randomWeights(config, 98);
  transferWeights(config, again, { ...from, config, ...weights }, true, 'init');
  assert.deepEqual(again, weights, 'from a causal one to another nothing is turned');
});

test('transfer from another network is refused', () => {
  const from = tinyCheckpoint();
  const other = { ...tinyConfig(), name: 'other', stem: 10, tokenDim: 20, head: 30 };
  assert.throws(
    () => transferWeights(other, randomWeights(other), from, true, 'init.st'),
    /^WeightsError: init\.st: weights of tiny do not fit other: only \d+ of \d+ tensors agree$/,
  );
});
