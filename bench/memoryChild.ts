/** Child of memory.ts: `training DATA OUT`, `step NAME CLIPS THREADS`, `predictions DATA` or `bulk DATA`. */

import { readDataset } from '../src/dataset/dataset.js';
import { openRecogniser } from '../src/inference/fileRecogniser.js';
import { networkConfig } from '../src/models/registry.js';
import { train } from '../src/train/train.js';
import { freshCheckpoint } from './actions.js';
import { ourTraining, untrainedTask } from './backends.js';
import type { PredictionsReport, StepReport, TrainingReport } from './memory.js';
import { forget, statusMb } from './processMemory.js';

async function training(data: string, out: string): Promise<TrainingReport> {
  const start = performance.now();
  let steps = 0;
  await train({
    recipe: false,
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

async function step(name: string, clips: number, threads: number): Promise<StepReport> {
  const task = untrainedTask(networkConfig(name), clips, threads);
  forget(); // what making the batch took is not the step's
  const backend = await ourTraining(task);
  for (let i = 0; i < 7; i++) await backend.run();
  const peakMb = statusMb('VmHWM');
  await backend.close();
  return { peakMb };
}

async function predictions(data: string): Promise<PredictionsReport> {
  const recogniser = await openRecogniser(freshCheckpoint('vmf-0.1g', 12));
  const { videos } = await readDataset(data);
  const rssMb: { after: number; mb: number }[] = [];
  for (let done = 1; done <= 1000; done++) {
    const video = videos[done % videos.length];
    if (video) await recogniser.recognise(video.path);
    if (done % 100 === 0) rssMb.push({ after: done, mb: statusMb('VmRSS') });
  }
  await recogniser.close();
  return { rssMb };
}

async function bulk(data: string): Promise<PredictionsReport> {
  const recogniser = await openRecogniser(freshCheckpoint('vmf-0.1g', 12), { mode: 'throughput' });
  const { videos } = await readDataset(data);
  const paths = function* () {
    for (let i = 0; i < 3000; i++) yield videos[i % videos.length]?.path ?? '';
  };
  const rssMb: { after: number; mb: number }[] = [];
  let done = 0;
  for await (const answer of recogniser.results(paths())) {
    if ('error' in answer) throw answer.error;
    if (++done % 200 === 0) rssMb.push({ after: done, mb: statusMb('VmRSS') });
  }
  await recogniser.close();
  return { rssMb };
}

const [what, data = '', out = '', threads = '1'] = process.argv.slice(2);
const measurements: Readonly<Record<string, () => Promise<unknown>>> = {
  training: () => training(data, out),
  step: () => step(data, Number(out), Number(threads)),
  predictions: () => predictions(data),
  bulk: () => bulk(data),
};
console.log(JSON.stringify(await measurements[what ?? '']?.()));
