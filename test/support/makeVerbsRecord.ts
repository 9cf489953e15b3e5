import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { blockSize } from './recordCode.js';
import { runVerbs } from './recordVerbs.js';

const [folder = '.'] = process.argv.slice(2);
const [first, second] = [await runVerbs(), await runVerbs()];
if (first.hash !== second.hash) throw new Error('two trainings on one machine end with different weights');
const said = Object.fromEntries(
  Object.entries(first.said).map(([verb, values]) => [
    verb,
    Object.fromEntries(
      Object.entries(values).map(([at, value]) => [at, Object.is(second.said[verb]?.[at], value) ? value : null]),
    ),
  ]),
);
const machine = { processor: cpus()[0]?.model, block: await blockSize(), platform: `${process.platform} ${process.arch}` };
writeFileSync(`${folder}/verbs.json`, `${JSON.stringify({ machine, hash: first.hash, said }, null, 1)}\n`);
