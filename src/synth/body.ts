/** Body proportions and joints of a pose, in metres: forward kinematics for the trunk, two-bone inverse kinematics for limbs. */
import type { Rng } from '../rng.js';
import type { Pose } from './pose.js';
import { add, along, type Frame, mix, scale, turned, twoBones, unit, upright, type Vec3 } from './vec3.js';

/** Lengths and girths in metres. */
export interface Build {
  readonly height: number;
  readonly hipHeight: number;
  readonly hipHalf: number;
  readonly shoulderHalf: number;
  readonly spine: number;
  readonly neck: number;
  readonly headRadius: number;
  readonly upperArm: number;
  readonly foreArm: number;
  readonly hand: number;
  readonly thigh: number;
  readonly shin: number;
  readonly ankleHeight: number;
  readonly foot: number;
  /** About 1: how thick trunk and limbs are. */
  readonly girth: number;
}

/** A body near the mean of adults; `spread` 0 gives the mean itself. */
export function drawBuild(rng: Rng, spread: number): Build {
  const vary = (share: number) => 1 + share * spread * rng.uniform(-1, 1);
  const height = 1.72 * vary(0.12);
  const legs = vary(0.05);
  const hipHeight = 0.515 * height * legs;
  const ankleHeight = 0.045 * height;
  const leg = hipHeight - ankleHeight;
  return {
    height,
    hipHeight,
    ankleHeight,
    thigh: leg * 0.515,
    shin: leg * 0.485,
    hipHalf: 0.05 * height * vary(0.15),
    shoulderHalf: 0.107 * height * vary(0.14),
    spine: 0.295 * height * vary(0.05),
    neck: 0.052 * height * vary(0.15),
    headRadius: 0.068 * height * vary(0.1),
    upperArm: 0.175 * height * vary(0.06),
    foreArm: 0.15 * height * vary(0.06),
    hand: 0.075 * height,
    foot: 0.14 * height * vary(0.1),
    girth: vary(0.22),
  };
}

/** The length that hands' places are measured in. */
export const armLength = (build: Build): number => build.upperArm + build.foreArm;

export interface Limb {
  readonly root: Vec3;
  readonly middle: Vec3;
  readonly end: Vec3;
  /** The finger tips, or the toes. */
  readonly tip: Vec3;
  /** The wrist, or the heel. */
  readonly back: Vec3;
}

export interface Joints {
  readonly pelvis: Vec3;
  readonly waist: Vec3;
  readonly chest: Vec3;
  readonly neck: Vec3;
  readonly head: Vec3;
  readonly hipFrame: Frame;
  readonly chestFrame: Frame;
  readonly headFrame: Frame;
  readonly leftArm: Limb;
  readonly rightArm: Limb;
  readonly leftLeg: Limb;
  readonly rightLeg: Limb;
}

/** Half the width of what both hands hold, metres: they hold its sides. */
export type HeldHalfWidth = number;

/** Positions of the joints. `held` is needed where the pose has a grip. */
export function jointsOf(pose: Pose, build: Build, held: HeldHalfWidth = 0): Joints {
  const pelvis = scale([pose.pelvisX, pose.pelvisY, pose.pelvisZ], build.hipHeight);
  const hipFrame = turned(upright, pose.yaw - pose.twist * 0.3, pose.lean * 0.35, pose.side * 0.4);
  const waistFrame = turned(upright, pose.yaw + pose.twist * 0.2, pose.lean * 0.75, pose.side * 0.8);
  const chestFrame = turned(upright, pose.yaw + pose.twist, pose.lean * 1.1, pose.side);
  const waist = add(pelvis, along(waistFrame, [0, build.spine * 0.45, 0]));
  const chest = add(waist, along(chestFrame, [0, build.spine * 0.55, 0]));
  const headFrame = turned(chestFrame, pose.headYaw, pose.headPitch - pose.lean * 0.35, 0);
  const neck = add(chest, along(chestFrame, [0, build.neck, 0.004 * build.height]));
  const head = add(neck, along(headFrame, [0, build.headRadius * 0.95, build.headRadius * 0.2]));
  const trunk = { pelvis, waist, chest, neck, head, hipFrame, chestFrame, headFrame };
  return {
    ...trunk,
    leftArm: arm(pose, build, chest, chestFrame, 1, held),
    rightArm: arm(pose, build, chest, chestFrame, -1, held),
    leftLeg: leg(pose, build, pelvis, hipFrame, 1),
    rightLeg: leg(pose, build, pelvis, hipFrame, -1),
  };
}

function arm(pose: Pose, build: Build, chest: Vec3, frame: Frame, side: 1 | -1, held: number): Limb {
  const left = side === 1;
  const place: Vec3 = left
    ? [pose.leftHandOut, pose.leftHandUp, pose.leftHandForward]
    : [-pose.rightHandOut, pose.rightHandUp, pose.rightHandForward];
  const elbowOut = left ? pose.leftElbowOut : pose.rightElbowOut;
  const root = add(chest, along(frame, [side * build.shoulderHalf, -0.02 * build.height, 0]));
  const free = add(root, along(frame, scale(place, armLength(build))));
  const object = scale([pose.objectX, pose.objectY, pose.objectZ], build.hipHeight);
  const target = pose.grip > 0 ? mix(free, add(object, [side * held, 0, 0]), pose.grip) : free;
  const pole = along(frame, [side * elbowOut, -(1 - elbowOut), -0.45]);
  const { middle, end } = twoBones(root, target, build.upperArm, build.foreArm, pole);
  const direction = unit([end[0] - middle[0], end[1] - middle[1], end[2] - middle[2]]);
  return { root, middle, end, back: end, tip: add(end, scale(direction, build.hand)) };
}

function leg(pose: Pose, build: Build, pelvis: Vec3, frame: Frame, side: 1 | -1): Limb {
  const left = side === 1;
  const at: Vec3 = left ? [pose.leftFootX, pose.leftFootY, pose.leftFootZ] : [pose.rightFootX, pose.rightFootY, pose.rightFootZ];
  const pitch = left ? pose.leftFootPitch : pose.rightFootPitch;
  const root = add(pelvis, along(frame, [side * build.hipHalf, -0.01 * build.height, 0]));
  const target = add(scale(at, build.hipHeight), [0, build.ankleHeight, 0]);
  const { middle, end } = twoBones(root, target, build.thigh, build.shin, [side * 0.12 + Math.sin(pose.yaw), 0.05, 1]);
  const sole = turned(upright, pose.yaw + side * 0.15, pitch, 0);
  const tip = add(end, along(sole, [0, -build.ankleHeight * 0.6, build.foot * 0.7]));
  return { root, middle, end, tip, back: add(end, along(sole, [0, -build.ankleHeight * 0.5, -build.foot * 0.22])) };
}
