/**
 * The gain from temporal kernels: depthwise kernels of length 3 against 1. Without them time-reversed actions are
 * indistinguishable.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { runDemo } from '../src/demo/demo.js';

export interface SenseOfTimeRow {
  readonly what: string;
  readonly top1: number;
  readonly top1Pairs: number;
  readonly testClips: number;
  readonly seconds: number;
}

/** Both runs; the clips are generated once and kept in `folder`. */
export async function senseOfTime(folder: string, say: (line: string) => void): Promise<SenseOfTimeRow[]> {
  const rows: SenseOfTimeRow[] = [];
  for (const temporal of ['none', 'all'] as const) {
    rmSync(join(folder, 'run'), { recursive: true, force: true });
    const { summary } = await runDemo({ out: folder, temporal });
    const { top1, top1Pairs, testClips, seconds, model } = summary;
    say(`temporal kernels ${temporal}: top-1 ${(100 * top1).toFixed(1)} %, on reversed pairs ${(100 * top1Pairs).toFixed(1)} %`);
    rows.push({ what: `${model}, temporal kernels ${temporal === 'all' ? 3 : 1}`, top1, top1Pairs, testClips, seconds });
  }
  return rows;
}
