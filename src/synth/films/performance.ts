/** The pose and place of a person at each frame of a film: what they do, and how they go over from one thing to the next. */
import { type Pose, poseFields, smooth } from '../pose.js';
import { swayed } from '../style.js';
import type { Actor } from './actor.js';
import { alongWay, type Episode, episodePose, type Spot, travelled } from './episode.js';

/** Things of an episode that are in the picture, `alpha` from 0 (gone) to 1. */
export interface Shown {
  readonly episode: Episode;
  /** The pose that holds or leaves the object. */
  readonly pose: Pose;
  readonly alpha: number;
}

export interface Moment {
  readonly spot: Spot;
  readonly pose: Pose;
  readonly shown: readonly Shown[];
  /** Half the width of what both hands hold, metres. */
  readonly held: number;
}

/** A turn of a sway lasts so many seconds. */
const SWAY_SEC = 3.5;
/** Going over from one pose to another, and things coming and going. */
const BLEND_SEC = 0.25;
const FADE_SEC = 0.5;

/** Frames are to be asked for in their order. */
export function performance(actor: Actor, frameRate: number): (frame: number) => Moment {
  let next = 0;
  return (frame) => {
    while ((actor.episodes[next]?.endFrame ?? Infinity) <= frame) next++;
    const [before, now] = [actor.episodes[next - 1], actor.episodes[next]];
    const moment =
      now !== undefined && now.startFrame <= frame
        ? during(actor, now, frame, frameRate)
        : between(actor, before, now, frame, frameRate);
    return { ...moment, pose: swayed(moment.pose, frame / frameRate / SWAY_SEC, actor.style) };
  };
}

function during(actor: Actor, episode: Episode, frame: number, frameRate: number): Moment {
  const pose = episodePose(episode, frame);
  const share = (frame - episode.startFrame + 1) / (BLEND_SEC * frameRate);
  const shown = [{ episode, pose, alpha: 1 }];
  const whole = blended(actor.style.rest, pose, share);
  return { spot: episode.spot, pose: episode.mirrored ? mirrored(whole) : whole, shown, held: heldBy(episode) };
}

const heldBy = ({ motion }: Episode): number => (motion.props.object?.[0] ?? 0) / 2;

/** Standing, after what was and before what will be: turns where the next thing faces. */
function between(actor: Actor, before: Episode | undefined, next: Episode | undefined, frame: number, frameRate: number): Moment {
  const startFrame = before?.endFrame ?? 0;
  const sinceSec = (frame - startFrame) / frameRate;
  const untilSec = ((next?.startFrame ?? Infinity) - frame) / frameRate;
  const gapSec = sinceSec + untilSec;
  const rest = actor.style.rest;
  const pose = before ? blended(lastPose(actor, before), rest, (sinceSec + 1 / frameRate) / BLEND_SEC) : rest;
  return {
    spot: turning(actor, before, next, untilSec, gapSec),
    pose,
    shown: leftOver(before, next, sinceSec, untilSec),
    held: 0,
  };
}

/** How an episode leaves the person, where they then stand. */
function lastPose(actor: Actor, episode: Episode): Pose {
  const pose = episodePose(episode, episode.endFrame - 1);
  const there = alongWay(pose, -wayOf(actor, episode) / actor.build.hipHeight);
  return { ...(episode.mirrored ? mirrored(there) : there), grip: 0 };
}

const wayOf = (actor: Actor, { motion, steps }: Episode): number => (steps.at(-1)?.to === 1 ? travelled(motion, actor) : 0);

function turning(actor: Actor, before: Episode | undefined, next: Episode | undefined, untilSec: number, gapSec: number): Spot {
  const place = next?.spot ?? actor.spot;
  const from = before?.spot.yaw ?? place.yaw;
  const lastSec = Math.min(0.7, gapSec);
  return { ...place, yaw: from + (place.yaw - from) * smooth(1 - untilSec / lastSec) };
}

/** Things fade where the pause is long enough, and change at its middle. */
function leftOver(before: Episode | undefined, next: Episode | undefined, sinceSec: number, untilSec: number): Shown[] {
  const fade = Math.min(FADE_SEC, (sinceSec + untilSec) / 2);
  const shown = (episode: Episode | undefined, frame: number, sec: number): Shown[] => {
    const alpha = 1 - sec / fade;
    return episode === undefined || alpha <= 0 ? [] : [{ episode, pose: episodePose(episode, frame), alpha }];
  };
  return [...shown(before, (before?.endFrame ?? 1) - 1, sinceSec), ...shown(next, next?.startFrame ?? 0, untilSec - 0.5 * fade)];
}

/** Objects are where they are now: only bodies go over. */
function blended(from: Readonly<Pose>, to: Readonly<Pose>, share: number): Pose {
  if (share >= 1) return to;
  const out = { ...to };
  for (const field of poseFields) {
    if (!field.startsWith('object')) out[field] = from[field] + (to[field] - from[field]) * smooth(share);
  }
  return out;
}

/** Left for right. */
function mirrored(pose: Pose): Pose {
  const out = { ...pose };
  for (const field of poseFields) {
    if (field.startsWith('left')) {
      const other = field.replace('left', 'right') as keyof Pose;
      [out[field], out[other]] = [pose[other], pose[field]];
    }
  }
  const { yaw, side, twist, headYaw, pelvisX, objectX, leftFootX, rightFootX } = pose;
  const turned = { yaw: -yaw, side: -side, twist: -twist, headYaw: -headYaw, pelvisX: -pelvisX, objectX: -objectX };
  return { ...out, ...turned, leftFootX: -rightFootX, rightFootX: -leftFootX };
}
