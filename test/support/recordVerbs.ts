import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordedVerbs, tinyNetwork, writeRecordWeights } from './recordCode.js';
import { vmf } from './vmf.js';

type Leaf = string | number | boolean | null;
/** By verb, the values by their place in the JSON: `classes[0].name`. */
export type Said = Record<string, Record<string, Leaf>>;

export interface RecordedRun {
  readonly said: Said;
  /** SHA-256 of the parameters that the training ends with. */
  readonly hash: string;
}

const classes = ['bow', 'kick', 'punch', 'wave'];

/** Runs every verb in a folder of its own; takes about half a minute. */
export async function runVerbs(): Promise<RecordedRun> {
  const folder = mkdtempSync(join(tmpdir(), 'vmf-record-'));
  try {
    const said: Said = {};
    await writeRecordWeights(join(folder, 'w.safetensors'), classes);
    tinyNetwork(join(folder, 'tiny.json'));
    for (const [verb, args] of recordedVerbs(classes)) {
      const clip = () => join('clips', 'test', 'wave', readdirSync(join(folder, 'clips', 'test', 'wave')).sort()[0] ?? '');
      const given = args.map((arg) => (arg === 'CLIP' ? clip() : arg));
      const { code, out, err } = await vmf(folder, verb, ...given);
      if (code !== 0) throw new Error(`${verb} ${given.join(' ')}: ${err}`);
      said[verb] = flat(out, folder);
    }
    return {
      said,
      hash: hashOfTensors(readFileSync(join(folder, 'plain.safetensors'))),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function hashOfTensors(file: Buffer): string {
  const start = 8 + Number(file.readBigUInt64LE());
  return createHash('sha256').update(file.subarray(start)).digest('hex');
}

function flat(text: string, folder: string): Record<string, Leaf> {
  const out: Record<string, Leaf> = {};
  const visit = (value: unknown, at: string): void => {
    if (typeof value !== 'object' || value === null)
      out[at] = typeof value === 'string' ? value.replaceAll(folder, '.') : (value as Leaf);
    else if (Array.isArray(value)) for (const [i, item] of value.entries()) visit(item, `${at}[${i}]`);
    else for (const [key, item] of Object.entries(value)) visit(item, at === '' ? key : `${at}.${key}`);
  };
  visit(parsed(text), '');
  return out;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  }
}
