// safetensors files of another implementation survive a round trip.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { readSafetensors } from '../dist/src/weights/files.js';
import { parseSafetensors, serializeSafetensors } from '../dist/src/weights/safetensors.js';

const folder = process.argv[2] ?? '.';
const names = readdirSync(folder).filter((name) => name.endsWith('.safetensors'));
assert.ok(names.length > 0, `${folder}: no safetensors files`);
for (const name of names) {
  const file = await readSafetensors(`${folder}/${name}`);
  const again = parseSafetensors(serializeSafetensors(file), name);
  assert.deepEqual(again.metadata, file.metadata);
  assert.equal(again.tensors.size, file.tensors.size);
  for (const [tensorName, tensor] of file.tensors)
    assert.deepEqual(again.tensors.get(tensorName), tensor, `${name}: ${tensorName}`);
}
console.log(`${names.length} files`);
