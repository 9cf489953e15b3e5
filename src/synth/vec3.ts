/**
 * Vectors and turns in space, in metres: x to the figure's left, y up, z where it faces. Right-handed. No matrices library is
 * needed for three axes.
 */

export type Vec3 = readonly [number, number, number];
/** Three unit vectors: where left, up and forward point. */
export type Frame = readonly [left: Vec3, up: Vec3, forward: Vec3];

export const add = (a: Vec3, b: Vec3): Vec3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const sub = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a: Vec3, s: number): Vec3 => [a[0] * s, a[1] * s, a[2] * s];
export const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
export const length = (a: Vec3): number => Math.sqrt(dot(a, a));
export const mix = (a: Vec3, b: Vec3, t: number): Vec3 => add(scale(a, 1 - t), scale(b, t));

/** The same direction with length one; up for the null vector. */
export function unit(a: Vec3): Vec3 {
  const size = length(a);
  return size < 1e-9 ? [0, 1, 0] : scale(a, 1 / size);
}

/** A point given in a frame's own coordinates, as an offset in the world. */
export function along(frame: Frame, [left, up, forward]: Vec3): Vec3 {
  return add(add(scale(frame[0], left), scale(frame[1], up)), scale(frame[2], forward));
}

export const upright: Frame = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

/** Turns vectors about the upright axis, to the left. */
export function turnedBy(yaw: number): (vector: Vec3) => Vec3 {
  const [c, s] = [Math.cos(yaw), Math.sin(yaw)];
  return ([x, y, z]) => [x * c + z * s, y, z * c - x * s];
}

/** Turns a frame about its own axes, one after the other: yaw to the left, pitch forwards, roll to the left; radians. */
export function turned(frame: Frame, yaw: number, pitch: number, roll: number): Frame {
  const [cy, sy] = [Math.cos(yaw), Math.sin(yaw)];
  const [cp, sp] = [Math.cos(pitch), Math.sin(pitch)];
  const [cr, sr] = [Math.cos(roll), Math.sin(roll)];
  const yawed: Frame = [along(frame, [cy, 0, -sy]), frame[1], along(frame, [sy, 0, cy])];
  const pitched: Frame = [yawed[0], along(yawed, [0, cp, sp]), along(yawed, [0, -sp, cp])];
  return [along(pitched, [cr, -sr, 0]), along(pitched, [sr, cr, 0]), pitched[2]];
}

/**
 * The joint and the end of a limb of two bones that reaches from `root` for `target` (as far as it can), bent towards `pole`.
 */
export function twoBones(root: Vec3, target: Vec3, upper: number, lower: number, pole: Vec3): { middle: Vec3; end: Vec3 } {
  const wanted = sub(target, root);
  const reach = Math.min(Math.max(length(wanted), Math.abs(upper - lower) + 1e-4), (upper + lower) * 0.9995);
  const axis = unit(wanted);
  const bend = unit(sub(pole, scale(axis, dot(pole, axis))));
  const onAxis = (upper * upper - lower * lower + reach * reach) / (2 * reach);
  const offAxis = Math.sqrt(Math.max(upper * upper - onAxis * onAxis, 0));
  return { middle: add(root, add(scale(axis, onAxis), scale(bend, offAxis))), end: add(root, scale(axis, reach)) };
}
