import { readDataset } from '../dataset/dataset.js';
import type { LabelledVideos } from '../dataset/labelledVideos.js';
import { counted } from '../dataset/some.js';
import { VmfError } from '../errors.js';
import { filmsOf } from '../inference/evaluateFilms.js';
import { tuneBouts } from '../inference/tuneBouts.js';
import { percent } from '../metrics/percent.js';
import { type CalibrateJob, machineOf } from './calibrateBest.js';
import type { TrainJob } from './job.js';

type TuneJob = CalibrateJob & Pick<TrainJob, 'data' | 'dataset'>;

/** More film than this is left to the command: it costs a decoding of all of it. */
const mostSec = 30 * 60;

/**
 * Chooses on the validation films how windows become bouts, and stores that with the weights at `bestPath`: for networks that know
 * what nothing looks like, from a background class or from several labels at once. A choice that is not made is a note or a warning,
 * never the end of the run.
 */
export async function tuneBest(job: TuneJob, bestPath: string, data: LabelledVideos): Promise<void> {
  const { onEvent = () => {}, dataset = {}, decoder, signal } = job;
  const background = typeof dataset.background === 'string' ? dataset.background : 'background';
  const films = validationFilms(data);
  if (films.size === 0 || !(data.multiLabel || data.labels.includes(background))) return;
  const seconds = (data.films ?? []).filter(({ path }) => films.has(path)).reduce((sum, { durationSec }) => sum + durationSec, 0);
  if (seconds > mostSec) {
    const message = `bouts are not chosen on ${Math.round(seconds / 60)} minutes of validation films: vmf eval --films --tune does`;
    onEvent({ kind: 'note', message });
    return;
  }
  try {
    const rows =
      typeof job.data === 'string'
        ? await readDataset(
            job.data,
            { ...dataset, labels: 'rows', background: false },
            { ...(decoder && { decoder }), ...(signal && { signal }) },
          )
        : data;
    const labelled = filmsOf(data, rows, 'val', background);
    const { bouts } = await tuneBouts(bestPath, labelled, { background, signal, machine: machineOf(job) });
    const { fittedOn, on, off } = bouts;
    const better = `${percent(fittedOn.f1Before)} -> ${percent(fittedOn.f1)}`;
    const message = `bouts chosen on ${counted(fittedOn.films, 'validation film')}: begin at ${on}, end below ${off}; segment F1 at 50 % overlap ${better}`;
    onEvent({ kind: 'note', message });
  } catch (error) {
    if (signal?.aborted) return;
    if (!(error instanceof VmfError)) throw error;
    onEvent({ kind: 'warning', message: `bouts are not chosen: ${error.message}` });
  }
}

/** Films of validation segments; none where some of them are whole videos. */
function validationFilms({ videos }: LabelledVideos): ReadonlySet<string> {
  const val = videos.filter(({ split }) => split === 'val');
  return new Set(val.every(({ segment }) => segment) ? val.map(({ path }) => path) : []);
}
