import type { LabelledVideos } from '../dataset/labelledVideos.js';
import { VmfError } from '../errors.js';
import { calibrateCheckpoint } from '../inference/calibrateTemperature.js';
import type { RecogniserOptions } from '../inference/fileRecogniser.js';
import { leastCalibrationClips } from '../metrics/calibration.js';
import type { Calibration } from '../weights/calibration.js';

export interface CalibrateJob extends Pick<RecogniserOptions, 'threads' | 'workers' | 'decoder' | 'platform'> {
  readonly onEvent?: (event: { readonly kind: 'note' | 'warning'; readonly message: string }) => void;
  readonly signal?: AbortSignal;
}

/**
 * Stores a temperature with the weights at `bestPath`, and reports it as a note. Too few videos are a note, any failure is a
 * warning, and neither ends the run.
 */
export async function calibrateBest(job: CalibrateJob, bestPath: string, data: LabelledVideos): Promise<void> {
  const { onEvent = () => {}, signal } = job;
  const videos = data.videos.filter(({ split }) => split === 'val');
  if (videos.length === 0) return;
  if (videos.length < leastCalibrationClips) {
    const message = `not calibrated: ${videos.length} validation videos, ${leastCalibrationClips} are needed`;
    onEvent({ kind: 'note', message });
    return;
  }
  try {
    const { calibration } = await calibrateCheckpoint(bestPath, videos, { machine: machineOf(job), signal });
    onEvent({ kind: 'note', message: describeCalibration(calibration) });
  } catch (error) {
    if (signal?.aborted) return;
    if (!(error instanceof VmfError)) throw error;
    onEvent({ kind: 'warning', message: `not calibrated: ${error.message}` });
  }
}

/** What of a job its recognisers take. */
export const machineOf = ({ threads, workers, decoder, platform }: CalibrateJob): RecogniserOptions => ({
  ...(threads !== undefined && { threads }),
  ...(workers !== undefined && { workers }),
  ...(decoder !== undefined && { decoder }),
  ...(platform !== undefined && { platform }),
});

function describeCalibration({ temperature, fittedOn }: Calibration): string {
  const { videos, eceBefore, eceAfter } = fittedOn;
  const [before, after] = [eceBefore, eceAfter].map((share) => `${(100 * share).toFixed(1)} %`);
  return `calibrated on ${videos} validation videos: temperature ${temperature.toFixed(2)}, calibration error ${before} -> ${after}`;
}
