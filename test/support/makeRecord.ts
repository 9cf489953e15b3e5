/** Writes the record: `node dist/test/support/makeRecord.js FOLDER`. */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { isTrained, keyOf, recordedNetworks } from './record.js';
import { blockSize, recordedLogits, recordedLosses } from './recordCode.js';

const [folder = '.'] = process.argv.slice(2);
const block = await blockSize();
const networks: Record<string, unknown> = {};
for (const network of recordedNetworks) {
  const of = async (target: number) => ({
    logits: await recordedLogits(network, target),
    ...(isTrained(network) && { losses: await recordedLosses(network, target) }),
  });
  networks[keyOf(network)] = { standard: await of(0), blocked: await of(block) };
}
writeFileSync(`${folder}/networks.json`, `${JSON.stringify({ processor: cpus()[0]?.model, block, networks }, null, 1)}\n`);
