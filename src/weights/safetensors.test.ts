import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WeightsError } from '../errors.js';
import { Rng } from '../rng.js';
import { arrayTypes, type Dtype, floatTensor, type NamedTensor, type TensorFile, toFloat32 } from './namedTensor.js';
import { parseSafetensors, serializeSafetensors } from './safetensors.js';

const dtypes = Object.keys(arrayTypes) as Dtype[];

/** Random bytes: every pattern is a value of every type. */
function randomTensor(dtype: Dtype, shape: number[], seed: number): NamedTensor {
  const rng = new Rng([seed]);
  const count = shape.reduce((product, length) => product * length, 1);
  const bytes = Uint8Array.from({ length: count * arrayTypes[dtype].BYTES_PER_ELEMENT }, () => rng.integer(256));
  return { dtype, shape, data: new arrayTypes[dtype](bytes.buffer) } as NamedTensor;
}

/** Any header text, any number of data bytes. */
function fileOf(header: string | Uint8Array, dataBytes = 0, announced?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const out = new Uint8Array(8 + text.length + dataBytes);
  new DataView(out.buffer).setBigUint64(0, announced ?? BigInt(text.length), true);
  out.set(text, 8);
  return out;
}

const anyName = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__' && name !== '__metadata__');
const anyTensor = fc
  .tuple(fc.constantFrom(...dtypes), fc.array(fc.nat({ max: 4 }), { maxLength: 4 }), fc.nat())
  .map(([dtype, shape, seed]) => randomTensor(dtype, shape, seed));
const anyFile: fc.Arbitrary<TensorFile> = fc.record({
  metadata: fc.dictionary(anyName, fc.string({ unit: 'grapheme' }), { noNullPrototype: true }),
  tensors: fc.array(fc.tuple(anyName, anyTensor), { maxLength: 6 }).map((list) => new Map(list)),
});

function rawBytes(tensor: NamedTensor): number[] {
  return [...new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength)];
}

test('what is written is read back, bit for bit, whatever the names, types and shapes', () => {
  fc.assert(
    fc.property(anyFile, (file) => {
      const bytes = serializeSafetensors(file);
      const back = parseSafetensors(bytes);
      assert.deepEqual({ ...back.metadata }, { ...file.metadata });
      assert.deepEqual(new Set(back.tensors.keys()), new Set(file.tensors.keys()));
      for (const [name, tensor] of file.tensors) {
        const other = back.tensors.get(name);
        assert.ok(other);
        assert.deepEqual([other.dtype, other.shape, rawBytes(other)], [tensor.dtype, tensor.shape, rawBytes(tensor)]);
      }
      assert.deepEqual(serializeSafetensors(back), bytes, 'writing what was read gives the same bytes');
    }),
  );
});

test('the bytes are those of the format', () => {
  const bytes = serializeSafetensors({
    metadata: { format: 'pt' },
    tensors: new Map([
      ['small', { dtype: 'U8', shape: [1], data: Uint8Array.of(7) }],
      ['a', { dtype: 'F32', shape: [2], data: Float32Array.of(1, -2) }],
    ]),
  });
  const header =
    '{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},' +
    '"small":{"dtype":"U8","shape":[1],"data_offsets":[8,9]}}';
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
  assert.equal(new DataView(bytes.buffer).getBigUint64(0, true), BigInt(padded.length));
  assert.equal(new TextDecoder().decode(bytes.subarray(8, 8 + padded.length)), padded);
  assert.deepEqual([...bytes.subarray(8 + padded.length)], [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 7]);
});

test('tensors are copies of their own, also from a Node Buffer inside a larger one', () => {
  const bytes = serializeSafetensors({
    metadata: {},
    tensors: new Map([['a', { dtype: 'F32', shape: [1], data: Float32Array.of(5) }]]),
  });
  const pool = Buffer.alloc(bytes.length + 3);
  pool.set(bytes, 3);
  const tensor = parseSafetensors(pool.subarray(3)).tensors.get('a');
  pool.fill(0xff);
  assert.deepEqual(tensor, { dtype: 'F32', shape: [1], data: Float32Array.of(5) });
});

