/**
 * The world has the figure at the origin facing +z. Lengths of trunk and feet are in hip heights, hands in arm lengths from their own
 * shoulder (out to their side, up, forward, in the chest's frame), angles in radians.
 */
export interface Pose {
  pelvisX: number;
  pelvisY: number;
  pelvisZ: number;
  /** Turn of the whole trunk to the left. */
  yaw: number;
  /** Trunk forwards, sideways to the left, and shoulders against hips. */
  lean: number;
  side: number;
  twist: number;
  headPitch: number;
  headYaw: number;
  leftHandOut: number;
  leftHandUp: number;
  leftHandForward: number;
  rightHandOut: number;
  rightHandUp: number;
  rightHandForward: number;
  /** 0: elbows point down and back, 1: out to the side. */
  leftElbowOut: number;
  rightElbowOut: number;
  leftFootX: number;
  leftFootY: number;
  leftFootZ: number;
  rightFootX: number;
  rightFootY: number;
  rightFootZ: number;
  /** Toes down is positive. */
  leftFootPitch: number;
  rightFootPitch: number;
  /** Middle of the object that the action is about, in hip heights, and how firmly both hands hold it (0 to 1). */
  objectX: number;
  objectY: number;
  objectZ: number;
  grip: number;
}

export type PoseField = keyof Pose;

/** Standing at ease, arms hanging. */
export const standing: Readonly<Pose> = {
  pelvisX: 0,
  pelvisY: 0.996,
  pelvisZ: 0,
  yaw: 0,
  lean: 0.03,
  side: 0,
  twist: 0,
  headPitch: 0,
  headYaw: 0,
  leftHandOut: 0.14,
  leftHandUp: -0.95,
  leftHandForward: 0.06,
  rightHandOut: 0.14,
  rightHandUp: -0.95,
  rightHandForward: 0.06,
  leftElbowOut: 0.3,
  rightElbowOut: 0.3,
  leftFootX: 0.12,
  leftFootY: 0,
  leftFootZ: 0,
  rightFootX: -0.12,
  rightFootY: 0,
  rightFootZ: 0,
  leftFootPitch: 0,
  rightFootPitch: 0,
  objectX: 0,
  objectY: 0,
  objectZ: 0,
  grip: 0,
};

export const poseFields = Object.keys(standing) as PoseField[];

/** Both hands at one place, mirrored. */
export function hands(out: number, up: number, forward: number, elbowOut = 0.3): Partial<Pose> {
  return { ...leftHand(out, up, forward, elbowOut), ...rightHand(out, up, forward, elbowOut) };
}

export function leftHand(out: number, up: number, forward: number, elbowOut = 0.3): Partial<Pose> {
  return { leftHandOut: out, leftHandUp: up, leftHandForward: forward, leftElbowOut: elbowOut };
}

export function rightHand(out: number, up: number, forward: number, elbowOut = 0.3): Partial<Pose> {
  return { rightHandOut: out, rightHandUp: up, rightHandForward: forward, rightElbowOut: elbowOut };
}

/** A pose that is reached at a moment of the action, 0 to 1. */
export interface KeyPose {
  readonly at: number;
  readonly pose: Readonly<Pose>;
}

/** How a body moves from key to key: the share of slowing down at keys, and how late the arms and the head follow the trunk. */
export interface Easing {
  readonly ease: number;
  readonly armLag: number;
  readonly headLag: number;
}

/** The pose at moment `u` of a track of key poses in order of time; before the first and after the last it holds still. */
export function poseAt(keys: readonly KeyPose[], u: number, easing: Easing): Pose {
  const out = { ...standing };
  const trunk = segment(keys, u, easing.ease);
  const arms = segment(keys, u - easing.armLag, easing.ease);
  const head = segment(keys, u - easing.headLag, easing.ease);
  for (const field of poseFields) {
    const { from, to, share } = /Hand|Elbow/.test(field) ? arms : field.startsWith('head') ? head : trunk;
    out[field] = from[field] + (to[field] - from[field]) * share;
  }
  return out;
}

function segment(keys: readonly KeyPose[], u: number, ease: number): { from: Readonly<Pose>; to: Readonly<Pose>; share: number } {
  const next = keys.findIndex((key) => key.at > u);
  const from = keys[next === -1 ? keys.length - 1 : Math.max(next - 1, 0)];
  const to = keys[next === -1 ? keys.length - 1 : next];
  if (from === undefined || to === undefined) throw new RangeError('poseAt: a track needs at least one key pose');
  const share = to.at > from.at ? Math.min(Math.max((u - from.at) / (to.at - from.at), 0), 1) : 0;
  return { from: from.pose, to: to.pose, share: share + (smooth(share) - share) * ease };
}

/** 0 to 1 with a soft start and a soft end. */
export function smooth(t: number): number {
  const x = Math.min(Math.max(t, 0), 1);
  return x * x * (3 - 2 * x);
}
