import { type ClipAt, type ClipTensor, collateClips } from '../clip/clipTensor.js';

/** One clip on its way into a batch. */
export interface ClipItem extends ClipAt {
  readonly label: number;
  /** Index of its video, and of the view within the video. */
  readonly video: number;
  readonly view: number;
}

export interface ClipBatch {
  /** B of them, fewer in the last batch. */
  readonly clips: ClipTensor;
  /** Number of the batch in its epoch, from 0. */
  readonly number: number;
  /** [B] label of each clip. */
  readonly labels: Int32Array;
  /** [B] index of each clip's video in the videos given. */
  readonly videos: Int32Array;
  /** [B] number of the view within its video: clip * crops + crop. */
  readonly views: Int32Array;
}

export interface CollateOptions {
  readonly batch: number;
  readonly firstNumber: number;
  readonly dropLast: boolean;
}

export async function* collate(items: AsyncIterable<ClipItem>, options: CollateOptions): AsyncGenerator<ClipBatch> {
  let number = options.firstNumber;
  let waiting: ClipItem[] = [];
  for await (const item of items) {
    waiting.push(item);
    if (waiting.length < options.batch) continue;
    yield assemble(waiting, number++);
    waiting = [];
  }
  if (waiting.length > 0 && !options.dropLast) yield assemble(waiting, number);
}

function assemble(items: readonly ClipItem[], number: number): ClipBatch {
  const column = (of: (item: ClipItem) => number) => Int32Array.from(items, of);
  return {
    clips: collateClips(items),
    number,
    labels: column((item) => item.label),
    videos: column((item) => item.video),
    views: column((item) => item.view),
  };
}
