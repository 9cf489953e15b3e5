/** Normalised clips, time outermost, as a model file takes them: clip by clip, in the pixels they were made of. */

import type { Preprocess } from './preprocess.js';

/** [T*B, 3, H, W], normalised, frame t of clip b at t * B + b -> [B, T, 3, H, W], 0 to 255. */
export function pixelClips(clips: Float32Array, count: number, { frames, height, width, mean, std }: Preprocess): Float32Array {
  const plane = height * width;
  const out = new Float32Array(clips.length);
  for (let b = 0; b < count; b++) {
    for (let t = 0; t < frames; t++) {
      for (let channel = 0; channel < 3; channel++) {
        const from = ((t * count + b) * 3 + channel) * plane;
        const to = ((b * frames + t) * 3 + channel) * plane;
        const [scale, shift] = [255 * (std[channel] ?? 1), 255 * (mean[channel] ?? 0)];
        for (let i = 0; i < plane; i++) out[to + i] = (clips[from + i] ?? 0) * scale + shift;
      }
    }
  }
  return out;
}
