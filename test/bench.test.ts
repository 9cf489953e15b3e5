/** `vmf bench` on a tiny network, its arithmetic, and equal outputs of the backends compared. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Backend, exported, ours } from '../bench/backends.js';
import { interleave } from '../bench/interleaved.js';
import { raceSvg, scalingSvg } from '../bench/plot.js';
import { powerFit } from '../bench/scaling.js';
import { constant, input } from '../src/graph/expr.js';
import { relu } from '../src/graph/operators/unary.js';
import { bandwidthFor } from '../src/measure/machinePeak.js';
import { threadCounts } from '../src/measure/networkSpeed.js';
import { networkCost } from '../src/models/cost.js';
import type { Intermediates } from '../src/models/network.js';
import { inferenceGraph } from '../src/models/network.js';
import { partsOf } from '../src/models/parts.js';
import { Rng } from '../src/rng.js';
import { temporaryFolder } from './smallVideos.js';
import { randomWeights, tinyConfig } from './support/randomWeights.js';

const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));

function vmf(cwd: string, ...args: readonly string[]) {
  return spawnSync(process.execPath, [main, ...args], { cwd, encoding: 'utf8' });
}

const config = tinyConfig();

test('vmf bench --json: every way of running, parts that add up, memory', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'tiny.json'), JSON.stringify(config));
  const { status, stdout, stderr } = vmf(folder, 'bench', '--config', 'tiny.json', '--threads', '1', '--runs', '3', '--json');
  assert.deepEqual([status, stderr], [0, '']);
  const { machine, networks, cores } = JSON.parse(stdout);
  assert.ok(cores >= 1);
  assert.equal(machine.length, 1);
  assert.ok(machine[0].gflops > 0.5 && machine[0].nodeMicros > 0);
  for (const { gbPerSec } of machine[0].bandwidths) assert.ok(gbPerSec > 0.05 && gbPerSec < 1e5, `${gbPerSec} GB/s`);
  const [{ name, macs, rows, parts, peakMb, emptyMb }] = networks;
  assert.deepEqual([name, macs], ['tiny', networkCost(config).macs]);
  const ways = rows.map((row: Record<string, unknown>) => `${row['backend']} ${row['threads']} ${row['batch']}`);
  assert.ok(ways.includes('plain 1 1'), ways.join());
  for (const { ms, minMs, clipsPerSec, batch, gflops } of rows) {
    assert.ok(minMs > 0 && minMs <= ms);
    assert.ok(Math.abs(clipsPerSec - (1000 * batch) / ms) < 1e-6 * clipsPerSec);
    assert.ok(Math.abs(gflops - (2 * macs * batch) / ms / 1e6) < 1e-6 * gflops);
  }
  const sum = (key: string) => parts.reduce((total: number, part: Record<string, number>) => total + (part[key] ?? 0), 0);
  assert.ok(Math.abs(sum('share') - 1) < 1e-9);
  assert.equal(sum('macs'), macs);
  const names = parts.map((part: { name: string }) => part.name).filter((each: string) => each !== 'other');
  assert.deepEqual(names, ['stem', 'blocks.0', 'blocks.1', 'blocks.2', 'blocks.3', 'bridge', 'head']);
  for (const { bound, computeMs, memoryMs, nodesMs, reached, ms } of parts) {
    const most = Math.max(computeMs, memoryMs, nodesMs);
    assert.equal({ compute: computeMs, memory: memoryMs, nodes: nodesMs }[bound as 'compute'], most);
    assert.ok(Math.abs(reached - most / ms) < 1e-9);
  }
  assert.ok(emptyMb > 20 && peakMb > emptyMb, `${peakMb} and ${emptyMb} MB`);
});

test('vmf bench: a table for people; wrong arguments', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'tiny.json'), JSON.stringify(config));
  const args = ['--config', 'tiny.json', '--threads', '1', '--batch', '1', '--runs', '3'];
  const { status, stdout } = vmf(folder, 'bench', ...args);
  assert.equal(status, 0);
  assert.match(stdout, /\nbackend +engines +threads +batch +ms .*\n(blocked|plain) +1 +1 +1 /);
  assert.match(stdout, /\nblocks\.2 .*(compute|memory|nodes) +\d+ %\n/);
  const reasons = {
    'vmf-3g': /unknown name "vmf-3g"/,
    '--threads=0': /whole numbers from 1/,
    '--batch=1,x': /whole numbers from 1/,
  };
  for (const [argument, reason] of Object.entries(reasons)) {
    const refused = vmf(folder, 'bench', argument);
    assert.deepEqual([refused.status, refused.stdout], [2, '']);
    assert.match(refused.stderr, reason);
  }
});

test('every expression of a network belongs to one of its parts', () => {
  const keep: Intermediates = new Map();
  const logits = inferenceGraph(config, randomWeights(config), 1, { keep });
  const parts = partsOf(config, keep);
  assert.equal(parts.get(logits), 'head');
  assert.equal(parts.get(keep.get('blocks.2.features') ?? logits), 'blocks.2');
  const [x, other] = [relu(input('x', [2])), constant(new Float32Array(2), [2])];
  const made = partsOf(config, new Map([['stem', x], ['logits', relu(x)]])); // biome-ignore format: pairs
  assert.deepEqual([made.get(x), made.get(other)], ['stem', undefined]);
});

test('bandwidth between measured sizes, and thread counts', () => {
  const bandwidths = [
    { bytes: 100, gbPerSec: 10 },
    { bytes: 10_000, gbPerSec: 20 },
  ];
  assert.equal(bandwidthFor({ bandwidths }, 1), 10);
  assert.ok(Math.abs(bandwidthFor({ bandwidths }, 1000) - 15) < 1e-9);
  assert.equal(bandwidthFor({ bandwidths }, 1e9), 20);
  assert.deepEqual([threadCounts(1), threadCounts(2), threadCounts(6)], [[1], [1, 2], [1, 2, 4, 6]]);
  assert.deepEqual(threadCounts(64), [1, 2, 4, 8, 16, 32, 64]);
});

test('the plain export computes what the product does', async () => {
  const rng = new Rng(['export']);
  for (const batch of [1, 2]) {
    const clips = Float32Array.from({ length: batch * config.frames * 3 * config.height * config.width }, () => rng.normal());
    const task = { config, weights: randomWeights(config), clips, rate: 0, weightDecay: 0, threads: 1 };
    const sides = [await ours(task), await exported(task)] as const;
    try {
      const { difference } = await interleave(...sides, { repeats: 1, warmUp: 1, counted: 2, tolerance: 1e-4 });
      assert.ok(difference > 0 && difference < 1e-4, `${difference}`);
    } finally {
      await Promise.all(sides.map((side) => side.close()));
    }
  }
});

test('alternating: medians, ratios, and sides that differ are refused', async () => {
  const side = (times: readonly number[], value = 1): Backend => {
    let i = 0;
    return { run: async () => ({ ms: times[i++ % times.length] ?? 0, values: [value, 2] }), close: async () => {} };
  };
  const turns = { repeats: 1, warmUp: 1, counted: 3, tolerance: 0.01 };
  const figures = await interleave(side([99, 1, 3, 2]), side([99, 6, 4, 10]), turns);
  assert.deepEqual([figures.oursMs, figures.peerMs, figures.ratio, figures.ratioOfMinima], [2, 6, 3, 4]);
  assert.deepEqual([figures.oursRunsMs, figures.difference], [[1, 3, 2], 0]);
  await assert.rejects(interleave(side([1]), side([1], 1.1), turns), /do not compute the same: 1, 2 \.\.\. here, 1\.1, 2/);
});

test('a power law is found from points on it, and pictures are drawn', () => {
  const { exponent, r2 } = powerFit([1, 2, 4, 8].map((x) => [x, 5 * x ** 1.5]));
  assert.ok(Math.abs(exponent - 1.5) < 1e-12 && Math.abs(r2 - 1) < 1e-12);
  assert.ok(powerFit([[1, 1], [2, 4], [4, 4]]).r2 < 0.99); // biome-ignore format: points
  const setting = { date: '2026-01-02T03:04:05Z', machine: { cpu: 'A & B', vectors: 'avx2', cores: 2 } };
  const row = { row: 'inference-0.1g', what: 'inference, vmf-0.1g (8 frames x 96 px), batch 1', against: 'another' };
  const race = raceSvg({ ...setting, rows: [{ ...row, oursMs: 2, peerMs: 6, ratio: 3, target: 2.8 }] });
  assert.match(race, /A &amp; B[\s\S]*2026-01-02/);
  assert.match(race, />3\.00x </);
  const points = [{ x: 1, ms: 2, mb: 10 }, { x: 2, ms: 4, mb: 15 }]; // biome-ignore format: points
  const grown = scalingSvg({
    ...setting,
    rows: [{ use: 'inference', axis: 'frames', timeExponent: 1, memoryExponent: 0.58, points }],
  });
  assert.match(grown, /frames <tspan class="small">1\.00/);
  for (const svg of [race, grown]) assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
});
