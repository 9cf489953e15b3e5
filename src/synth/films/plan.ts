/** Who does what when in a film: people who take turns or act at once, each in a part of the picture of their own. */
import { Rng } from '../../rng.js';
import type { ActionClass } from '../actions.js';
import { Actor } from './actor.js';
import { episodeOf, unitsOf } from './episode.js';
import type { FilmName, FilmOptions } from './filmOptions.js';
import { pauses } from './pauses.js';

/** Frames are counted from 0, `endFrame` is the first one after the action. */
export interface FilmLabel {
  readonly action: ActionClass;
  readonly startFrame: number;
  readonly endFrame: number;
  /** From 1. */
  readonly person: number;
}

export interface FilmPlan {
  readonly frames: number;
  readonly actors: readonly Actor[];
  /** In order of time. */
  readonly labels: readonly FilmLabel[];
}

/** Share of the picture's height that a standing person fills, so that all have room. */
export const fillOf = (people: number): number => 0.72 - 0.09 * (people - 1);

/** Height of a person of middling build, metres. */
export const middlingHeight = 1.72;

/** The plan of a film of a set. */
export const planOf = ({ index }: FilmName, options: FilmOptions): FilmPlan =>
  planFilm(new Rng([options.seed, 'films', index]), options);

/** Plans a film from a stream of its own. */
export function planFilm(rng: Rng, options: FilmOptions): FilmPlan {
  const frames = Math.max(Math.round(options.minutes * 60 * options.frameRate), 1);
  const reach = (0.92 * middlingHeight) / fillOf(options.people);
  const actors = Array.from({ length: options.people }, (_, i) => {
    const left = -reach / 2 + (reach * i) / options.people;
    return new Actor(rng.fork('person', i), options, [left, left + reach / options.people]);
  });
  const groups = options.overlap ? actors.map((actor) => [actor]) : [actors];
  for (const [i, group] of groups.entries()) takeTurns(rng.fork('turns', i), options, group, frames);
  for (const actor of actors) actor.strollUntil(frames);
  const labels = actors.flatMap((actor, i) => labelsOf(actor, i + 1));
  return { frames, actors, labels: labels.sort((a, b) => a.startFrame - b.startFrame || a.person - b.person) };
}

function labelsOf({ episodes }: Actor, person: number): FilmLabel[] {
  return episodes.flatMap(({ steps }) =>
    steps.flatMap(({ label, startFrame, endFrame }) =>
      label === undefined ? [] : [{ action: label, startFrame, endFrame, person }],
    ),
  );
}

/** Fills the film with actions of the group, one at a time. Actions come in shuffled rounds, so that all are equally frequent. */
function takeTurns(rng: Rng, options: FilmOptions, group: readonly Actor[], frames: number): void {
  const pause = pauses(rng.fork('pauses'), options);
  const units = unitsOf(options.classes);
  let frame = pause.after(options.frameRate * rng.uniform(0.5, 2));
  for (let round: readonly ActionClass[] = []; ; round = round.slice(1)) {
    if (round.length === 0) round = rng.shuffle(units);
    const unit = round[0] as ActionClass;
    const actor = rng.pick(group);
    actor.strollUntil(frame);
    const episode = episodeOf(unit, { actor, startFrame: frame, rng: rng.fork(frame), options, pause });
    if (episode.endFrame > frames) return;
    actor.add(episode);
    frame = episode.endFrame + pause.after(0);
  }
}
