/** Normalised clips -> the pixels that a model file takes, clip by clip. */
import { type ClipTensor, frameOf, frameValues } from './clipTensor.js';
import type { Preprocess } from './preprocess.js';

/** -> [B, T, 3, H, W], 0 to 255. */
export function pixelClips(clips: ClipTensor, { mean, std }: Preprocess): Float32Array {
  const { count, frames, height, width, data } = clips;
  const plane = height * width;
  const image = frameValues(clips);
  const out = new Float32Array(data.length);
  for (let b = 0; b < count; b++) {
    for (let t = 0; t < frames; t++) {
      const frame = frameOf(clips, t, b);
      const to = (b * frames + t) * image;
      for (let channel = 0; channel < 3; channel++) {
        const [scale, shift] = [255 * (std[channel] ?? 1), 255 * (mean[channel] ?? 0)];
        for (let i = channel * plane; i < (channel + 1) * plane; i++) out[to + i] = (frame[i] ?? 0) * scale + shift;
      }
    }
  }
  return out;
}
