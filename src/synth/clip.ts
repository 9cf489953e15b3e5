/**
 * Samples a clip's parameters from its own random stream. Person, scene and camera are drawn without the action: only motion
 * tells classes apart.
 */
import type { Rng } from '../rng.js';
import { type ActionClass, motionOf } from './actions.js';
import { type Appearance, drawAppearance } from './appearance.js';
import { type Build, drawBuild } from './body.js';
import { drawView, type View } from './camera.js';
import { type Colour, drawColour, drawFrom, THINGS } from './colour.js';
import { bow, jumpingJacks, kick, punch, walk, wave } from './gestures.js';
import { pickUp, push, sitDown } from './handling.js';
import type { Motion, MotionContext, MotionMaker } from './motion.js';
import type { Pose } from './pose.js';
import { drawScene, type Scene } from './scene.js';
import { drawStyle, type Style } from './style.js';

/** Size, rate and difficulty of clips, the same for a set. */
export interface ClipOptions {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  /** 0: one person, one view, no occlusion; 0.5: moderate; 1: most varied. */
  readonly difficulty: number;
}

/** All that is drawn for a clip before its action is known. */
export interface Nuisance {
  readonly frames: number;
  readonly build: Build;
  readonly appearance: Appearance;
  readonly style: Style;
  readonly view: View;
  readonly scene: Scene;
  readonly light: { readonly azimuth: number; readonly elevation: number; readonly ambient: number; readonly strength: number };
  readonly mirrored: boolean;
  readonly propColour: Colour;
  readonly propBand: Colour;
  readonly tint: Colour;
  readonly tintAlpha: number;
  readonly gain: number;
  readonly noise: number;
  /** Shake and drift of the camera in pixels: [size x, size y, turns, phase] of two waves, drift, zoom. */
  readonly shake: readonly (readonly [number, number, number, number])[];
  readonly drift: readonly [number, number];
  readonly zoom: number;
}

export interface Clip {
  readonly action: ActionClass;
  readonly options: ClipOptions;
  readonly nuisance: Nuisance;
  readonly motion: Motion;
  /** The pose in each frame. */
  readonly poses: readonly Pose[];
  readonly noiseSeed: number;
}

const MAKERS: Partial<Record<ActionClass, MotionMaker>> = {
  'sit-down': sitDown,
  'pick-up': pickUp,
  push,
  wave,
  punch,
  kick,
  walk,
  bow,
  'jumping-jacks': jumpingJacks,
};

/** The motion of an action that is played forwards. */
export function makeMotion(name: ActionClass, context: MotionContext): Motion {
  const make = MAKERS[name];
  if (make === undefined) throw new RangeError(`no motion is known for ${name}`);
  return make(context);
}

/** Draws a clip of `action` from a stream of its own. */
export function drawClip(action: ActionClass, rng: Rng, options: ClipOptions): Clip {
  const nuisance = drawNuisance(rng.fork('nuisance'), options);
  const { motion: name, backwards } = motionOf(action);
  const { build, style, frames } = nuisance;
  const context = { rng: rng.fork('motion'), build, style, durationSec: frames / options.frameRate, spread: options.difficulty };
  const motion = makeMotion(name, context);
  const forwards = Array.from({ length: frames }, (_, i) => motion.poseAt(i / Math.max(frames - 1, 1)));
  const poses = backwards ? forwards.reverse() : forwards;
  return { action, options, nuisance, motion, poses, noiseSeed: rng.fork('noise').uint32() };
}

/** Everything but the action. */
export function drawNuisance(rng: Rng, { frameRate, difficulty, height }: ClipOptions): Nuisance {
  const part = (name: string) => rng.fork(name);
  const some = part('some');
  const shake = height * 0.012 * difficulty;
  const drift = height * 0.05 * difficulty;
  return {
    frames: Math.round(frameRate * some.uniform(1.5, 2.5)),
    build: drawBuild(part('build'), difficulty),
    appearance: drawAppearance(part('appearance')),
    style: drawStyle(part('style'), difficulty),
    view: drawView(part('view'), difficulty),
    scene: drawScene(part('scene'), difficulty),
    light: {
      azimuth: some.uniform(-Math.PI, Math.PI),
      elevation: some.uniform(0.7, 1.3),
      ambient: 0.7 + 0.2 * difficulty * some.uniform(-1, 1),
      strength: some.uniform(0.35, 0.55),
    },
    mirrored: some.chance(0.5),
    propColour: drawFrom(some, THINGS),
    propBand: drawFrom(some, THINGS),
    tint: drawColour(some, [0.4, 0.9], [0.4, 0.6]),
    tintAlpha: 0.16 * difficulty * some.uniform(),
    gain: 1 + 0.3 * difficulty * some.uniform(-1, 1),
    noise: 5 * difficulty * some.uniform(),
    shake: [0, 1].map(() => [shake * some.uniform(), shake * some.uniform(), some.uniform(0.5, 4), some.uniform(0, 2 * Math.PI)]),
    drift: [drift * some.uniform(-1, 1), 0.4 * drift * some.uniform(-1, 1)],
    zoom: 0.06 * difficulty * some.uniform(-1, 1),
  };
}
