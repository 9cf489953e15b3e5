import type { CheckedVideo } from './checkedVideo.js';
import { byText, type LabelledVideos, labelsOf, type Split } from './labelledVideos.js';

/** Videos of one class, also those that cannot be read. */
export interface ClassCounts extends Readonly<Record<Split, number>> {
  readonly label: string;
}

/** Least, middle and largest of a number over the readable videos; NaN when there are none. */
export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

export interface Count {
  readonly value: string;
  readonly videos: number;
}

export interface Summary {
  readonly videos: number;
  readonly readable: number;
  readonly totalSec: number;
  readonly lengthSec: Spread;
  readonly frames: Spread;
  /** Most frequent first: "320x180", "30", "h264 in mov". */
  readonly sizes: readonly Count[];
  readonly frameRates: readonly Count[];
  readonly codecs: readonly Count[];
}

export function countClasses(data: LabelledVideos): ClassCounts[] {
  return data.labels.map((label) => {
    const of = (split: Split) => data.videos.filter((video) => labelsOf(video).includes(label) && video.split === split).length;
    return { label, train: of('train'), val: of('val'), test: of('test') };
  });
}

export function summarise(data: LabelledVideos, readable: readonly CheckedVideo[]): Summary {
  const infos = readable.map(({ info }) => info);
  const lengths = infos.map((info) => info.durationSec);
  return {
    videos: data.videos.length,
    readable: readable.length,
    totalSec: lengths.reduce((sum, value) => sum + value, 0),
    lengthSec: spreadOf(lengths),
    frames: spreadOf(infos.map((info) => info.frameCount)),
    sizes: countsOf(infos.map((info) => `${info.width}x${info.height}`)),
    frameRates: countsOf(readable.map((checked) => String(Number(rateOf(checked, data).toPrecision(4))))),
    codecs: countsOf(infos.map((info) => `${info.codec} in ${info.container.split(',')[0]}`)),
  };
}

/** Few frames of a film measure its rate badly. */
function rateOf({ video, info }: CheckedVideo, { films = [] }: LabelledVideos): number {
  const film = video.segment && films.find(({ path }) => path === video.path);
  return film?.frameRate ?? info.frameRate;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  return { least: at(0), median: at(0.5), most: at(1) };
}

function countsOf(values: readonly string[]): Count[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .map(([value, videos]) => ({ value, videos }))
    .sort((a, b) => b.videos - a.videos || byText(a.value, b.value));
}
