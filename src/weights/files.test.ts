import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readSafetensors, writeFileAtomically, writeSafetensors } from './files.js';
import type { TensorFile } from './namedTensor.js';
import { parseSafetensors, serializeSafetensors } from './safetensors.js';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vmf-weights-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const file: TensorFile = {
  metadata: { config: '{"classes":2}' },
  tensors: new Map([
    ['head.weight', { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
    ['labels', { dtype: 'I64', shape: [2], data: BigInt64Array.of(-1n, 2n ** 40n) }],
    ['mask', { dtype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ]),
};

test('a file on disk is what it is in memory', async () => {
  const path = join(folder, 'a.safetensors');
  await writeSafetensors(path, file);
  assert.deepEqual(new Uint8Array(await readFile(path)), serializeSafetensors(file));
  const read = await readSafetensors(path);
  assert.deepEqual(read, parseSafetensors(await readFile(path)));
  assert.deepEqual(read.tensors.get('labels'), file.tensors.get('labels'));
});

test('writing replaces the old file and leaves nothing else', async () => {
  const inside = join(folder, 'replace');
  await mkdir(inside);
  const path = join(inside, 'last.safetensors');
  await writeFile(path, 'old');
  await Promise.all([writeSafetensors(path, file), writeSafetensors(path, file)]);
  assert.equal((await readSafetensors(path)).tensors.size, 3);
  assert.deepEqual(await readdir(inside), ['last.safetensors']);
});

test('a failure while writing leaves the old file and no litter', async () => {
  const inside = join(folder, 'fail');
  await mkdir(inside);
  const path = join(inside, 'last.safetensors');
  await writeFile(path, 'old');
  const broken = {
    get byteLength(): number {
      throw new Error('disk full');
    },
  } as unknown as Uint8Array;
  await assert.rejects(writeFileAtomically(path, [Uint8Array.of(1, 2, 3), broken]), { name: 'WeightsError' });
  assert.equal(await readFile(path, 'utf8'), 'old');
  assert.deepEqual(await readdir(inside), ['last.safetensors']);
});

test('a folder in the place of the file, and a missing folder, are one clear line each', async () => {
  const inside = join(folder, 'place');
  await mkdir(join(inside, 'last.safetensors', 'x'), { recursive: true });
  await assert.rejects(writeSafetensors(join(inside, 'last.safetensors'), file), /last\.safetensors: could not be written \(/);
  assert.deepEqual(await readdir(inside), ['last.safetensors']);
  await assert.rejects(writeSafetensors(join(folder, 'nowhere', 'a.safetensors'), file), /could not be written \(ENOENT\)/);
  await assert.rejects(
    readSafetensors(join(folder, 'nowhere')),
    /nowhere: cannot be opened \(ENOENT\); expected a safetensors file/,
  );
  await assert.rejects(readSafetensors(folder), /is a folder; expected a safetensors file, such as best\.safetensors of a run/);
});

test('a named pipe is refused at once, not waited for', { skip: process.platform === 'win32' }, async () => {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  await assert.rejects(readSafetensors(path), /pipe: is not a regular file/);
});

test('a named pipe is not replaced by what is written to it', { skip: process.platform === 'win32' }, async () => {
  const path = join(folder, 'pipe-out');
  execFileSync('mkfifo', [path]);
  await assert.rejects(writeFileAtomically(path, [Uint8Array.of(1)]), /pipe-out: is no regular file/);
  assert.ok((await stat(path)).isFIFO());
});

test('hostile files on disk are refused like those in memory, with the path in front', async () => {
  const path = join(folder, 'bad.safetensors');
  const bytes = serializeSafetensors(file);
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(3), /3 bytes are too few/],
    [bytes.subarray(0, 40), /cut off inside its header/],
    [bytes.subarray(0, bytes.length - 1), /is cut off: its header promises/],
    [Uint8Array.of(...bytes, 0), /1 bytes follow the last tensor/],
  ];
  for (const [content, message] of cases) {
    await writeFile(path, content);
    await assert.rejects(readSafetensors(path), (error: Error) => {
      assert.match(error.message, message);
      return error.name === 'WeightsError' && error.message.startsWith(path);
    });
  }
});
