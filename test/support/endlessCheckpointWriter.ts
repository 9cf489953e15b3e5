/** Saves checkpoints until killed: `FOLDER`. Weights equal the epoch's number, so that mixtures show. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RunFolder } from '../../src/train/runFolder/runFolder.js';
import { tinyCheckpoint } from './randomWeights.js';

const [path = ''] = process.argv.slice(2);
const begun = existsSync(join(path, 'last.safetensors'));
if (!begun) rmSync(join(path, 'best.safetensors'), { force: true }); // killed between the very first two
const folder = RunFolder.check(path, begun);
await folder.open();
const tiny = tinyCheckpoint();
const { parameters: moment } = tiny;
await folder.reserveFor({ ...tiny, training: { expAvg: moment, expAvgSq: moment, progress: {} } });
const before = existsSync(folder.lastPath) ? (await folder.readLast()).training?.progress : undefined;
let epoch = (before as { epoch: number } | undefined)?.epoch ?? 0;
await folder.keepEpochs(epoch);
console.log('saving');
for (;;) {
  epoch++;
  const parameters = tiny.parameters.slice().fill(epoch);
  const checkpoint = { ...tiny, parameters, training: { expAvg: parameters, expAvgSq: parameters, progress: { epoch } } };
  await folder.log({ epoch, note: 'a line that takes a while to write '.repeat(20) });
  await folder.saveBest(checkpoint);
  await folder.saveLast(checkpoint);
}