test('half precision is widened on request, whole numbers are refused', () => {
  assert.deepEqual(toFloat32({ dtype: 'BF16', shape: [2], data: Uint16Array.of(0x3f80, 0xc000) }), Float32Array.of(1, -2));
  assert.deepEqual(toFloat32({ dtype: 'F16', shape: [2], data: Uint16Array.of(0x3c00, 0x0001) }), Float32Array.of(1, 2 ** -24));
  assert.deepEqual(toFloat32({ dtype: 'F64', shape: [], data: Float64Array.of(0.1) }), Float32Array.of(0.1));
  assert.throws(() => toFloat32({ dtype: 'I32', shape: [1], data: Int32Array.of(1) }, 'steps'), {
    name: 'WeightsError',
    message: '"steps" has elements of type I32; expected F32, F16, BF16 or F64',
  });
});

test('a missing tensor and a wrong shape name the file, the tensor and both shapes', () => {
  const file: TensorFile = {
    metadata: {},
    tensors: new Map([['head', { dtype: 'F32', shape: [2, 3], data: new Float32Array(6) }]]),
  };
  assert.equal(floatTensor(file, 'head', [2, 3]).length, 6);
  assert.throws(() => floatTensor(file, 'head', [3, 2], 'w.st'), /w\.st: "head" has the shape \[2,3\]; expected \[3,2\]/);
  assert.throws(() => floatTensor(file, 'tail', [1], 'w.st'), /w\.st: there is no tensor "tail" among its 1/);
});

const good = '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
const with2 = (first: string, second: string) =>
  `{"a":{"dtype":"U8","shape":[4],"data_offsets":[${first}]},"b":{"dtype":"U8","shape":[4],"data_offsets":[${second}]}}`;
