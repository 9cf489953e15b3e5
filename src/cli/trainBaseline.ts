/** `vmf train DATA --baseline`: a linear classifier on features of the network as it is. */

import { ConfigError } from '../errors.js';
import { type BaselineSummary, trainBaseline } from '../train/baseline.js';
import type { TrainJob } from '../train/train.js';
import type { ProgressLine } from './progressLine.js';

/** Fits and prints; options of training, which it has none of but the seed, are refused. */
export async function runBaseline(job: TrainJob, flags: { readonly json?: boolean }, line: ProgressLine): Promise<void> {
  const { options = {}, resume, ...rest } = job;
  const { seed, ...others } = options;
  const extra = [...Object.keys(others), ...(resume ? ['resume'] : [])];
  if (extra.length > 0) throw new ConfigError(`--baseline trains nothing; leave out ${extra.join(', ')}`);
  const summary = await trainBaseline({ ...rest, ...(seed !== undefined && { seed }) });
  line.clear();
  process.stdout.write(flags.json ? `${JSON.stringify(summary, null, 2)}\n` : describe(summary));
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function describe({ config, labels, trainVideos, foreseenTop1, valTop1, valVideos, seconds, bestPath }: BaselineSummary): string {
  const val = valTop1 === undefined ? '' : `, val top-1 ${percent(valTop1)} of ${valVideos} videos`;
  return [
    `${config.name} with a linear readout: ${labels.length} classes, ${trainVideos} training videos, ${seconds.toFixed(1)} s`,
    `best: ${bestPath} (cross-validated top-1 ${percent(foreseenTop1)}${val})\n`,
  ].join('\n');
}
