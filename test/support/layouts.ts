/** Both layouts: row-major, and blocked for this machine. */

import { cpus } from 'node:os';
import type { TestContext } from 'node:test';
import { blockSize } from '../../src/node/blockSize.js';

export const layouts = ['plain', 'blocked'] as const;
export type Layout = (typeof layouts)[number];

/**
 * The block of a layout, told with the processor in the test's output; undefined where the machine has none: the test is skipped.
 */
export async function blockOf(t: TestContext, layout: Layout = 'blocked'): Promise<number | undefined> {
  if (layout === 'plain') return 0;
  const block = await blockSize();
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor';
  if (block === 0) t.skip(`${processor} has no blocked kernels`);
  else t.diagnostic(`${processor}: blocks of ${block}`);
  return block || undefined;
}
