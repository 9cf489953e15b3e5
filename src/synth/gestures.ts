/** Motions without object or reversed partner: waving, punching, kicking, walking, bowing, jumping jacks. */
import { stepped } from './gait.js';
import type { MotionContext, MotionMaker } from './motion.js';
import { hands, type KeyPose, leftHand, type Pose, poseAt, rightHand, smooth } from './pose.js';
import { progress, type Style, swayed } from './style.js';

/** Whole repetitions that fit into the clip, at least `least`. */
function repeats({ style, durationSec }: MotionContext, swingsPerPeriod: number, least: number): number {
  const seconds = durationSec * (style.end - style.start);
  return Math.max(least, Math.round((seconds / style.periodSec) * swingsPerPeriod));
}

/** 0 outside the action, 1 in its middle, smooth between. */
function fade(t: number, share: number): number {
  return Math.min(smooth(t / share), smooth((1 - t) / share));
}

/** One raised hand that swings from side to side. */
export const wave: MotionMaker = (context) => {
  const { rng, style } = context;
  const swings = repeats(context, 1.1, 2);
  const height = rng.uniform(0.62, 0.8);
  const size = 0.36 * style.amplitude;
  const phase = rng.uniform(0, 2 * Math.PI);
  const rest = style.rest;
  return {
    props: { furniture: [] },
    poseAt: (u) => {
      const t = progress(u, style);
      const up = fade(t, 0.16);
      const swing = Math.sin(2 * Math.PI * swings * t + phase);
      const raised = leftHand(0.4 + size * swing, height - 0.1 * Math.abs(swing), 0.16, 0.8);
      return swayed({ ...blend(rest, { ...rest, ...raised, side: rest.side - 0.05 }, up) }, u, style);
    },
  };
};

/** From a guard, one fist after the other shoots forward. */
export const punch: MotionMaker = (context) => {
  const { rng, style } = context;
  const count = repeats(context, 1.6, 2);
  const rest = style.rest;
  const guard: Pose = {
    ...rest,
    ...hands(-0.18, -0.08, 0.36, 0.1),
    pelvisY: rest.pelvisY - 0.05,
    lean: rest.lean + 0.08,
    leftFootZ: 0.18,
    rightFootZ: -0.2,
  };
  const strike = (left: boolean): Pose => ({
    ...guard,
    ...(left ? leftHand(-0.3, 0.02, 1.02, 0.6) : rightHand(-0.3, 0.02, 1.02, 0.6)),
    pelvisZ: 0.05,
    twist: (left ? -0.5 : 0.5) * style.amplitude,
    lean: guard.lean + 0.1,
  });
  const leftFirst = rng.chance(0.5);
  return {
    props: { furniture: [] },
    poseAt: (u) => {
      const t = progress(u, style) * count;
      const out = Math.sin(Math.PI * (t - Math.floor(t))) ** 1.5;
      const left = (Math.floor(t) % 2 === 0) === leftFirst;
      return swayed(blend(guard, strike(left), out), u, style);
    },
  };
};

/** Knee up, foot out, and back again. */
export const kick: MotionMaker = (context) => {
  const { rng, style } = context;
  const count = repeats(context, 0.8, 1);
  const height = 0.75 * style.amplitude * rng.uniform(0.85, 1.15);
  const rest: Pose = { ...style.rest, ...hands(-0.05, -0.3, 0.42, 0.2), lean: style.rest.lean - 0.02 };
  const chambered: Pose = {
    ...rest,
    leftFootY: 0.42,
    leftFootZ: 0.12,
    leftFootX: 0.06,
    pelvisX: -0.06,
    leftFootPitch: 0.4,
    lean: rest.lean - 0.12,
  };
  const out: Pose = {
    ...chambered,
    ...leftHand(0.35, -0.5, -0.2, 0.5),
    leftFootY: height,
    leftFootZ: 0.92,
    pelvisZ: 0.06,
    leftFootPitch: -0.5,
    lean: rest.lean - 0.36 * style.amplitude,
  };
  const keys: KeyPose[] = [
    { at: 0, pose: rest },
    { at: 0.28, pose: chambered },
    { at: 0.5, pose: out },
    { at: 0.72, pose: chambered },
    { at: 1, pose: rest },
  ];
  return repeated(keys, count, style);
};

