/**
 * Few training clips of each class, drawn at random. A draw's clips of a class stand in one order, of which a count takes the first: its 4
 * hold its 2. Where recordings are known (footage.ts), the order takes one clip of each recording before a second of any, since two clips
 * of one recording tell less than two of different ones.
 */

import { footageOf } from '../../src/dataset/footage.js';
import { byText, type LabelledVideo, type LabelledVideos, videosOf } from '../../src/dataset/labelledVideos.js';
import { carveValidation, defaultValShare } from '../../src/dataset/split.js';
import { Rng } from '../../src/rng.js';

/** Clips a class; classes that have fewer give all. */
export type Count = number | 'all';

export class Draws {
  private readonly pool: readonly LabelledVideo[];
  private readonly recordings: Int32Array | undefined;
  /** What tells recordings apart; undefined where nothing does, and clips are drawn one by one. */
  readonly by: string | undefined;

  /** DatasetError for data without training videos. */
  constructor(private readonly data: LabelledVideos) {
    this.pool = videosOf(data, 'train').sort((a, b) => byText(a.name, b.name));
    const footage = footageOf(this.pool);
    this.recordings = footage?.groups;
    this.by = footage?.by;
  }

  /** Training clips of the largest class: from here on a count means all. */
  get largest(): number {
    return Math.max(...this.data.labels.map((label) => this.pool.filter((video) => video.label === label).length));
  }

  /** By name. */
  drawn(count: Count, draw: number): LabelledVideo[] {
    if (count === 'all') return [...this.pool];
    const chosen = new Set(this.data.labels.flatMap((label) => this.ordered(label, draw).slice(0, count)));
    return this.pool.filter((video) => chosen.has(video));
  }

  /** The drawn clips as a data set, all for training, or with the part of them for validation that `vmf train` takes. */
  dataset(count: Count, draw: number, validation: 'carved' | 'none'): LabelledVideos {
    const drawn = this.drawn(count, draw);
    const splits = validation === 'carved' ? carveValidation(drawn, defaultValShare, draw) : [];
    const videos = drawn.map((video, i) => ({ ...video, split: splits[i] ?? ('train' as const) }));
    return { ...this.data, videos, splitBy: `${count} of each class, draw ${draw}`, notes: [] };
  }

  private ordered(label: string, draw: number): LabelledVideo[] {
    const rng = new Rng([draw, 'clips per class', label]);
    const takes = new Map<number, LabelledVideo[]>();
    this.pool.forEach((video, i) => {
      if (video.label !== label) return;
      const recording = this.recordings?.[i] ?? i;
      takes.set(recording, [...(takes.get(recording) ?? []), video]);
    });
    const recordings = rng.shuffle([...takes.values()]).map((clips) => rng.shuffle(clips));
    const most = Math.max(0, ...recordings.map((clips) => clips.length));
    return Array.from({ length: most }, (_, turn) => recordings.flatMap((clips) => clips[turn] ?? [])).flat();
  }
}
