/** Learns a folder of labelled videos: node dist/examples/trainOnFolder.js folder run */
import { train } from 'video-mobile-former';

const [data = 'actions', out = 'run'] = process.argv.slice(2);

const { bestPath, bestTop1 } = await train({
  data,
  out,
  model: 'vmf-0.1g',
  options: { epochs: 3, batch: 4 },
  onEvent: (event) => {
    if (event.kind === 'epoch') console.log(`epoch ${event.metrics.epoch}: loss ${event.metrics.trainLoss.toFixed(2)}`);
  },
});
console.log(bestPath, bestTop1 === undefined ? '' : `top-1 ${(100 * bestTop1).toFixed(1)} % on the validation videos`);
