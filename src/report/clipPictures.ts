import { type FileSource, partOf } from '../dataset/videoPart.js';
import { createCanvas } from '../video/canvas.js';
import type { VideoPool } from '../video/pool.js';
import type { FrameStrip } from '../video/types.js';

const shortSide = 112;

/** `count` evenly spaced frames as data URIs of JPEG pictures. Rejects as decoding does. */
export async function clipPictures(pool: VideoPool, source: FileSource, signal?: AbortSignal, count = 6): Promise<string[]> {
  const request = { times: { evenly: count }, size: { shortSide } };
  const { path, segment: part } = partOf(source);
  const { strip } = await pool.decode(path, request, { signal, part });
  return Array.from({ length: count }, (_, i) => picture(strip, i));
}

function picture({ width, height, rgb }: FrameStrip, index: number): string {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  const image = context.createImageData(width, height);
  for (let i = 0, from = index * width * height * 3; i < image.data.length; i += 4, from += 3) {
    image.data[i] = rgb[from] ?? 0;
    image.data[i + 1] = rgb[from + 1] ?? 0;
    image.data[i + 2] = rgb[from + 2] ?? 0;
    image.data[i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas.toDataURL('image/jpeg', 80);
}
