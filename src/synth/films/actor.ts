/** A person of a film: who they are, where they stand, and what they do in order of time. */
import type { Rng } from '../../rng.js';
import { type Appearance, drawAppearance } from '../appearance.js';
import { type Build, drawBuild } from '../body.js';
import { type Colour, drawFrom, THINGS } from '../colour.js';
import { drawStyle, type Style } from '../style.js';
import { type Episode, episodeOf, type Performer, type Spot, travelled } from './episode.js';
import type { FilmOptions } from './filmOptions.js';

export class Actor implements Performer {
  readonly build: Build;
  readonly appearance: Appearance;
  readonly style: Style;
  readonly propColour: Colour;
  readonly propBand: Colour;
  readonly episodes: Episode[] = [];
  /** Where the person is after the last episode. */
  spot: Spot;
  private freeFrame = 0;
  private readonly idle: Rng;

  /** `range` is the part of the floor that is this person's: metres from the picture's middle. */
  constructor(
    rng: Rng,
    private readonly options: FilmOptions,
    private readonly range: readonly [number, number],
  ) {
    const part = (name: string) => rng.fork(name);
    this.build = drawBuild(part('build'), options.difficulty);
    this.appearance = drawAppearance(part('appearance'));
    this.style = drawStyle(part('style'), options.difficulty);
    const colours = part('colours');
    [this.propColour, this.propBand] = [drawFrom(colours, THINGS), drawFrom(colours, THINGS)];
    this.idle = part('idle');
    const [low, high] = range;
    this.spot = { x: (low + high) / 2, z: 0.3 * this.idle.uniform(-1, 1), yaw: sideways(this.idle) };
  }

  get room(): number {
    const [low, high] = this.range;
    return Math.max(this.spot.x - low, high - this.spot.x) - 0.15;
  }

  add(episode: Episode): void {
    this.episodes.push(episode);
    const { spot, motion, steps } = episode;
    const way = steps.at(-1)?.to === 1 ? travelled(motion, this) : 0;
    this.spot = { ...spot, x: spot.x + way * Math.sin(spot.yaw), z: spot.z + way * Math.cos(spot.yaw) };
    this.freeFrame = episode.endFrame;
  }

  /** Faces a side; towards the middle of the picture for what needs room ahead. */
  facing(rng: Rng, needsRoom: boolean): Spot {
    const yaw = sideways(rng);
    const inwards = needsRoom && Math.abs(this.spot.x) > 0.3;
    return { ...this.spot, yaw: inwards ? -Math.sign(this.spot.x) * Math.abs(yaw) : yaw };
  }

  /** Heads for the farther edge of the person's part, over so many metres; what is too far goes into depth. */
  headingFor(way: number): Spot {
    const { x, z } = this.spot;
    const side = x > (this.range[0] + this.range[1]) / 2 ? -1 : 1;
    const across = Math.min(way, Math.max(this.room, 0.5 * way));
    const nearer = Math.sqrt(way * way - across * across) * (z > 0 ? -1 : 1);
    return { x, z, yaw: Math.atan2(side * across, nearer) };
  }

  /** Walks about for some of the time until a frame, where walking is no class. */
  strollUntil(frame: number): void {
    const { frameRate, classes } = this.options;
    if (classes.includes('walk')) return;
    while (frame - this.freeFrame > 4 * frameRate) {
      const rng = this.idle.fork(this.freeFrame);
      const startFrame = this.freeFrame + Math.round(frameRate * rng.uniform(0.5, 3));
      const context = { actor: this, startFrame, rng, options: this.options, pause: { after: () => 0, acted: () => {} } };
      const stroll = episodeOf('walk', context);
      if (stroll.endFrame + 0.5 * frameRate > frame) return;
      this.add(stroll);
    }
  }
}

/** A direction in which a camera sees the person from the side, or half from the front. */
function sideways(rng: Rng): number {
  return (rng.chance(0.5) ? 1 : -1) * rng.uniform(0.6, 1.35);
}
