/** A model lowered for other kernels is refused: ONNX Runtime would crash or compute nonsense. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { blockSize } from '../src/node/blockSize.js';

const script = fileURLToPath(new URL('./support/runsInBlock.js', import.meta.url));

function outcome(block: number): string {
  const child = spawnSync(process.execPath, [script, `${block}`], { encoding: 'utf8' });
  assert.equal(child.signal, null, `ended by ${child.signal}`);
  assert.equal(child.status, 0, child.stderr);
  return child.stdout.trim();
}

test('a block that the machine lacks is refused in one line, not run', async (t) => {
  const here = await blockSize();
  t.diagnostic(`blocks of ${here}`);
  for (const block of [8, 16].filter((other) => other !== here)) {
    const has = here ? `blocks of ${here}` : 'no blocked kernels';
    assert.match(
      outcome(block),
      new RegExp(`^ConfigError: network: lowered for blocks of ${block} channels, this machine has ${has};.*$`),
    );
  }
  for (const block of [0, here]) assert.equal(outcome(block), '8');
});
