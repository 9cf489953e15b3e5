/** `npm run bench -- [NAME] [options]`: measures, prints a table or one line of JSON, and keeps the result when asked to. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { CheckError, MissingError } from './errors.js';
import { machineSlug, setting } from './machine.js';
import type { PeerMode } from './peer.js';
import { race } from './race.js';

const usage = `npm run bench -- [NAME] [options]

  race        (default) this engine against PyTorch: inference and a training step
                --rows inference,training   --runs N   --threads N

  --json      one line of JSON on standard output instead of a table
  --keep      keeps the JSON under bench/results/`;

const optionTypes = {
  json: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
  rows: { type: 'string', default: 'inference,training' },
  runs: { type: 'string' },
  threads: { type: 'string', default: '1' },
} as const;

type Row = Readonly<Record<string, unknown>> & { readonly what: string };

const say = (line: string) => process.stderr.write(`${line}\n`);

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: optionTypes, allowPositionals: true });
  if (values.help) return say(usage);
  const [name = 'race'] = positionals;
  if (name !== 'race') throw new MissingError(`no benchmark "${name}"\n\n${usage}`);
  const rows = await race({ rows: values.rows.split(',') as PeerMode[], threads: Number(values.threads), say });
  const result = { benchmark: name, rows, ...setting() };
  console.log(values.json ? JSON.stringify(result) : rows);
}

await main();
