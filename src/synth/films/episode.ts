/** Actions that belong together, such as sitting down, resting and standing up, at a place in the film. */
import type { Rng } from '../../rng.js';
import { type ActionClass, reversedPairs } from '../actions.js';
import type { Build } from '../body.js';
import { makeMotion } from '../clip.js';
import type { Motion } from '../motion.js';
import type { Pose } from '../pose.js';
import type { Style } from '../style.js';
import type { FilmOptions } from './filmOptions.js';
import type { Pauses } from './pauses.js';

/** A place on the floor (metres to the right of the picture's middle, and towards the camera), and where one faces, radians to the left. */
export interface Spot {
  readonly x: number;
  readonly z: number;
  readonly yaw: number;
}

/** What an episode takes from who does it. */
export interface Performer {
  readonly build: Build;
  readonly style: Style;
  /** Metres to the farther edge of the person's part of the picture. */
  readonly room: number;
  facing(rng: Rng, needsRoom: boolean): Spot;
  headingFor(way: number): Spot;
}

/** A stretch of the motion: from one share of it to another, or backwards, or held still. */
export interface Step {
  readonly startFrame: number;
  readonly endFrame: number;
  readonly from: number;
  readonly to: number;
  readonly label?: ActionClass;
}

export interface Episode {
  readonly motion: Motion;
  /** Where the person stands, and faces, when it begins. */
  readonly spot: Spot;
  /** Added to places along the way that the person faces, hip heights: the motion begins where the person stands. */
  readonly shift: number;
  readonly mirrored: boolean;
  readonly steps: readonly Step[];
  readonly startFrame: number;
  readonly endFrame: number;
}

export interface EpisodeContext {
  readonly actor: Performer;
  readonly startFrame: number;
  readonly rng: Rng;
  readonly options: FilmOptions;
  readonly pause: Pauses;
}

/** Motions behind the classes: one for both actions of a reversed pair. */
export function unitsOf(classes: readonly ActionClass[]): ActionClass[] {
  const first = (name: ActionClass) => reversedPairs.find((pair) => pair.includes(name))?.[0] ?? name;
  return [...new Set(classes.map(first))];
}

/** Seconds that an action lasts: those that are done once are short, those that are repeated go on. */
function lengthSec(unit: ActionClass, rng: Rng): number {
  const once = reversedPairs.some((pair) => pair.includes(unit));
  return once ? rng.uniform(1.5, 2.5) : rng.uniform(1.6, 4.5);
}

export function episodeOf(unit: ActionClass, context: EpisodeContext): Episode {
  const backwards = reversedPairs.find(([first]) => first === unit)?.[1];
  const { actor, startFrame, rng } = context;
  const { motion, durationSec } = motionInRoom(unit, context);
  const shift = -motion.poseAt(0).pelvisZ || 0;
  const needsRoom = unit === 'push' || unit === 'pick-up';
  const spot = unit === 'walk' ? actor.headingFor(travelled(motion, actor)) : actor.facing(rng, needsRoom);
  const steps = stepsOf(unit, backwards, context, durationSec);
  const endFrame = steps.at(-1)?.endFrame ?? startFrame;
  return { motion, spot, shift, mirrored: rng.chance(0.5), steps, startFrame, endFrame };
}

/** A walk that would leave the person's part of the picture is cut short. */
function motionInRoom(unit: ActionClass, { actor, rng, options }: EpisodeContext): { motion: Motion; durationSec: number } {
  const { build, style } = actor;
  const make = (durationSec: number) => {
    const timed = { ...style, start: 0, end: 1, sway: [] };
    return makeMotion(unit, { rng: rng.fork('motion'), build, style: timed, durationSec, spread: options.difficulty });
  };
  const durationSec = lengthSec(unit, rng);
  const motion = make(durationSec);
  const share = unit === 'walk' ? actor.room / travelled(motion, actor) : 1;
  if (share >= 1) return { motion, durationSec };
  const shorter = Math.max(durationSec * share, 1.2);
  return { motion: make(shorter), durationSec: shorter };
}

/** Metres from the motion's beginning to its end. */
export function travelled(motion: Motion, { build }: Pick<Performer, 'build'>): number {
  return (motion.poseAt(1).pelvisZ - motion.poseAt(0).pelvisZ) * build.hipHeight;
}

function stepsOf(
  unit: ActionClass,
  backwards: ActionClass | undefined,
  { startFrame, rng, options, pause }: EpisodeContext,
  durationSec: number,
): Step[] {
  const labelled = (name: ActionClass) => (options.classes.includes(name) ? { label: name } : {});
  const frames = (sec: number) => Math.max(Math.round(sec * options.frameRate), 2);
  const there = startFrame + frames(durationSec);
  const steps: Step[] = [{ startFrame, endFrame: there, from: 0, to: 1, ...labelled(unit) }];
  pause.acted(there - startFrame);
  if (backwards === undefined) return steps;
  const back = there + Math.max(pause.after(0), frames(0.5));
  const end = back + frames(lengthSec(unit, rng));
  pause.acted(end - back);
  return [
    ...steps,
    { startFrame: there, endFrame: back, from: 1, to: 1 },
    { startFrame: back, endFrame: end, from: 1, to: 0, ...labelled(backwards) },
  ];
}

/** The pose of an episode at a frame inside it, where the person began it. */
export function episodePose({ steps, motion, shift }: Episode, frame: number): Pose {
  const step = steps.find(({ endFrame }) => frame < endFrame) ?? (steps.at(-1) as Step);
  const share = Math.min(Math.max((frame - step.startFrame) / Math.max(step.endFrame - step.startFrame - 1, 1), 0), 1);
  return alongWay(motion.poseAt(step.from + (step.to - step.from) * share), shift);
}

/** A pose `by` hip heights further along the way that it faces. */
export function alongWay(pose: Pose, by: number): Pose {
  const { pelvisZ, leftFootZ, rightFootZ, objectZ } = pose;
  return { ...pose, pelvisZ: pelvisZ + by, leftFootZ: leftFootZ + by, rightFootZ: rightFootZ + by, objectZ: objectZ + by };
}
