/** `vmf export`, `vmf quantize`, and what reads their files. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as ort from 'onnxruntime-node';
import { exportOnnx } from '../src/export/exportWeights.js';
import { lower } from '../src/graph/lowering/lower.js';
import { writeOnnx } from '../src/graph/onnx.js';
import { loadRecogniser } from '../src/inference/fileRecogniser.js';
import { inferenceGraph } from '../src/models/network.js';
import { checkpointFile, parseCheckpoint } from '../src/weights/checkpoint.js';
import { readSafetensors, writeSafetensors } from '../src/weights/files.js';
import { makeFile, makeVideo, temporaryFolder } from './smallVideos.js';
import { tinyCheckpoint, writeTinyWeights } from './support/randomWeights.js';
import { readOnnx } from './support/readOnnx.js';
import { finished, refused, start, vmf } from './support/vmf.js';

const shared = temporaryFolder({ after });
const labels = ['bow', 'jump', 'wave'];
const clip = 'data/test/bow/0.mp4';

before(async () => {
  await writeTinyWeights(join(shared, 'w.safetensors'), { labels, notes: { license: 'CC0-1.0' } });
  labels.forEach((label, i) => {
    for (const [split, count] of Object.entries({ train: 3, val: 1, test: 2 })) {
      for (let n = 0; n < count; n++) makeVideo(join(shared, 'data', split, label, `${n}.mp4`), { seed: 5 * i + n });
    }
  });
  const exported = await vmf(shared, 'export', '--weights', 'w.safetensors', '--onnx', 'w.onnx', '--json');
  assert.deepEqual([exported.code, exported.err], [0, '']);
  const args = [
    '--weights',
    'w.safetensors',
    '--calibrate',
    'data',
    '--out',
    'w.int8.onnx',
    '--clips',
    '4',
    '--test',
    'data',
    '--min-channels',
    '1',
  ];
  const quantised = await vmf(shared, 'quantize', ...args);
  assert.deepEqual([quantised.code, quantised.err], [0, '']);
  writeFileSync(join(shared, 'quantize.txt'), quantised.out);
});

const bytesOf = (name: string) => new Uint8Array(readFileSync(join(shared, name)));

test('an exported model is standard ONNX for any batch, and says what it is', () => {
  const model = readOnnx(bytesOf('w.onnx'));
  assert.deepEqual(model.opsets, { '': 17 });
  assert.deepEqual(new Set(model.nodes.map(({ domain }) => domain)), new Set(['']));
  assert.deepEqual(model.inputs, { clip: ['batch', 4, 3, 32, 32] });
  assert.deepEqual(model.outputs, { logits: ['batch', 3] });
  const { metadata } = model;
  assert.deepEqual(JSON.parse(metadata['labels'] ?? ''), labels);
  assert.equal(JSON.parse(metadata['preprocess'] ?? '').frames, 4);
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  assert.deepEqual([metadata['model'], metadata['precision'], metadata['license']], ['tiny', 'float32', 'CC0-1.0']);
  assert.equal(metadata['version'], version);
});

test('every value of an exported model is made before it is read, and nothing is made in vain', () => {
  for (const name of ['w.onnx', 'w.int8.onnx']) {
    const { nodes, tensors, inputs, outputs } = readOnnx(bytesOf(name));
    const known = new Set([...Object.keys(inputs), ...tensors.map((tensor) => tensor.name)]);
    for (const node of nodes) {
      for (const input of node.inputs) assert.ok(input === '' || known.has(input), `${name}: ${node.type} reads ${input}`);
      for (const output of node.outputs) {
        assert.ok(!known.has(output), `${name}: ${output} is made twice`);
        known.add(output);
      }
    }
    const read = new Set([...nodes.flatMap((node) => node.inputs), ...Object.keys(outputs)]);
    for (const tensor of tensors) assert.ok(read.has(tensor.name), `${name}: nobody reads ${tensor.name}`);
  }
});

test('batch norm is folded: no constant of a statistic, no Sqrt or Div of weights', () => {
  const { nodes } = readOnnx(bytesOf('w.onnx'));
  const types = new Set(nodes.map(({ type }) => type));
  assert.ok(!types.has('Sqrt') && !types.has('BatchNormalization'), [...types].join());
});

const pixels = (count: number) => Float32Array.from({ length: count }, (_, i) => (i * 7919 + (i >> 9) * 31) % 256);

test('an exported model computes in ONNX Runtime what the network does, at any batch', async () => {
  const { config, preprocess, ...weights } = parseCheckpoint(await readSafetensors(join(shared, 'w.safetensors')), 'w');
  const { frames, height, width, classes } = config;
  const session = await ort.InferenceSession.create(join(shared, 'w.onnx'));
  for (const batch of [1, 2, 5]) {
    const all = pixels(batch * frames * 3 * height * width);
    const fed = { clip: new ort.Tensor('float32', all, [batch, frames, 3, height, width]) };
    const { logits } = await session.run(fed);
    assert.ok(logits);
    assert.deepEqual(logits.dims, [batch, classes]);
    const own = await ort.InferenceSession.create(
      lower({ outputs: { logits: inferenceGraph(config, weights, 1) } }, { block: 0 }),
    );
    for (let b = 0; b < batch; b++) {
      const clip = all.slice(b * frames * 3 * height * width, (b + 1) * frames * 3 * height * width);
      const normalised = clip.map((value, i) => {
        const channel = Math.floor(i / (height * width)) % 3;
        return (value / 255 - (preprocess.mean[channel] ?? 0)) / (preprocess.std[channel] ?? 1);
      });
      const expected = await own.run({ clips: new ort.Tensor('float32', normalised, [frames, 3, height, width]) });
      const got = (logits.data as Float32Array).slice(b * classes, (b + 1) * classes);
      got.forEach((value, k) => {
        const wanted = Number(expected['logits']?.data[k]);
        assert.ok(Math.abs(value - wanted) < 1e-4, `batch ${batch}, clip ${b}, class ${k}: ${value}, expected ${wanted}`);
      });
    }
    await own.release();
  }
  await session.release();
});

test('predict and eval read an exported model as they read weights', async () => {
  const [a, b] = await Promise.all(
    ['w.safetensors', 'w.onnx'].map((weights) => vmf(shared, 'eval', 'data', '--weights', weights, '--json')),
  );
  assert.deepEqual([a?.err, b?.err], ['', '']);
  const rows = [a, b].map((result) => JSON.parse(result?.out ?? '').rows as { predicted: string; scores: number[] }[]);
  rows[0]?.forEach(({ predicted, scores }, i) => {
    assert.equal(rows[1]?.[i]?.predicted, predicted);
    scores.forEach((score, k) => {
      assert.ok(Math.abs(score - (rows[1]?.[i]?.scores[k] ?? Number.NaN)) < 1e-4);
    });
  });
  const { code, out } = await vmf(shared, 'predict', clip, '--weights', 'w.int8.onnx', '--top', '1');
  assert.equal(code, 0);
  assert.match(out, /^data\/test\/bow\/0\.mp4 {2}\(2\.00 s\)\n +[\d.]+ % {2}(bow|jump|wave)\n$/);
});

test('a model file is known by its content, not by its name', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'renamed.safetensors'), bytesOf('w.int8.onnx'));
  const info = await vmf(folder, 'info', '--weights', 'renamed.safetensors', '--json');
  assert.deepEqual([JSON.parse(info.out).name, JSON.parse(info.out).classes], ['tiny', 3]);
  const recogniser = await loadRecogniser(join(folder, 'renamed.safetensors'));
  assert.deepEqual(recogniser.labels, labels);
  await recogniser.close();
});

test('an int8 model: 1x1 convolutions in int8, standard operators, near the float answers', async () => {
  const { opsets, nodes, tensors, metadata } = readOnnx(bytesOf('w.int8.onnx'));
  assert.deepEqual(opsets, { '': 17 });
  assert.equal(metadata['precision'], 'int8');
  assert.equal(nodes.filter(({ type }) => type === 'QLinearConv').length, 8); // lite 1, mf 2, down 2, mf 2, head 1
  assert.ok(tensors.some(({ type, shape }) => type === 3 && shape.length === 4));
  const told = readFileSync(join(shared, 'quantize.txt'), 'utf8');
  assert.match(told, /^w\.int8\.onnx: tiny in int8, [\d.]+ MB\n/);
  assert.match(told, /\nranges by +divergence, nats +same answer\nminmax .*\npercentile .*\nmse /);
  assert.match(told, /\nranges by (minmax|percentile|mse); 8 of 8 1x1 convolutions in int8\nmost sensitive: /);
  const [, before, after] = /\ntop-1 before: .* \((\d) of 6\), after: .* \((\d) of 6\)\n$/.exec(told) ?? [];
  assert.ok(Math.abs(Number(before) - Number(after)) <= 1, told);
});

test('layers go back to float when answers may not move', async (t) => {
  const folder = temporaryFolder(t);
  const out = join(folder, 'strict.onnx');
  const args = [
    '--weights',
    'w.safetensors',
    '--calibrate',
    'data',
    '--clips',
    '2',
    '--max-divergence',
    '0',
    '--min-channels',
    '1',
    '--json',
  ];
  const { code, out: told, err } = await vmf(shared, 'quantize', ...args, '--out', out);
  assert.deepEqual([code, err], [0, '']);
  const { layers } = JSON.parse(told) as { layers: { name: string; inFloat: boolean }[] };
  assert.ok(layers.every(({ inFloat }) => inFloat));
  assert.equal(layers[0]?.name, 'blocks.0.conv2.conv');
  assert.ok(!readOnnx(new Uint8Array(readFileSync(out))).nodes.some(({ type }) => type === 'QLinearConv'));
});

test('export --int8 is quantize; narrow layers stay in float', async (t) => {
  const folder = temporaryFolder(t);
  const [a, b] = [join(folder, 'a.onnx'), join(folder, 'b.onnx')];
  const args = ['--weights', 'w.safetensors', '--calibrate', 'data', '--clips', '4'];
  const exported = await vmf(shared, 'export', ...args, '--onnx', a, '--int8');
  assert.equal(exported.code, 0);
  assert.match(exported.out, /; 0 of 8 1x1 convolutions in int8; in float: 8 too narrow to gain\n/);
  assert.equal((await vmf(shared, 'quantize', ...args, '--out', b)).code, 0);
  assert.deepEqual(readFileSync(a), readFileSync(b));
  const some = await vmf(shared, 'quantize', ...args, '--out', b, '--force', '--min-channels', '16', '--json');
  const { layers } = JSON.parse(some.out) as { layers: { name: string; inFloat: boolean; divergence?: number }[] };
  const tried = layers.filter(({ divergence }) => divergence !== undefined).map(({ name }) => name);
  assert.ok(tried.length > 0 && tried.length < layers.length, tried.join());
  assert.ok(layers.every(({ inFloat, divergence }) => inFloat === (divergence === undefined)));
});

test('fp16: half the size, read wherever weights are read, nearly the same scores', async (t) => {
  const folder = temporaryFolder(t);
  const [half, model] = [join(folder, 'h.safetensors'), join(folder, 'h.onnx')];
  const told = await vmf(shared, 'export', '--weights', 'w.safetensors', '--safetensors', half, '--fp16', '--json');
  assert.equal(told.code, 0);
  const { largestDifference, largestLogit, bytes } = JSON.parse(told.out);
  assert.ok(largestDifference > 0 && largestDifference < 0.01 * largestLogit, told.out);
  assert.equal(bytes, statSync(half).size);
  const stored = (await readSafetensors(half)).tensors;
  assert.equal(stored.get('blocks.1.conv1.conv.weight')?.dtype, 'F16');
  assert.equal(stored.get('blocks.1.conv1.bn.running_var')?.dtype, 'F32');
  await exportOnnx(half, model, { fp16: true });
  const { tensors, metadata } = readOnnx(new Uint8Array(readFileSync(model)));
  assert.ok(tensors.some(({ type }) => type === 10));
  assert.equal(metadata['precision'], 'float16 weights');
  const results = await Promise.all(
    ['w.safetensors', half, model].map((file) => vmf(shared, 'predict', clip, '--weights', file, '--json')),
  );
  const best = results.map(({ out }) => JSON.parse(out)[0].predictions[0] as { label: string; score: number });
  for (const { label, score } of best) {
    assert.equal(label, best[0]?.label);
    assert.ok(Math.abs(score - (best[0]?.score ?? 0)) < 0.01);
  }
});

test('weights with the state of a training are exported without it', async (t) => {
  const folder = temporaryFolder(t);
  const checkpoint = tinyCheckpoint();
  const { length } = checkpoint.parameters;
  const training = { expAvg: new Float32Array(length), expAvgSq: new Float32Array(length), progress: { epoch: 1 } };
  await writeSafetensors(join(folder, 'last.safetensors'), checkpointFile({ ...checkpoint, training }));
  const told = await vmf(folder, 'export', '--weights', 'last.safetensors', '--safetensors', 'plain.safetensors');
  assert.match(told.out, /^plain\.safetensors: tiny, [\d.]+ MB\n.*largest difference of a logit none/);
  const { parameters, training: left } = parseCheckpoint(await readSafetensors(join(folder, 'plain.safetensors')), 'plain');
  assert.deepEqual([parameters, left], [checkpoint.parameters, undefined]);
});

test('what cannot be made is said in one line, and nothing is left behind', async (t) => {
  const folder = temporaryFolder(t);
  const weights = ['--weights', join(shared, 'w.safetensors')];
  const data = join(shared, 'data');
  writeFileSync(join(folder, 'there.onnx'), 'mine');
  await refused(folder, ['export', ...weights], /give either --onnx or --safetensors/);
  await refused(folder, ['export', ...weights, '--onnx', 'a', '--safetensors', 'b'], /give either --onnx or --safetensors/);
  await refused(
    folder,
    ['export', ...weights, '--onnx', 'there.onnx'],
    /^vmf: there\.onnx: is there already; use --force to rep/,
  );
  await refused(folder, ['export', ...weights, '--onnx', 'no/x.onnx'], /^vmf: no\/x\.onnx: there is no folder no$/m);
  await refused(folder, ['export', ...weights, '--onnx', '.'], /is a folder; expected a file to write/);
  await refused(folder, ['export', ...weights, '--onnx', 'x', '--int8'], /--int8 needs --calibrate DATA/);
  await refused(folder, ['export', ...weights, '--onnx', 'x', '--clips', '3'], /--calibrate and --clips go with --int8/);
  await refused(folder, ['export', '--weights', 'none.st', '--onnx', 'x'], /^vmf: none\.st: cannot be opened \(ENOENT\)/);
  await refused(folder, ['export', '--weights', join(shared, 'w.onnx'), '--onnx', 'x'], /is a model already; expected weights/);
  const quantise = ['quantize', ...weights, '--out', 'x.onnx', '--calibrate'];
  await refused(folder, [...quantise, 'nowhere'], /^vmf: nowhere: no such file or folder$/m);
  await refused(folder, [...quantise, folder], /no video|no class|empty|expected/);
  await refused(folder, [...quantise, data, '--test', 'nowhere'], /^vmf: nowhere: no such file or folder$/m);
  await refused(folder, [...quantise, data, '--max-divergence', 'much'], /Expected a number from 0/);
  await refused(folder, ['quantize', ...weights, '--calibrate', data, '--out', 'there.onnx'], /there\.onnx: is there already/);
  makeFile(join(folder, 'bad', 'a', '0.mp4'), 'no video');
  await refused(folder, [...quantise, 'bad'], /0\.mp4: is plain text/);
  assert.deepEqual(readdirSync(folder).sort(), ['bad', 'there.onnx']);
  assert.equal(readFileSync(join(folder, 'there.onnx'), 'utf8'), 'mine');
  assert.equal((await vmf(folder, 'export', ...weights, '--onnx', 'there.onnx', '--force')).code, 0);
  assert.deepEqual(new Uint8Array(readFileSync(join(folder, 'there.onnx'))), bytesOf('w.onnx'));
});

test('a foreign ONNX model, or one cut off, is refused by name', async (t) => {
  const folder = temporaryFolder(t);
  const value = { name: 'x', type: 'float32', shape: [1] } as const;
  const relu = { type: 'Relu', inputs: ['x'], outputs: ['y'] };
  const foreign = { opsets: { '': 17 }, nodes: [relu], initializers: [], inputs: [value], outputs: [{ ...value, name: 'y' }] };
  writeFileSync(join(folder, 'foreign.onnx'), writeOnnx(foreign));
  const film = join(shared, clip);
  await refused(
    folder,
    ['predict', film, '--weights', 'foreign.onnx'],
    /^vmf: foreign\.onnx: an ONNX model that this program did not write: metadata "format" is missing, expected "video-mobile-former/,
  );
  await refused(
    folder,
    ['stream', film, '--weights', join(shared, 'w.onnx')],
    /w\.onnx: is a model for whole clips; a stream needs/,
  );
  const whole = bytesOf('w.onnx');
  writeFileSync(join(folder, 'half.onnx'), whole.subarray(0, whole.length / 2));
  await refused(folder, ['predict', film, '--weights', 'half.onnx'], /half\.onnx: neither a safetensors file nor an ONNX model/);
});

/** A fast machine may be done before the interruption. */
test('Ctrl-C leaves nothing half-written', { skip: process.platform === 'win32' }, async (t) => {
  const folder = temporaryFolder(t);
  const out = join(folder, 'x.onnx');
  const args = ['quantize', '--weights', 'w.safetensors', '--calibrate', 'data', '--out', out];
  const codes: (number | null)[] = [];
  assert.equal((await vmf(shared, ...args)).code, 0);
  const whole = readFileSync(out);
  for (const delayMs of [200, 700, 1400]) {
    const child = start([...args, '--force'], shared);
    const result = finished(child);
    setTimeout(() => child.kill('SIGINT'), delayMs);
    const { code, err } = await result;
    codes.push(code);
    if (code === 0) continue;
    assert.ok(code === 130 || code === null, `exit code ${code}`); // null: before Node itself listened
    assert.match(err, /^(vmf: quantize: interrupted\n)?$/);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name !== 'x.onnx'),
      [],
    );
    assert.ok(readFileSync(out).equals(whole), 'what was there, or all of the new one, which is the same');
  }
  assert.ok(
    codes.some((code) => code !== 0),
    `none was interrupted: ${codes}`,
  );
});
