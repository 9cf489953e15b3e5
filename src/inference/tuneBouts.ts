/** Chooses how windows become bouts on validation films and stores the choice with the weights. */
import { ConfigError } from '../errors.js';
import { chooseBouts, type ScoredFilm } from '../metrics/chooseBouts.js';
import type { BoutSettings } from '../weights/boutSettings.js';
import { parseCheckpoint } from '../weights/checkpoint.js';
import { readSafetensors, writeSafetensors } from '../weights/files.js';
import { locateWeights } from '../weights/locateWeights.js';
import { isOnnxFile } from '../weights/onnxFile.js';
import { type EvaluateFilmsOptions, evaluateFilms, type LabelledFilm } from './evaluateFilms.js';
import { openRecogniser, type RecogniserOptions } from './fileRecogniser.js';
import { backgroundIn } from './slidingWindow.js';

export interface TuneBoutsOptions
  extends Pick<EvaluateFilmsOptions, 'windowSec' | 'strideSec' | 'background' | 'onProgress' | 'signal'> {
  /** Name of the films' split, for the record; `val` by default. */
  readonly split?: string;
  /** Where the weights go; into their own file by default. */
  readonly out?: string;
  readonly machine?: RecogniserOptions;
}

export interface TunedBouts {
  readonly path: string;
  readonly bouts: BoutSettings;
}

/**
 * Scores the windows of all films once and tries ways to make bouts of them (`chooseBouts`). ConfigError for pretrained weights and
 * models, whose files stay as they are; rejects as `evaluateFilms`. Nothing is written then.
 */
export async function tuneBouts(
  weights: string,
  films: readonly LabelledFilm[],
  options: TuneBoutsOptions = {},
): Promise<TunedBouts> {
  const path = await locateWeights(weights);
  const { split = 'val', out = path, machine, background: named, ...timeline } = options;
  if (path !== weights && options.out === undefined) {
    throw new ConfigError('pretrained weights stay as they are: name a file for the tuned ones (--tuned-out)', { path: weights });
  }
  if (await isOnnxFile(path))
    throw new ConfigError('is a model; tune the weights that `vmf train` wrote, then export them', { path });
  const file = await readSafetensors(path);
  const checkpoint = parseCheckpoint(file, path);
  const recogniser = await openRecogniser(checkpoint, { mode: 'throughput', ...machine }, path);
  try {
    const background = backgroundIn(recogniser.labels, named);
    const { films: done } = await evaluateFilms(recogniser, films, {
      ...timeline,
      ...(background && { background }),
      windows: true,
    });
    const scored = done.map(
      ({ truth, durationSec, timeline: { windows = [] } }): ScoredFilm => ({ truth, durationSec, windows }),
    );
    const { windowSec, strideSec } = done[0]?.timeline ?? { windowSec: 0, strideSec: 0 };
    const { labels, multiLabel, thresholds } = recogniser;
    const what = { labels, background, many: multiLabel, ...(multiLabel && { thresholds }) };
    const { options: chosen, f1Before, f1 } = chooseBouts(scored, what, windowSec);
    const fittedOn = { films: films.length, split, f1Before, f1 };
    const bouts: BoutSettings = { ...chosen, windowSec, strideSec, ...(background !== undefined && { background }), fittedOn };
    await writeSafetensors(out, { ...file, metadata: { ...file.metadata, bouts: JSON.stringify(bouts) } });
    return { path: out, bouts };
  } finally {
    await recogniser.close();
  }
}
