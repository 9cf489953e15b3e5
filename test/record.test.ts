/**
 * Regression record, made once by support/makeRecord.ts and support/makeVerbsRecord.ts. `VMF_RECORD=quick`: four networks, no
 * verbs.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { test } from 'node:test';
import { chosenNetworks, distance, isTrained, keyOf } from './support/record.js';
import { type RecordedChanges, unmeant } from './support/recordChanges.js';
import { blockSize, recordedLogits, recordedLosses } from './support/recordCode.js';
import { runVerbs, type Said } from './support/recordVerbs.js';

const folder = new URL('../../test/fixtures/record/', import.meta.url);
const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as T;

interface Numbers {
  readonly logits: readonly number[];
  readonly losses?: readonly number[];
}
interface Networks {
  readonly processor: string;
  readonly block: number;
  readonly networks: Readonly<Record<string, { readonly standard: Numbers; readonly blocked: Numbers }>>;
}

const recorded = read<Networks>('networks.json');
const block = await blockSize();
const here = `${cpus()[0]?.model}, block ${block}; recorded on ${recorded.processor}, block ${recorded.block}`;

for (const network of chosenNetworks()) {
  const key = keyOf(network);
  test(`${key}: logits as recorded, both lowerings`, async (t) => {
    t.diagnostic(here);
    const expected = recorded.networks[key];
    assert.ok(expected);
    for (const [name, target] of [
      ['standard', 0],
      ['blocked', block],
    ] as const) {
      const apart = distance(await recordedLogits(network, target), expected[name].logits);
      assert.ok(apart <= 1e-5, `${name}: logits differ by ${apart}`);
    }
  });
  if (!isTrained(network)) continue;
  test(`${key}: ten losses as recorded, both lowerings`, async () => {
    const { standard, blocked } = recorded.networks[key] ?? assert.fail(key);
    // Tolerances: what both lowerings differed by when recorded.
    const rounding = distance(blocked.losses ?? [], standard.losses ?? []);
    for (const [expected, target] of [
      [standard, 0],
      [blocked, block],
    ] as const) {
      const losses = await recordedLosses(network, target);
      const apart = distance(losses, expected.losses ?? []);
      assert.ok(
        apart <= Math.max(1e-5, 3 * rounding),
        `block ${target}: ten losses differ by ${apart}, lowerings by ${rounding}`,
      );
      const first = distance(losses.slice(0, 1), (expected.losses ?? []).slice(0, 1));
      assert.ok(first <= 1e-5, `block ${target}: the first loss differs by ${first}`);
    }
  });
}

interface Verbs {
  readonly machine: { readonly processor: string; readonly block: number; readonly platform: string };
  readonly hash: string;
  readonly said: Said;
}

const full = process.env['VMF_RECORD'] !== 'quick';

test('every verb says as JSON what it said, and a training ends with the same weights', { skip: !full }, async (t) => {
  const { machine, hash, said } = read<Verbs>('verbs.json');
  const run = await runVerbs();
  const changes = read<RecordedChanges>('changes.json');
  const now = { processor: cpus()[0]?.model ?? '', block, platform: `${process.platform} ${process.arch}` };
  const same = JSON.stringify(now) === JSON.stringify(machine);
  const faults = Object.entries(said).flatMap(([verb, values]) =>
    unmeant(verb, values, run.said[verb] ?? {}, changes, same).map((fault) => `${verb}: ${fault}`),
  );
  assert.deepEqual(faults, []);
  if (same) assert.equal(run.hash, changes.hash?.now ?? hash);
  else t.diagnostic(`the hash of a training was recorded on ${JSON.stringify(machine)}, this is ${JSON.stringify(now)}`);
});