/** Across the picture, arms swinging against the legs. */
export const walk: MotionMaker = ({ rng, style, durationSec }) => {
  const speed = rng.uniform(0.85, 1.15);
  const steps = Math.max(2, (durationSec / style.periodSec) * 1.05) * speed;
  const gait = { step: 0.44 * style.amplitude, lift: 0.12, phase: rng.uniform() };
  const way = steps * gait.step;
  return {
    props: { furniture: [] },
    poseAt: (u) => {
      const { pose, swing } = stepped({ ...style.rest, pelvisZ: 0 }, way * u, gait);
      const arms = 0.55 * swing * style.amplitude;
      const posed: Pose = {
        ...shifted(pose, -way / 2),
        ...leftHand(0.12, -0.86 + 0.1 * Math.abs(arms), 0.12 - arms, 0.2),
        ...rightHand(0.12, -0.86 + 0.1 * Math.abs(arms), 0.12 + arms, 0.2),
        lean: style.rest.lean + 0.06,
        twist: -0.2 * swing,
      };
      return swayed(posed, u, style);
    },
  };
};

function shifted(pose: Pose, by: number): Pose {
  return { ...pose, pelvisZ: pose.pelvisZ + by, leftFootZ: pose.leftFootZ + by, rightFootZ: pose.rightFootZ + by };
}

/** Down from the hips and up again. */
export const bow: MotionMaker = (context) => {
  const { rng, style } = context;
  const count = repeats(context, 0.42, 1);
  const depth = rng.uniform(0.85, 1.15) * style.amplitude;
  const folded = rng.chance(0.5);
  const rest: Pose = { ...style.rest, ...(folded ? hands(-0.2, -0.72, 0.32, 0.5) : {}) };
  const down: Pose = {
    ...rest,
    ...(folded ? hands(-0.2, -0.72, 0.3, 0.5) : hands(0.1, -0.94, -0.06, 0.2)),
    lean: depth,
    headPitch: rest.headPitch + 0.35,
    pelvisZ: -0.14,
    pelvisY: rest.pelvisY - 0.02,
  };
  const keys: KeyPose[] = [
    { at: 0, pose: rest },
    { at: 0.42, pose: down },
    { at: 0.58, pose: down },
    { at: 1, pose: rest },
  ];
  return repeated(keys, count, style);
};

/** Arms over the head and legs apart, together again, in little jumps. */
export const jumpingJacks: MotionMaker = (context) => {
  const { style } = context;
  const count = repeats(context, 0.95, 2);
  const rest = style.rest;
  const spread = 0.36 * style.amplitude;
  return {
    props: { furniture: [] },
    poseAt: (u) => {
      const t = progress(u, style) * count;
      const open = (1 - Math.cos(2 * Math.PI * t)) / 2;
      const angle = -1.42 + 2.75 * open;
      const jump = 0.09 * Math.sin(2 * Math.PI * t) ** 2;
      const apart = smooth(open) * spread;
      const posed: Pose = {
        ...rest,
        ...hands(0.97 * Math.cos(angle), 0.97 * Math.sin(angle), 0.08, 0.9),
        pelvisY: rest.pelvisY - 0.07 * open + jump,
        leftFootX: rest.leftFootX + apart,
        rightFootX: rest.rightFootX - apart,
        leftFootY: jump,
        rightFootY: jump,
        leftFootPitch: 3 * jump,
        rightFootPitch: 3 * jump,
      };
      return swayed(posed, u, style);
    },
  };
};

function blend(from: Pose, to: Pose, share: number): Pose {
  return poseAt(
    [
      { at: 0, pose: from },
      { at: 1, pose: to },
    ],
    share,
    still,
  );
}

const still: Pick<Style, 'ease' | 'armLag' | 'headLag'> = { ease: 0, armLag: 0, headLag: 0 };

function repeated(keys: readonly KeyPose[], count: number, style: Style): ReturnType<MotionMaker> {
  return {
    props: { furniture: [] },
    poseAt: (u) => {
      const t = Math.min(progress(u, style), 0.9999) * count;
      return swayed(poseAt(keys, t - Math.floor(t), style), u, style);
    },
  };
}