const faults: [what: string, file: Uint8Array, message: RegExp][] = [
  ['empty', new Uint8Array(0), /0 bytes are too few/],
  ['seven bytes', new Uint8Array(7), /7 bytes are too few/],
  ['header announced too large', fileOf(good, 8, 100_000_001n), /header of 100000001 bytes, more than 100000000/],
  ['header length of 2^64 - 1', fileOf(good, 8, 2n ** 64n - 1n), /header of 18446744073709551615 bytes/],
  ['a PyTorch archive', Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 8, 8, 0, 0), /a zip archive, as PyTorch writes/],
  ['header longer than the file', fileOf(good, 8, 500n), /cut off inside its header \(header of 500 bytes, 62 in the file\)/],
  ['no header', fileOf('', 0), /header of 0 bytes is too short/],
  ['one byte of header', fileOf('{', 0), /header of 1 bytes is too short/],
  ['not an object', fileOf('[]'), /does not open with "\{"/],
  ['space first', fileOf(' {}'), /does not open with "\{"/],
  ['byte order mark', fileOf('\uFEFF{}'), /does not open with "\{"/],
  ['not UTF-8', fileOf(Uint8Array.of(0x7b, 0xff, 0x7d)), /not valid UTF-8/],
  ['bad JSON', fileOf('{"a":}'), /expected \{ in tensor "a" \(at character 5\), got "\}"/],
  ['unfinished JSON', fileOf('{"a"'), /expected : in the header \(at character 4\), got the end of the header/],
  ['unfinished string', fileOf('{"a\\"'), /a key of the header is not a valid JSON string/],
  ['line break in a string', fileOf('{"a\n":1}'), /not a valid JSON string/],
  ['comma at the end', fileOf('{"__metadata__":{},}'), /expected " in a key of the header/],
  ['text after the header', fileOf('{}{}'), /more text after its closing brace/],
  ['deep nesting', fileOf(`{"a":${'['.repeat(50_000)}`), /expected \{ in tensor "a"/],
  ['tensor twice', fileOf(`${good.slice(0, -1)},${good.slice(1)}`, 8), /the header has the key "a" twice/],
  ['tensor twice, one escaped', fileOf(`${good.slice(0, -1)},"\\u0061":{}}`, 8), /has the key "a" twice/],
  ['field twice', fileOf(good.replace('"shape":[2]', '"shape":[2],"shape":[2]'), 8), /tensor "a" has the key "shape" twice/],
  ['metadata twice', fileOf('{"__metadata__":{},"__metadata__":{}}'), /the key "__metadata__" twice/],
  ['metadata that is no text', fileOf('{"__metadata__":{"a":1}}'), /expected " in the value of "a" in __metadata__/],
  ['metadata that is no object', fileOf('{"__metadata__":null}'), /expected \{ in __metadata__/],
  ['tensor named __proto__', fileOf(good.replace('"a"', '"__proto__"'), 8), /forbidden name "__proto__"/],
  ['metadata named __proto__', fileOf('{"__metadata__":{"__proto__":"x"}}'), /forbidden name "__proto__"/],
  ['half a surrogate pair', fileOf(good.replace('"a"', '"\\ud800"'), 8), /not valid Unicode/],
  ['dtype missing', fileOf(good.replace('"dtype":"F32",', ''), 8), /tensor "a" lacks its dtype/],
  ['shape missing', fileOf(good.replace('"shape":[2],', ''), 8), /tensor "a" lacks its shape/],
  ['offsets missing', fileOf(good.replace(',"data_offsets":[0,8]', ''), 8), /tensor "a" lacks data_offsets/],
  ['unknown field', fileOf(good.replace('"shape"', '"strides":[1],"shape"'), 8), /unknown field "strides"/],
  ['unknown dtype', fileOf(good.replace('F32', 'Q4'), 8), /element type "Q4"; readable are/],
  ['dtype named like an object member', fileOf(good.replace('F32', 'constructor'), 8), /element type "constructor"/],
  ['negative length', fileOf(good.replace('[2]', '[-2]'), 8), /the shape of tensor "a" holds the negative number -2/],
  ['length as a fraction', fileOf(good.replace('[2]', '[2.0]'), 8), /expected a whole number in the shape/],
  ['length as a power', fileOf(good.replace('[2]', '[2e0]'), 8), /expected a whole number/],
  ['length with a leading zero', fileOf(good.replace('[2]', '[02]'), 8), /expected a whole number/],
  ['length as text', fileOf(good.replace('[2]', '["2"]'), 8), /expected a whole number/],
  ['length beyond 2^53', fileOf(good.replace('[2]', '[9007199254740993]'), 8), /too large to be counted exactly/],
  ['length of a thousand digits', fileOf(good.replace('[2]', `[${'9'.repeat(1000)}]`), 8), /too large to be counted exactly/],
  ['product of lengths overflows', fileOf(good.replace('[2]', '[4294967296,4294967296]'), 8), /too large to be counted/],
  ['overflow hidden by a zero', fileOf(good.replace('[2]', '[4294967296,4294967296,0]'), 8), /too large to be counted/],
  ['shape and offsets disagree', fileOf(good.replace('[2]', '[3]'), 8), /shape \[3\] needs 12 bytes; its data_offsets span 8/],
  ['one offset', fileOf(good.replace('[0,8]', '[0]'), 8), /data_offsets of tensor "a" are 1 numbers/],
  ['three offsets', fileOf(good.replace('[0,8]', '[0,8,8]'), 8), /are 3 numbers/],
  ['offsets reversed', fileOf(good.replace('[0,8]', '[8,0]'), 8), /ends \(0\) before it begins \(8\)/],
  ['overlap', fileOf(with2('0,4', '3,7'), 7), /tensor "b" overlaps the one before it by 1 bytes/],
  ['the same bytes twice', fileOf(with2('0,4', '0,4'), 4), /overlaps the one before it by 4 bytes/],
  ['hole', fileOf(with2('0,4', '6,10'), 10), /a hole of 2 bytes before tensor "b"/],
  ['hole at the start', fileOf(with2('1,5', '5,9'), 9), /a hole of 1 bytes before tensor "a"/],
  ['data cut off', fileOf(good, 7), /is cut off: its header promises 8 data bytes, it has 7/],
  [
    'out of range by far',
    fileOf('{"a":{"dtype":"U8","shape":[1000000000000],"data_offsets":[0,1000000000000]}}', 4),
    /is cut off/,
  ],
  ['trailing bytes', fileOf(good, 9), /1 bytes follow the last tensor/],
  ['data without tensors', fileOf('{}', 5), /5 bytes follow the last tensor/],
];

for (const [what, bytes, message] of faults) {
  test(`refused with its own message: ${what}`, () => {
    assert.throws(
      () => parseSafetensors(bytes, 'run/best.safetensors'),
      (error) => {
        assert.ok(error instanceof WeightsError);
        assert.match(error.message, message);
        assert.ok(error.message.startsWith('run/best.safetensors: ') && !error.message.includes('\n'));
        return true;
      },
    );
  });
}

test('accepted: no tensors, empty tensors anywhere, padding and spaces, tensors out of order', () => {
  assert.equal(parseSafetensors(fileOf('{}')).tensors.size, 0);
  assert.equal(parseSafetensors(fileOf(`${good.replaceAll(',', ' ,\n\t')}   `, 8)).tensors.get('a')?.data.length, 2);
  assert.deepEqual([...parseSafetensors(fileOf(with2('4,8', '0,4'), 8)).tensors.keys()], ['a', 'b']);
  const empty = '{"e":{"dtype":"I64","shape":[3,0],"data_offsets":[8,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
  assert.equal(parseSafetensors(fileOf(empty, 8)).tensors.get('e')?.data.length, 0);
});

test('a mutated file is read or refused with a WeightsError, and never yields more data than it has bytes', () => {
  const mutation = fc.record({
    file: anyFile,
    edits: fc.array(
      fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }), kind: fc.constantFrom('set', 'cut', 'add', 'digit') }),
      {
        minLength: 1,
        maxLength: 5,
      },
    ),
  });
  let refused = 0;
  fc.assert(
    fc.property(mutation, ({ file, edits }) => {
      let bytes = serializeSafetensors(file);
      for (const edit of edits) bytes = mutate(bytes, edit);
      try {
        const read = parseSafetensors(bytes);
        const total = [...read.tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
        assert.ok(total <= bytes.length);
      } catch (error) {
        refused++;
        assert.ok(error instanceof WeightsError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(refused > 500, `only ${refused} of 2000 mutated files were refused: the mutations are too tame`);
});

function mutate(bytes: Uint8Array, edit: { at: number; to: number; kind: string }): Uint8Array {
  const at = edit.at % Math.max(bytes.length, 1);
  const { to } = edit;
  if (edit.kind === 'cut') return bytes.slice(0, at);
  if (edit.kind === 'add') return Uint8Array.of(...bytes.subarray(0, at), to, ...bytes.subarray(at));
  const out = bytes.slice();
  out[at] = edit.kind === 'digit' ? 0x30 + (to % 10) : to;
  return out;
}

test('the writer refuses what could not be read back', () => {
  const write = (name: string, tensor: unknown, metadata: Record<string, string> = {}) =>
    serializeSafetensors({ metadata, tensors: new Map([[name, tensor as NamedTensor]]) });
  const one = { dtype: 'F32', shape: [1], data: new Float32Array(1) };
  assert.throws(() => write('__metadata__', one), /reserved/);
  assert.throws(() => write('__proto__', one), /forbidden/);
  assert.throws(() => write('\ud800', one), /Unicode/);
  assert.throws(() => write('a', { ...one, shape: [2] }), /shape \[2\] needs 2 numbers; got 1/);
  assert.throws(() => write('a', { ...one, shape: [-1, -1] }), /whole numbers from 0/);
  assert.throws(() => write('a', { ...one, dtype: 'F16' }), /type F16 must be a Uint16Array; got \[object Float32Array\]/);
  assert.throws(() => write('a', { ...one, dtype: 'Q4' }), /unknown element type "Q4"/);
  assert.throws(() => write('a', one, { epoch: 3 as unknown as string }), /metadata "epoch" must be text; got number/);
});
