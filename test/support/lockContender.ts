/**
 * A process that looks at a run's folder, opens it at the instant that it reads from standard input, says whether it got it, and lets it
 * go when the input ends: `FOLDER [reserve]`. With `reserve` it also takes the room for a checkpoint.
 */
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
