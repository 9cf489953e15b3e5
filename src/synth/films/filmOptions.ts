import { ConfigError } from '../../errors.js';
import { checkPictures, defaultSynthOptions, type SplitName, type SynthOptions } from '../options.js';

/** Bumped whenever a seed gives different films. */
export const filmsVersion = 1;

/** All that decides the bytes of a set of films; `counts` are films. */
export interface FilmOptions extends SynthOptions {
  /** Length of each film. */
  readonly minutes: number;
  readonly people: number;
  /** Share of a person's time without an action; of the film's time where people take turns. */
  readonly background: number;
  /** Whether people act at the same time; otherwise they take turns. */
  readonly overlap: boolean;
}

export const defaultFilmOptions: FilmOptions = {
  ...defaultSynthOptions,
  counts: { train: 8, val: 2, test: 2 },
  minutes: 2,
  people: 2,
  background: 0.4,
  overlap: false,
};

/** Throws ConfigError for anything that cannot be generated. */
export function checkFilmOptions(options: FilmOptions): void {
  checkPictures(options, 'films');
  const { minutes, people, background } = options;
  if (!(minutes >= 0.1 && minutes <= 1440)) throw new ConfigError(`synth: minutes must be from 0.1 to 1440, got ${minutes}`);
  if (!Number.isInteger(people) || people < 1 || people > 4) {
    throw new ConfigError(`synth: people must be a whole number from 1 to 4, got ${people}`);
  }
  if (!(background >= 0.15 && background <= 0.95)) {
    throw new ConfigError(`synth: the share of background must be from 0.15 to 0.95, got ${background}`);
  }
}

/** One film of a set; `index` is from 1, over all splits. */
export interface FilmName {
  readonly split: SplitName;
  readonly index: number;
}

/** Training films first; film k is the same whatever the counts. */
export function filmNames({ counts: { train, val, test } }: FilmOptions): FilmName[] {
  return Array.from({ length: train + val + test }, (_, i) => ({
    split: i < train ? 'train' : i < train + val ? 'val' : 'test',
    index: i + 1,
  }));
}

/** Path of a film in the set's folder. */
export function filmPath({ index }: FilmName, codec: FilmOptions['codec']): string {
  return `films/film-${String(index).padStart(3, '0')}${codec === 'h264' ? '.mp4' : '.webm'}`;
}
