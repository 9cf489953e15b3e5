/** Attention upsampled to the picture: a heatmap plane per frame. */
import type { FrameShape } from '../clip/clipShape.js';
import { type Attention, attentionAt } from './attentionMaps.js';

/** Heatmap of one token over the frames of a clip. */
export interface HeatmapPlanes {
  /** [T][height * width], 0 to 1 and above where the scale ends. */
  readonly planes: readonly Float32Array[];
  /** Attention at heat 1, as a multiple of uniform attention. */
  readonly top: number;
}

/** Lower bound of the scale's top, so that uniform attention looks uniform. */
const leastTop = 4;
/** Share of positions above the scale; else a few peaks leave the rest dark. */
const aboveTop = 0.005;

/** For pictures of this size that show the network's whole view, `seen` pixels of it. */
export function heatmapPlanes(map: Attention, seen: FrameShape, width: number, height: number): HeatmapPlanes {
  const even = 1 / map.values.length;
  const sorted = Float32Array.from(map.values).sort();
  const end = sorted[sorted.length - 1 - Math.floor(aboveTop * sorted.length)] ?? even;
  const top = Math.max(end / even, leastTop);
  const planes = Array.from({ length: map.frames }, (_, t) => plane(map, t, seen, width, height, 1 / (top * even)));
  return { planes, top };
}

function plane(map: Attention, frame: number, seen: FrameShape, width: number, height: number, factor: number): Float32Array {
  const out = new Float32Array(width * height);
  const pixel = (at: number, length: number, of: number) => ((at + 0.5) / length) * of - 0.5;
  for (let i = 0, y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      out[i++] = attentionAt(map, frame, pixel(x, width, seen.width), pixel(y, height, seen.height)) * factor;
  }
  return out;
}

/** Between two sampled moments the heat changes evenly from one to the other; before the first and after the last it stays. */
export function heatBetween({ planes }: HeatmapPlanes, timesSec: readonly number[], atSec: number): (i: number) => number {
  const after = timesSec.findIndex((timeSec) => timeSec >= atSec);
  const to = after < 0 ? timesSec.length - 1 : after;
  const from = Math.max(after < 0 ? to : to - 1, 0);
  const span = (timesSec[to] ?? 0) - (timesSec[from] ?? 0);
  const share = span > 0 ? (atSec - (timesSec[from] ?? 0)) / span : 0;
  const [a, b] = [planes[from], planes[to]];
  return (i) => (1 - share) * (a?.[i] ?? 0) + share * (b?.[i] ?? 0);
}
