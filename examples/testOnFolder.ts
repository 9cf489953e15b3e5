/** Tests weights on the test split of a folder: node dist/examples/testOnFolder.js folder run/best.safetensors */
import { evaluateDataset, loadRecogniser, readDataset, videosOf } from 'video-mobile-former';

const [folder = 'actions', weights = 'run/best.safetensors'] = process.argv.slice(2);

const recogniser = await loadRecogniser(weights);
const { metrics, rows } = await evaluateDataset(recogniser, videosOf(await readDataset(folder), 'test'));
console.log(`top-1 ${(100 * metrics.top1).toFixed(1)} % of ${metrics.count} videos`);
for (const { name, label, predicted } of rows.filter(({ correct }) => !correct))
  console.log(`${name}: ${label} taken for ${predicted}`);
await recogniser.close();
