/** What is read as one sample: a video, or a segment of a film. */
import { secondsText } from '../annotations/time.js';
import type { TimeWindow } from '../clip/temporalSampling.js';

export interface VideoPart {
  readonly path: string;
  /** The stretch of the film, on a player's clock; undefined: all of it. */
  readonly segment?: TimeWindow | undefined;
}

/** A whole video by its path alone, or a part of one: what recognisers and readers of files take. */
export type FileSource = string | VideoPart;

export const partOf = (source: FileSource): VideoPart =>
  typeof source === 'string' ? { path: source } : { path: source.path, segment: source.segment };

/** Equal for equal parts only; of a whole video its path. */
export const partKey = ({ path, segment }: VideoPart): string =>
  segment === undefined ? path : `${path}@${segment.startSec}-${segment.endSec}`;

/** "film.mp4@12.500-20.000", for people and records. */
export const segmentName = (name: string, segment: TimeWindow | undefined): string =>
  segment === undefined ? name : `${name}@${secondsText(segment.startSec)}-${secondsText(segment.endSec)}`;
