/** Times of a BORIS observation to times of its films: offsets off, films that play one after another, several cameras. */
import { DatasetError } from '../errors.js';
import type { Moment } from './annotations.js';
import { type FilmCollector, isPoint } from './films.js';
import type { Tally } from './reduce.js';

export interface ObservationMedia {
  readonly where: string;
  /** The films of each player in the order in which they play; players beyond the first are further cameras. */
  readonly players: readonly { readonly number: number; readonly films: readonly string[] }[];
  /** Seconds by film. */
  readonly lengths: ReadonlyMap<string, number>;
  readonly fps: ReadonlyMap<string, number>;
  /** Seconds by player: positive where it starts later. */
  readonly offsets: ReadonlyMap<number, number>;
  /** Was added to the stored times. */
  readonly timeOffsetSec: number;
  /** Epoch seconds by film, where they too were added to the stored times. */
  readonly created?: ReadonlyMap<string, number>;
}

interface PlacedFilm {
  readonly film: string;
  readonly player: number;
  /** Of the observation, without the player's offset. The last film has no end. */
  readonly startSec: number;
  readonly endSec: number;
}

/** To whole microseconds: sums of decimal fractions show no binary dust. */
const round = (sec: number): number => Math.round(sec * 1e6) / 1e6;
const cutToMs = (sec: number): number => Math.floor(sec * 1000 + 1e-6) / 1000;

export class ObservationPlacer {
  readonly #placed: readonly PlacedFilm[];

  constructor(
    readonly media: ObservationMedia,
    readonly films: FilmCollector,
    readonly left: Tally,
  ) {
    this.#placed = media.players.flatMap(({ number, films: queue }) => this.#queue(number, queue));
    for (const { film } of this.#placed) {
      const [durationSec, fps] = [media.lengths.get(film), media.fps.get(film)];
      films.film(film, {
        ...(durationSec !== undefined && { durationSec }),
        ...(fps !== undefined && { fps }),
        where: media.where,
      });
    }
  }

  #queue(player: number, queue: readonly string[]): PlacedFilm[] {
    let sum = 0;
    return queue.map((film, i) => {
      const length = this.media.lengths.get(film);
      const last = i === queue.length - 1;
      if (length === undefined && !last) {
        throw new DatasetError(
          `the length of ${film} is not stated, so that what follows it (${queue[i + 1]}) cannot be placed`,
          {
            path: this.media.where,
          },
        );
      }
      const startSec = cutToMs(sum);
      sum += length ?? 0;
      return { film, player, startSec, endSec: last ? Infinity : cutToMs(sum) };
    });
  }

  /** Puts a moment with stored times on its films, cut in two where it crosses a joint. */
  place(moment: Moment): void {
    const startSec = moment.startSec === undefined ? undefined : this.#observationTime(moment.startSec, moment.where);
    const endSec = moment.endSec === undefined ? undefined : this.#observationTime(moment.endSec, moment.where);
    for (const placed of this.#placed) {
      const offset = placed.startSec + (this.media.offsets.get(placed.player) ?? 0);
      const shift = (sec: number | undefined) => (sec === undefined ? undefined : round(sec - offset));
      this.#placeOn(placed, { ...moment, startSec: shift(startSec), endSec: shift(endSec) } as Moment);
    }
  }

  /** `moment` has times of the film, which may lie outside of it. */
  #placeOn({ film, startSec: from, endSec: to }: PlacedFilm, moment: Moment): void {
    const length = round(to - from);
    const { startSec, endSec, ...rest } = moment;
    if (startSec !== undefined && startSec >= length) return;
    if (endSec !== undefined && (endSec < 0 || (endSec === 0 && !isPoint(moment)))) {
      if (from === 0) this.left.add(`moments before the beginning of ${film} left out`);
      return;
    }
    if (startSec !== undefined && startSec < 0 && from === 0) this.left.add(`moments cut at the beginning of ${film}`);
    const end = endSec === undefined ? length : Math.min(endSec, length);
    this.films.moment(film, {
      ...(startSec !== undefined && { startSec: Math.max(startSec, 0) }),
      ...(end !== Infinity && { endSec: end }),
      ...rest,
    });
  }

  #observationTime(stored: number, where: string): number {
    const sec = stored - this.media.timeOffsetSec;
    const { created } = this.media;
    if (created === undefined) return sec;
    const [player] = this.media.players;
    const fitting = this.#placed.flatMap(({ film, player: of, startSec, endSec }) => {
      const time = sec - (created.get(film) ?? Number.NaN);
      return of === player?.number && time >= startSec && time < endSec ? [time] : [];
    });
    const [first] = fitting;
    if (first !== undefined) return first;
    throw new DatasetError(`the time ${stored} s lies in no film of the observation, counted from when each was filmed`, {
      path: where,
    });
  }
}
