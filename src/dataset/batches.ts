/** Puts single clips together into batch tensors with time outermost. */
import type { Preprocess } from '../clip/preprocess.js';

/** One clip on its way into a batch. */
export interface ClipItem {
  /** [T, 3, S, S] */
  readonly clip: Float32Array;
  readonly label: number;
  /** Index of its video, and of the view within the video. */
  readonly video: number;
  readonly view: number;
}

export interface ClipBatch {
  /** [T*B, 3, S, S], time outermost: frame t of clip b is image t*B + b. */
  readonly clips: Float32Array;
  /** B, which is less than asked for in a last batch. */
  readonly size: number;
  /** Number of the batch in its epoch, from 0. */
  readonly number: number;
  /** [B] label of each clip. */
  readonly labels: Int32Array;
  /** [B] index of each clip's video in the videos given. */
  readonly videos: Int32Array;
  /** [B] number of the view within its video: clip * crops + crop. */
  readonly views: Int32Array;
}

export interface GatherOptions {
  readonly batch: number;
  readonly firstNumber: number;
  readonly dropLast: boolean;
  readonly frames: Preprocess['frames'];
}

export async function* gatherBatches(items: AsyncIterable<ClipItem>, options: GatherOptions): AsyncGenerator<ClipBatch> {
  let number = options.firstNumber;
  let waiting: ClipItem[] = [];
  for await (const item of items) {
    waiting.push(item);
    if (waiting.length < options.batch) continue;
    yield assemble(waiting, number++, options.frames);
    waiting = [];
  }
  if (waiting.length > 0 && !options.dropLast) yield assemble(waiting, number, options.frames);
}

/** Clips [T, 3, S, S] as one batch [T*B, 3, S, S]: frame t of clip b is image t*B + b. */
export function timeOutermost(clips: readonly Float32Array[], frames: number): Float32Array {
  const image = (clips[0]?.length ?? 0) / frames;
  const out = new Float32Array(frames * clips.length * image);
  clips.forEach((clip, b) => {
    for (let t = 0; t < frames; t++) out.set(clip.subarray(t * image, (t + 1) * image), (t * clips.length + b) * image);
  });
  return out;
}

function assemble(items: readonly ClipItem[], number: number, frames: number): ClipBatch {
  const size = items.length;
  const clips = timeOutermost(
    items.map(({ clip }) => clip),
    frames,
  );
  const column = (of: (item: ClipItem) => number) => Int32Array.from(items, of);
  return {
    ...{ clips, size, number },
    labels: column((item) => item.label),
    videos: column((item) => item.video),
    views: column((item) => item.view),
  };
}
