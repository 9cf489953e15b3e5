/** Reversible motions with an object: sit down, pick up, push; backwards: stand up, put down, pull. */
import { stepped } from './gait.js';
import type { Block, MotionMaker } from './motion.js';
import { hands, type KeyPose, type Pose, poseAt, smooth } from './pose.js';
import { progress, swayed } from './style.js';

/** From standing before a seat to sitting on it. */
export const sitDown: MotionMaker = ({ rng, build, style, spread }) => {
  const seat = 0.5 + 0.05 * spread * rng.uniform(-1, 1);
  const dive = rng.uniform(0.6, 1) * style.amplitude;
  const knees = rng.chance(0.6);
  const rest = style.rest;
  const feetBack = rng.uniform(-0.03, 0.06);
  const sitting: Pose = {
    ...rest,
    ...(knees ? hands(-0.05, -0.72, 0.45, 0.5) : hands(0.16, -0.88, 0.12, 0.3)),
    pelvisY: seat + 0.13,
    pelvisZ: -0.5,
    lean: rest.lean + rng.uniform(-0.12, 0.12),
    leftFootZ: feetBack,
    rightFootZ: feetBack,
  };
  const way = (share: number, lean: number, reach: number): Pose => ({
    ...rest,
    ...hands(0.05, -0.75, reach, 0.4),
    pelvisY: rest.pelvisY + (sitting.pelvisY - rest.pelvisY) * share,
    pelvisZ: -0.5 * share ** 0.8,
    lean,
    headPitch: rest.headPitch - lean * 0.25,
    leftFootZ: rest.leftFootZ + (feetBack - rest.leftFootZ) * share,
    rightFootZ: rest.rightFootZ + (feetBack - rest.rightFootZ) * share,
  });
  const keys: KeyPose[] = [
    { at: 0, pose: rest },
    { at: 0.38, pose: way(0.4, dive * 0.85, 0.5) },
    { at: 0.7, pose: way(0.96, dive * 0.75, 0.55) },
    { at: 1, pose: sitting },
  ];
  const legs = build.hipHeight;
  return {
    props: { furniture: chair(seat * legs, -0.52 * legs, 0.3 * build.height, rng.chance(0.65)) },
    poseAt: (u) => swayed(poseAt(keys, progress(u, style), style), u, style),
  };
};

/** A seat with four legs, and mostly a back. */
export function chair(seatHeight: number, z: number, size: number, hasBack: boolean): Block[] {
  const half = size / 2 - 0.02;
  const legs: Block[] = [
    [-half, -half],
    [half, -half],
    [-half, half],
    [half, half],
  ].map(([x = 0, dz = 0]) => ({ centre: [x, seatHeight / 2, z + dz], size: [0.05, seatHeight, 0.05], yaw: 0 }));
  const seat: Block = { centre: [0, seatHeight - 0.03, z], size: [size, 0.06, size], yaw: 0 };
  const back: Block = { centre: [0, seatHeight + size * 0.5, z - half], size: [size, size * 0.85, 0.05], yaw: 0 };
  return hasBack ? [...legs, seat, back] : [...legs, seat];
}

/** From standing over a box to holding it before the chest. */
export const pickUp: MotionMaker = ({ rng, build, style, spread }) => {
  const size = rng.uniform(0.3, 0.3 + 0.24 * spread);
  const boxHeight = size * rng.uniform(0.6, 1);
  const stand = rng.chance(0.4) ? rng.uniform(0.1, 0.34) : 0;
  const squat = rng.uniform(0.15, 0.9);
  const legs = build.hipHeight;
  const rest = style.rest;
  const low = { objectX: 0, objectY: (stand + boxHeight / 2) / legs, objectZ: 0.34 + size / (2 * legs) };
  const high = { objectX: 0, objectY: 1.12 + 0.18 * style.amplitude * rng.uniform(), objectZ: 0.22 + size / (2 * legs) };
  const drop = 1 - low.objectY * 0.75;
  const stooped = (share: number): Pose => ({
    ...rest,
    ...hands(0.02, -0.6, 0.55, 0.4),
    ...low,
    pelvisY: rest.pelvisY - share * drop * (0.16 + 0.42 * squat),
    pelvisZ: -0.24 * share,
    lean: rest.lean + share * drop * (1.5 - 0.55 * squat),
    headPitch: rest.headPitch - 0.1 * share,
    grip: share === 1 ? 1 : 0.5,
  });
  const carrying: Pose = { ...rest, ...hands(0.02, -0.4, 0.5, 0.5), ...high, lean: rest.lean - 0.08, grip: 1 };
  const keys: KeyPose[] = [
    { at: 0, pose: { ...rest, ...low } },
    { at: 0.42, pose: stooped(1) },
    { at: 0.54, pose: stooped(1) },
    { at: 1, pose: carrying },
  ];
  const furniture: Block[] = stand === 0 ? [] : [standUnder(low.objectZ * legs, stand, size + 0.12)];
  return {
    props: { object: [size, boxHeight, size * rng.uniform(0.7, 1)], furniture },
    poseAt: (u) => {
      const pose = poseAt(keys, progress(u, style), style);
      return swayed({ ...pose, grip: smooth(pose.grip) }, u, style);
    },
  };
};

function standUnder(z: number, height: number, size: number): Block {
  return { centre: [0, height / 2, z], size: [size, height, size], yaw: 0 };
}

/** Walks a crate over the ground, arms and trunk giving it the last bit. */
export const push: MotionMaker = ({ rng, build, style, spread }) => {
  const legs = build.hipHeight;
  const depth = rng.uniform(0.4, 0.4 + 0.3 * spread);
  const width = rng.uniform(0.46, 0.62);
  const height = legs * rng.uniform(0.78, 1.05);
  const way = rng.uniform(0.85, 1.1) * style.amplitude;
  const lean = rng.uniform(0.12, 0.3);
  const gait = { step: way / (rng.chance(0.5) ? 3 : 4), lift: 0.07, phase: rng.pick([0, 0.5]) };
  // Centres body and crate together.
  const start = -way / 2 - 0.25;
  const holdY = (height * 0.92) / legs;
  return {
    props: { object: [width, height, depth], furniture: [] },
    poseAt: (u) => {
      const t = smooth(progress(u, style));
      const { pose } = stepped({ ...style.rest, pelvisZ: start }, way * t, gait);
      const gap = 0.36 + 0.22 * t;
      const face = pose.pelvisZ + gap;
      const posed: Pose = {
        ...pose,
        ...hands(-0.1, -0.3, 0.75, 0.6),
        leftFootZ: pose.leftFootZ + start,
        rightFootZ: pose.rightFootZ + start,
        pelvisY: pose.pelvisY - 0.05 * t,
        lean: style.rest.lean + lean * (0.35 + t),
        objectY: holdY,
        objectZ: face,
        grip: 1,
      };
      return swayed(posed, u, style);
    },
  };
};
