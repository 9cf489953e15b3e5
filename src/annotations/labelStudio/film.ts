/** Which datum of a Label Studio task is the film. */
import type { JsonPlace } from '../jsonPlace.js';
import type { Task } from './tasks.js';

const mediaName = /\.(?:mp4|m4v|mov|webm|mkv|avi|mpe?g|ogv|wmv|flv|mts|m2ts|ts|3gp|mp3|wav|m4a|ogg)(?:[?#&].*)?$/i;
const mediaPlace = /^(?:https?|s3|gs|azure-blob|file):\/\/|^\/data\//i;
const usualKeys = ['video', 'video_url', '_data_video', 'url', 'audio'];

/** The film as the task names it. DatasetError where no datum, or several, may be it. */
export function filmOf({ data, config }: Task): string {
  if (config?.videoKey !== undefined) return data.key(config.videoKey).text();
  return data.key(filmKey(data)).text();
}

/** What JSON-MIN and CSV put beside a task's data and its controls. */
export const recordKeys: ReadonlySet<string> = new Set([
  ...['id', 'annotator', 'annotation_id', 'created_at', 'updated_at', 'lead_time'],
]);

/** The key of the film among a task's data: the one with a media file's name, or with an address, or the only one. */
export function filmKey(data: JsonPlace): string {
  const texts = data.entries().flatMap(([key, { value }]) => {
    return typeof value === 'string' && value !== '' && !recordKeys.has(key) ? [{ key, text: value }] : [];
  });
  const candidates = [texts.filter(({ text }) => mediaName.test(text)), texts.filter(({ text }) => mediaPlace.test(text)), texts];
  const found = candidates.find((list) => list.length > 0) ?? [];
  const usual = usualKeys.find((key) => found.some((each) => each.key === key));
  const key = found.length === 1 ? found[0]?.key : usual;
  if (key !== undefined) return key;
  return data.fail(`expected one datum that is a video, got ${found.map((each) => each.key).join(', ') || 'none'}`);
}
