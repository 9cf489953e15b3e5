/** When a tracked box of Label Studio is visible, and what its keyframes say of the grid of frames. */
import type { JsonPlace } from '../jsonPlace.js';
import { type Span, spanOf, spanOfFrames } from '../span.js';
import type { Item } from './tasks.js';

interface Keyframe {
  readonly frame: number;
  readonly enabled: boolean;
  readonly where: string;
}

/** From a keyframe that is enabled to the next that is not, that frame included; the last one reaches the end. */
export function visibleSpans(value: JsonPlace, fps: number): Span[] {
  const keyframes = value
    .key('sequence')
    .items()
    .map(keyframeOf)
    .sort((a, b) => a.frame - b.frame);
  const starts = keyframes.filter(({ enabled }, i) => enabled && !keyframes[i - 1]?.enabled);
  return starts.map((start) => {
    const end = keyframes.find(({ enabled, frame }) => !enabled && frame >= start.frame);
    if (end !== undefined) return spanOfFrames(start.frame, end.frame, fps, start.where);
    const { startSec } = spanOfFrames(start.frame, undefined, fps, start.where);
    return spanOf(startSec, endOf(value, fps), start.where);
  });
}

const keyframeOf = (place: JsonPlace): Keyframe => ({
  frame: place.key('frame').number(),
  enabled: place.key('enabled').value !== false,
  where: place.where,
});

function endOf(value: JsonPlace, fps: number): number | undefined {
  const frames = value.key('framesCount').someNumber();
  return value.key('duration').someNumber() ?? (frames === undefined ? undefined : frames / fps);
}

/** Frames a second of the grid, from a keyframe's frame and time: the latest is the most exact. Undefined without boxes. */
export function rateOfBoxes(items: readonly Item[]): number | undefined {
  const keyframes = items
    .filter(({ type }) => type === 'videorectangle')
    .flatMap(({ value }) => value.key('sequence').someItems());
  const rated = keyframes.flatMap((place) => {
    const [frame, time] = [place.key('frame').value, place.key('time').value];
    return typeof frame === 'number' && typeof time === 'number' && time > 0 && frame > 1 ? [{ frame, time }] : [];
  });
  const latest = rated.reduce<(typeof rated)[number] | undefined>(
    (best, each) => (best && best.frame > each.frame ? best : each),
    undefined,
  );
  return latest && Math.round((latest.frame / latest.time) * 1e6) / 1e6;
}
