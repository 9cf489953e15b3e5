/** Contends for a run folder's lock on a signal from stdin: `FOLDER [reserve]`; `reserve` also preallocates a checkpoint. */
import { createInterface } from 'node:readline';
import { RunFolder } from '../../src/train/runFolder/runFolder.js';
import { tinyCheckpoint } from './randomWeights.js';

const [path = '', reserve] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const folder = RunFolder.check(path, false);
console.log('ready');
const atMs = Number((await lines.next()).value);
while (Date.now() < atMs); // to the instant, closer than a timer
try {
  await folder.open();
  if (reserve) await folder.reserveFor(tinyCheckpoint());
  console.log('won');
} catch (error) {
  const { message } = error as Error;
  console.log(/a run is going on here/.test(message) ? 'refused' : message);
}
await lines.next();
await folder.close();
