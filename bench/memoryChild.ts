/** A process that does one thing and tells how much memory it took: `training DATA OUT` or `predictions DATA`. See memory.ts. */

import { readFileSync } from 'node:fs';
import { readDataset } from '../src/dataset/list.js';
import { openRecogniser } from '../src/recognise/recogniser.js';
import { train } from '../src/train/train.js';
import { freshCheckpoint } from './actions.js';
import type { PredictionsReport, TrainingReport } from './memory.js';

/** A line of /proc/self/status in megabytes: VmRSS is resident now, VmHWM the most that ever was. */
function statusMb(key: 'VmRSS' | 'VmHWM'): number {
  const line = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line?.[1]) / 1e3;
}

async function training(data: string, out: string): Promise<TrainingReport> {
  const start = performance.now();
  let steps = 0;
  await train({
    data,
    out,
    model: 'vmf-0.1g',
    cacheFolder: false,
    options: { epochs: 2, batch: 16, warmupEpochs: 1 },
    onEvent: ({ kind }) => {
      if (kind === 'step') steps++;
    },
  });
  return { peakMb: statusMb('VmHWM'), steps, seconds: Math.round((performance.now() - start) / 1000) };
}

async function predictions(data: string): Promise<PredictionsReport> {
  const recogniser = await openRecogniser(freshCheckpoint('vmf-0.1g', 12));
  const { videos } = readDataset(data);
  const rssMb: { after: number; mb: number }[] = [];
  for (let done = 1; done <= 1000; done++) {
    const video = videos[done % videos.length];
    if (video) await recogniser.recognise(video.path);
    if (done % 100 === 0) rssMb.push({ after: done, mb: statusMb('VmRSS') });
  }
  await recogniser.close();
  return { rssMb };
}

const [what, data = '', out = ''] = process.argv.slice(2);
console.log(JSON.stringify(what === 'training' ? await training(data, out) : await predictions(data)));
