/** What a tab has of a video: a file or Blob, its bytes, or a stream of them. */

import { VideoError } from '../errors.js';

export type VideoSource = Blob | ReadableStream<Uint8Array<ArrayBuffer>> | ArrayBuffer | Uint8Array<ArrayBuffer>;

/** A file's name; `video` where there is none. */
export const nameOf = (source: VideoSource): string =>
  (source instanceof Blob && 'name' in source && typeof source.name === 'string' && source.name) || 'video';

/** A stream can be read once. */
const gathered = new WeakMap<ReadableStream, Promise<Blob>>();

/** Something of which any part can be read: a stream is gathered first, where the browser keeps large Blobs (on disk, as a rule). */
export function seekable(source: VideoSource): Blob | ArrayBuffer | Uint8Array<ArrayBuffer> | Promise<Blob> {
  const known = source instanceof Blob || source instanceof ArrayBuffer || source instanceof Uint8Array;
  if (known) return source;
  if (!(source instanceof ReadableStream))
    throw new VideoError('is no video; expected a Blob, its bytes, or a stream of them', { path: 'video' });
  const blob = gathered.get(source) ?? new Response(source).blob();
  gathered.set(source, blob);
  return blob;
}

/** The value, or the signal's reason as soon as it is aborted: a stream may never end. */
export function unlessAborted<T>(value: T | Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason as Error);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    Promise.resolve(value)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', leave));
  });
}
