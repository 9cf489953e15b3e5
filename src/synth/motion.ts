/** A motion: pose and objects over a clip's time. */
import type { Rng } from '../rng.js';
import type { Build } from './body.js';
import type { Pose } from './pose.js';
import type { Style } from './style.js';
import type { Vec3 } from './vec3.js';

/** A block in the figure's world, metres: its middle, its size, its turn about the upright axis. */
export interface Block {
  readonly centre: Vec3;
  readonly size: Vec3;
  readonly yaw: number;
}

/** Props of the action. The object moves with the pose, furniture stands. */
export interface Props {
  /** Size in metres of the thing that is held or moved, if any. */
  readonly object?: Vec3;
  readonly furniture: readonly Block[];
}

export interface Motion {
  readonly props: Props;
  /** The pose at share `u` (0 to 1) of the clip. */
  readonly poseAt: (u: number) => Pose;
}

export interface MotionContext {
  readonly rng: Rng;
  readonly build: Build;
  readonly style: Style;
  readonly durationSec: number;
  /** 0: everybody the same, 0.5: the default, 1: as different as it gets. */
  readonly spread: number;
}

export type MotionMaker = (context: MotionContext) => Motion;
