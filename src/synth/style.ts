/** Movement style (tempo, amplitude, softness, posture, sway), sampled before the action is known. */
import type { Rng } from '../rng.js';
import { type Easing, type Pose, standing } from './pose.js';

export interface Style extends Easing {
  /** The part of the clip in which the action happens, 0 to 1. */
  readonly start: number;
  readonly end: number;
  /** Above 1: slow to begin with, quick at the end. */
  readonly gamma: number;
  /** Size of movement, about 1. */
  readonly amplitude: number;
  /** Seconds that one swing of a repeated action takes. */
  readonly periodSec: number;
  readonly rest: Readonly<Pose>;
  /** [lean, side, twist, headPitch, headYaw] of a slow sway: size (radians), turns in the clip, phase. */
  readonly sway: readonly (readonly [size: number, turns: number, phase: number])[];
}

/** A way of moving; `spread` 0 gives the same for everybody. */
export function drawStyle(rng: Rng, spread: number): Style {
  const about = (centre: number, range: number) => centre + range * spread * rng.uniform(-1, 1);
  return {
    start: Math.max(0, about(0.05, 0.05)),
    end: Math.min(1, about(0.95, 0.05)),
    gamma: about(1, 0.2),
    amplitude: about(1, 0.14),
    periodSec: about(0.72, 0.16),
    ease: about(0.65, 0.35),
    armLag: about(0.02, 0.03),
    headLag: about(0, 0.04),
    rest: drawRest(about),
    sway: [0.03, 0.02, 0.04, 0.05, 0.12].map((size) => [
      size * spread * rng.uniform(),
      rng.uniform(0.4, 1.4),
      rng.uniform(0, 2 * Math.PI),
    ]),
  };
}

function drawRest(about: (centre: number, range: number) => number): Pose {
  const feet = about(0.13, 0.04);
  const hang = about(0.16, 0.07);
  const stagger = about(0, 0.05);
  return {
    ...standing,
    pelvisY: about(0.996, 0.008),
    lean: about(0.04, 0.07),
    side: about(0, 0.03),
    headPitch: about(0.02, 0.12),
    headYaw: about(0, 0.2),
    leftFootX: feet,
    rightFootX: -feet,
    leftFootZ: stagger,
    rightFootZ: -stagger,
    leftHandOut: hang,
    rightHandOut: hang,
    leftHandForward: about(0.08, 0.08),
    rightHandForward: about(0.08, 0.08),
    leftElbowOut: about(0.3, 0.2),
    rightElbowOut: about(0.3, 0.2),
  };
}

/** How far the action is, 0 to 1, at share `u` of the clip. */
export function progress(u: number, style: Style): number {
  const t = Math.min(Math.max((u - style.start) / (style.end - style.start), 0), 1);
  return t ** style.gamma;
}

/** The pose with the body's slow sway at share `u` of the clip. */
export function swayed(pose: Pose, u: number, style: Style): Pose {
  const offset = (index: number) => {
    const [size, turns, phase] = style.sway[index] ?? [0, 0, 0];
    return size * Math.sin(2 * Math.PI * turns * u + phase);
  };
  return {
    ...pose,
    lean: pose.lean + offset(0),
    side: pose.side + offset(1),
    twist: pose.twist + offset(2),
    headPitch: pose.headPitch + offset(3),
    headYaw: pose.headYaw + offset(4),
  };
}
