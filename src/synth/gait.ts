import { type Pose, smooth } from './pose.js';

export interface Gait {
  /** One step of one foot, in hip heights: half of what a foot covers. */
  readonly step: number;
  /** Height that a swinging foot reaches. */
  readonly lift: number;
  /** Where in the cycle the walk begins, 0 to 1. */
  readonly phase: number;
}

/** Moves pelvis and feet of `pose` to `travelled` hip heights from the origin; `swing` is -1 to 1, which leg is ahead. */
export function stepped(pose: Pose, travelled: number, gait: Gait): { pose: Pose; swing: number } {
  const cycle = travelled / (2 * gait.step) + gait.phase;
  const left = foot(cycle, gait);
  const right = foot(cycle + 0.5, gait);
  const origin = -2 * gait.step * gait.phase;
  const leftZ = origin + 2 * gait.step * left.turns;
  const rightZ = origin + 2 * gait.step * (right.turns - 0.5);
  const swing = Math.min(Math.max((leftZ - rightZ) / (2 * gait.step), -1), 1);
  return {
    swing,
    pose: {
      ...pose,
      pelvisZ: pose.pelvisZ + travelled,
      pelvisY: pose.pelvisY - 0.5 * (0.5 * gait.step * swing) ** 2,
      leftFootZ: leftZ,
      rightFootZ: rightZ,
      leftFootY: left.height,
      rightFootY: right.height,
      leftFootPitch: left.pitch,
      rightFootPitch: right.pitch,
    },
  };
}

/** Half a cycle stance, the heel rising at the end; half swing, landing on the heel. */
function foot(cycle: number, { lift }: Gait): { turns: number; height: number; pitch: number } {
  const whole = Math.floor(cycle);
  const stand = Math.min(2 * (cycle - whole), 1);
  const swing = Math.max(2 * (cycle - whole) - 1, 0);
  const heel = swing > 0 ? 1 - swing : smooth((stand - 0.65) / 0.35);
  const toe = swing > 0 ? swing : 1 - smooth(stand / 0.25);
  return {
    turns: whole + smooth(swing) + 0.25,
    height: lift * Math.sin(Math.PI * swing) + 0.06 * heel * heel,
    pitch: 0.6 * heel - 0.35 * toe,
  };
}
