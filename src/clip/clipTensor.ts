/** A batch of clips; the only place that knows the memory order. A plain record, so that it can be transferred. */
import type { ClipShape } from './clipShape.js';

export interface ClipTensor {
  /** [T*B, 3, H, W], frame t of clip b at image t*B + b. */
  readonly data: Float32Array;
  /** B. */
  readonly count: number;
  /** T. */
  readonly frames: number;
  readonly height: number;
  readonly width: number;
}

/** One clip of several. */
export interface ClipAt {
  readonly clips: ClipTensor;
  /** b. */
  readonly index: number;
}

/** Values of one frame, [3, H, W]. */
export const frameValues = ({ height, width }: Pick<ClipShape, 'height' | 'width'>): number => 3 * height * width;

/** `count` clips of zeros. */
export function emptyClips(count: number, { frames, height, width }: ClipShape): ClipTensor {
  return { data: new Float32Array(frames * count * frameValues({ height, width })), count, frames, height, width };
}

/** Values as clips, not copied. RangeError when they are not `count` clips of this size. */
export function clipsFrom(data: Float32Array, count: number, { frames, height, width }: ClipShape): ClipTensor {
  const wanted = frames * count * frameValues({ height, width });
  if (data.length !== wanted)
    throw new RangeError(`[${frames}*${count}, 3, ${height}, ${width}]: expected ${wanted} values, got ${data.length}`);
  return { data, count, frames, height, width };
}

/** As an engine takes them. */
export function asTensor({ data, count, frames, height, width }: ClipTensor): { shape: number[]; data: Float32Array } {
  return { shape: [frames * count, 3, height, width], data };
}

/** Frame t of clip b, [3, H, W]: a view, not a copy. */
export function frameOf(clips: ClipTensor, t: number, b: number): Float32Array {
  const values = frameValues(clips);
  const from = (t * clips.count + b) * values;
  return clips.data.subarray(from, from + values);
}

/** Frame t of all clips, [B, 3, H, W]: a view. */
export function framesAt({ data, count, height, width }: ClipTensor, t: number): Float32Array {
  const row = count * frameValues({ height, width });
  return data.subarray(t * row, (t + 1) * row);
}

/** Clips [first, first + count), copied; the tensor itself when they are all of it. */
export function takeClips(clips: ClipTensor, first: number, count: number): ClipTensor {
  if (first === 0 && count === clips.count) return clips;
  const out = emptyClips(count, clips);
  const values = frameValues(clips);
  for (let t = 0; t < clips.frames; t++) {
    framesAt(out, t).set(framesAt(clips, t).subarray(first * values, (first + count) * values));
  }
  return out;
}

/** Padded to `count` clips with zeros; the same tensor when it has as many. */
export function padClips(clips: ClipTensor, count: number): ClipTensor {
  return count === clips.count ? clips : joinClips([clips, emptyClips(count - clips.count, clips)]);
}

/** All clips of some tensors, in order; a single tensor itself. RangeError when their sizes differ. */
export function joinClips(parts: readonly ClipTensor[]): ClipTensor {
  const [first] = parts;
  if (first === undefined) throw new RangeError('no clips to join');
  if (parts.length === 1) return first;
  const out = emptyClips(
    parts.reduce((sum, { count }) => sum + count, 0),
    first,
  );
  let at = 0;
  for (const part of parts) {
    checkSize(part, first);
    for (let t = 0; t < out.frames; t++) framesAt(out, t).set(framesAt(part, t), at * frameValues(out));
    at += part.count;
  }
  return out;
}

/** Single clips of tensors as one batch, copied. RangeError when their sizes differ. */
export function collateClips(items: readonly ClipAt[]): ClipTensor {
  const [first] = items;
  if (first === undefined) throw new RangeError('no clips to collate');
  const out = emptyClips(items.length, first.clips);
  items.forEach(({ clips, index }, b) => {
    checkSize(clips, first.clips);
    for (let t = 0; t < out.frames; t++) frameOf(out, t, b).set(frameOf(clips, t, index));
  });
  return out;
}

/** So many copies of a single clip. */
export const repeatClip = (clips: ClipTensor, copies: number): ClipTensor =>
  collateClips(Array.from({ length: copies }, () => ({ clips, index: 0 })));

/** [T*B, 3, H, W] -> [B, T, 3, H, W], clip by clip; a single clip's data is given back as it is. */
export function toClipMajor(clips: ClipTensor): Float32Array {
  const { count, frames, data } = clips;
  if (count === 1) return data;
  const values = frameValues(clips);
  const out = new Float32Array(data.length);
  for (let b = 0; b < count; b++) {
    for (let t = 0; t < frames; t++) out.set(frameOf(clips, t, b), (b * frames + t) * values);
  }
  return out;
}

/** [T*B, 3, H, W] -> [B, 3, T, H, W], as other libraries take clips. */
export function toChannelMajor(clips: ClipTensor): Float32Array {
  const { count, frames, height, width } = clips;
  const plane = height * width;
  const out = new Float32Array(clips.data.length);
  for (let b = 0; b < count; b++) {
    for (let t = 0; t < frames; t++) {
      const frame = frameOf(clips, t, b);
      for (let c = 0; c < 3; c++) out.set(frame.subarray(c * plane, (c + 1) * plane), ((b * 3 + c) * frames + t) * plane);
    }
  }
  return out;
}

function checkSize(clips: ClipShape, wanted: ClipShape): void {
  const text = ({ frames, height, width }: ClipShape) => `${frames} frames of ${height} x ${width}`;
  if (text(clips) !== text(wanted)) throw new RangeError(`clips of one batch: expected ${text(wanted)}, got ${text(clips)}`);
}
