/** Trains and resumes a tiny network until killed: `DATA FOLDER`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { train } from '../../src/train/train.js';
import { tinyConfig } from './randomWeights.js';

const [data = '', out = ''] = process.argv.slice(2);
const begun = existsSync(join(out, 'last.safetensors'));
await train({
  data,
  out,
  threads: 1,
  workers: 1,
  cacheFolder: join(out, '..', 'cache'),
  dataset: { valShare: 0 },
  ...(begun ? { resume: true } : { model: tinyConfig(), options: { epochs: 100_000, batch: 2, warmupEpochs: 0, preciseBn: 1 } }),
  onEvent: ({ kind }) => {
    if (kind === 'epoch') console.log('epoch');
  },
});
