/** The reference tensors of test/fixtures (see its README.md). */

import assert from 'node:assert/strict';
import { sizeOf } from '../../src/graph/shape.js';
import type { NetworkConfig } from '../../src/models/config.js';
import { inventoryOf } from '../../src/models/network.js';
import { parseNetworkConfig } from '../../src/models/registry.js';
import type { Inventory, VariableSpec } from '../../src/models/variables.js';
import { readSafetensors } from '../../src/weights/files.js';
import { type TensorFile, toFloat32 } from '../../src/weights/safetensors.js';

export interface Fixture {
  readonly config: NetworkConfig;
  readonly inventory: Inventory;
  readonly clips: number;
  /** Tensors of the weights file, end to end in the order of the inventory. */
  readonly parameters: Float32Array;
  readonly statistics: Float32Array;
  readonly labels: Int32Array;
  /** The input as the network takes it, [T*B, 3, S, S]. */
  readonly clip: Float32Array;
  readonly names: readonly string[];
  /** An expected tensor by name; feature maps turned into [T, B, C, H, W]. */
  expected(name: string): Float32Array;
  /** Values of one parameter in a flat vector. */
  part(flat: Float32Array, name: string): Float32Array;
}

interface StoredBlock {
  kind: 'lite' | 'mf' | 'down';
  expand: number;
  expand2?: number;
  out: number;
  stride: 1 | 2;
  temporal: 1 | 3;
}

export async function readFixture(folder: string, name: string): Promise<Fixture> {
  const weights = await readSafetensors(`${folder}/${name}.weights.safetensors`);
  const expected = await readSafetensors(`${folder}/${name}.expected.safetensors`);
  const stored = JSON.parse(weights.metadata['config'] ?? '{}');
  const config = 'family' in stored ? parseNetworkConfig(stored, 'fixture') : configOf(stored);
  const inventory = inventoryOf(config);
  const labels = expected.tensors.get('input.labels')?.data as Int32Array;
  const all = [...inventory.parameters, ...inventory.statistics];
  const offsets = new Map<string, [number, number]>();
  for (const list of [inventory.parameters, inventory.statistics]) {
    let at = 0;
    for (const spec of list) {
      offsets.set(spec.name, [at, at + sizeOf(spec.shape)]);
      at += sizeOf(spec.shape);
    }
  }
  assert.deepEqual([...weights.tensors.keys()].sort(), all.map((spec) => spec.name).sort(), 'names in the weights file');
  return {
    config,
    inventory,
    clips: labels.length,
    parameters: flat(weights, inventory.parameters),
    statistics: flat(weights, inventory.statistics),
    labels,
    clip: timeFirst(tensor(expected, 'input.clip'), expected.tensors.get('input.clip')?.shape ?? []),
    names: [...expected.tensors.keys()],
    expected: (wanted) => {
      const found = tensor(expected, wanted);
      return wanted.startsWith('eval.') ? timeFirst(found, expected.tensors.get(wanted)?.shape ?? []) : found;
    },
    part: (values, wanted) => values.subarray(...(offsets.get(wanted) ?? [0, 0])),
  };
}

function configOf(
  stored: { blocks: StoredBlock[]; variant: string; dim: number; height: number; width: number } & Record<string, unknown>,
) {
  const blocks = stored.blocks.map(({ stride, expand2 = 0, ...block }) => {
    if (block.kind === 'lite') return { ...block, stride };
    return block.kind === 'down' ? { ...block, expand2 } : block;
  });
  const { stem, tokens, head, groups, frames, classes, dropout } = stored;
  const { variant, dim, height, width } = stored;
  const known = { stem, tokens, head, groups, frames, classes, dropout };
  return parseNetworkConfig(
    { family: 'video-mobile-former', name: variant, layout: variant, ...known, tokenDim: dim, height, width, blocks },
    'fixture',
  );
}

function tensor(file: TensorFile, name: string): Float32Array {
  const found = file.tensors.get(name);
  if (!found) throw new Error(`fixture: no tensor ${name}`);
  return found.dtype === 'I32' ? Float32Array.from(found.data) : toFloat32(found);
}

function flat(file: TensorFile, specs: readonly VariableSpec[]): Float32Array {
  const parts = specs.map(({ name, shape }) => {
    const values = tensor(file, name);
    assert.equal(values.length, sizeOf(shape), name);
    return values;
  });
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** [B, C, T, H, W] -> [T, B, C, H, W]; other ranks as they are. */
function timeFirst(x: Float32Array, shape: readonly number[]): Float32Array {
  if (shape.length !== 5) return x;
  const [clips = 0, channels = 0, frames = 0, height = 0, width = 0] = shape;
  const out = new Float32Array(x.length);
  const area = height * width;
  for (let b = 0; b < clips; b++) {
    for (let c = 0; c < channels; c++) {
      for (let t = 0; t < frames; t++) {
        const from = ((b * channels + c) * frames + t) * area;
        out.set(x.subarray(from, from + area), ((t * clips + b) * channels + c) * area);
      }
    }
  }
  return out;
}

/** How far two tensors are apart, relative to the largest expected value, and in L2 norm. */
export interface Difference {
  readonly worst: number;
  /** 99.9 % quantile of the same. */
  readonly quantile: number;
  readonly l2: number;
}

export function difference(got: ArrayLike<number>, expected: ArrayLike<number>): Difference {
  assert.equal(got.length, expected.length, 'length');
  let largest = 1e-30;
  let square = 1e-60;
  let error = 0;
  const errors = new Float64Array(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const e = expected[i] ?? NaN;
    errors[i] = Math.abs((got[i] ?? NaN) - e);
    largest = Math.max(largest, Math.abs(e));
    square += e * e;
    error += (errors[i] ?? NaN) ** 2;
  }
  errors.sort();
  const at = (share: number) => (errors[Math.floor((errors.length - 1) * share)] ?? NaN) / largest;
  assert.ok(!Number.isNaN(error), 'a value is not a number');
  return { worst: at(1), quantile: at(0.999), l2: Math.sqrt(error / square) };
}
