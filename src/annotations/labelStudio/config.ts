/** What a labelling configuration of Label Studio says of the video: its key in the data and its grid of frames. */
import type { JsonPlace } from '../jsonPlace.js';
import { parseXml } from '../xml.js';

/** Label Studio's own, whatever the film's rate. */
export const defaultFrameRate = 24;

export interface LabelConfig {
  /** Key of the task's data that holds the video; undefined where the configuration has no video. */
  readonly videoKey?: string;
  /** Number, or "$key" of the task's data. */
  readonly frameRate?: string;
}

/** DatasetError for a configuration that is not XML. */
export function configOf(text: string, where: string): LabelConfig {
  const root = parseXml(text, where);
  const [video] = root.name === 'Video' ? [root] : root.deep('Video');
  const videoKey = video?.attribute('value')?.replace(/^\$/, '');
  const frameRate = video?.attribute('frameRate') ?? video?.attribute('framerate');
  return { ...(videoKey !== undefined && { videoKey }), ...(frameRate !== undefined && { frameRate }) };
}

/** Frames a second of the grid; a value below 1 is seconds a frame. DatasetError for anything but a number above 0. */
export function frameRateOf({ frameRate }: LabelConfig, data: JsonPlace): number {
  if (frameRate === undefined) return defaultFrameRate;
  const value = frameRate.startsWith('$') ? data.key(frameRate.slice(1)).number() : Number(frameRate);
  if (!(value > 0 && Number.isFinite(value))) data.fail(`frameRate="${frameRate}" of the configuration is no number above 0`);
  return value < 1 ? 1 / value : value;
}
