import type { SKRSContext2D as Context } from '@napi-rs/canvas';
import { Rng } from '../rng.js';
import { createCanvas } from '../video/canvas.js';
import { drawBackground } from './backdrop.js';
import { type Build, jointsOf } from './body.js';
import { Camera } from './camera.js';
import type { Clip, Nuisance } from './clip.js';
import { figureItems, figureParts } from './figure.js';
import type { Block } from './motion.js';
import { type Ball, block, cornersOf, drawShadows, drawSorted, type Light, lightFrom } from './paint.js';
import type { Pose } from './pose.js';
import type { Scene } from './scene.js';
import { drawContactShadows, furnitureItems, passerItem, thingItems } from './things.js';
import type { Vec3 } from './vec3.js';

/** The frames of a clip, each [height, width, 4] RGBA in one reused buffer. */
export function* renderClip(clip: Clip): Generator<Uint8Array> {
  const { options, nuisance, poses } = clip;
  const { width, height } = options;
  const camera = new Camera(nuisance.view, width, height, nuisance.build.height);
  const { azimuth, elevation, ambient, strength } = nuisance.light;
  const light = lightFrom(azimuth, elevation, ambient, strength);
  const still = stillLayers(nuisance.scene, camera, light);
  const context = createCanvas(width, height).getContext('2d', { alpha: false });
  // Bilinear: the default costs as much as the rest of the background.
  context.imageSmoothingQuality = 'low';
  const finish = grading(clip);
  for (const [index, pose] of poses.entries()) {
    const u = index / Math.max(poses.length - 1, 1);
    context.setTransform(1, 0, 0, 1, 0, 0);
    moveCamera(context, nuisance, u, width, height);
    context.drawImage(still.behind, -still.margin, -still.margin);
    drawActors(context, clip, camera, light, pose, u);
    if (still.before !== undefined) context.drawImage(still.before, -still.margin, -still.margin);
    yield finish(context.getImageData(0, 0, width, height).data, index);
  }
}

/** Static layers behind and before the figure, with a margin for camera shake. */
export function stillLayers(scene: Scene, camera: Camera, light: Light) {
  const { width, height } = camera;
  const margin = Math.ceil(height / 8);
  const layer = (alpha: boolean) => {
    const canvas = createCanvas(width + 2 * margin, height + 2 * margin);
    const context = canvas.getContext('2d', { alpha });
    context.translate(margin, margin);
    return { canvas, context };
  };
  // Opaque, or the frame before would show through.
  const behind = layer(false);
  drawBackground(behind.context, scene, camera, light, margin, new Rng([scene.seed]));
  if (scene.occluders.length === 0) return { margin, behind: behind.canvas, before: undefined };
  const before = layer(true);
  drawContactShadows(before.context, scene.occluders, camera);
  drawSorted(before.context, thingItems(scene.occluders, camera, light));
  return { margin, behind: behind.canvas, before: before.canvas };
}

/** Shake, drift, zoom. A mirrored figure mirrors the picture: all else is symmetric in distribution. */
export function moveCamera(
  context: Context,
  { shake, drift, zoom, mirrored }: Pick<Nuisance, 'shake' | 'drift' | 'zoom' | 'mirrored'>,
  u: number,
  width: number,
  height: number,
): void {
  let [x, y] = [drift[0] * (u - 0.5), drift[1] * (u - 0.5)];
  for (const [sizeX, sizeY, turns, phase] of shake) {
    x += sizeX * Math.sin(2 * Math.PI * turns * u + phase);
    y += sizeY * Math.cos(2 * Math.PI * turns * 1.3 * u + phase);
  }
  const factor = 1 + zoom * (u - 0.5);
  context.translate(width / 2 + x, height / 2 + y);
  context.scale(mirrored ? -factor : factor, factor);
  context.translate(-width / 2, -height / 2);
}

function drawActors(context: Context, clip: Clip, camera: Camera, light: Light, pose: Pose, u: number): void {
  const { build, appearance, scene, propColour, propBand } = clip.nuisance;
  const { object: size, furniture } = clip.motion.props;
  const person = { build, appearance };
  const joints = jointsOf(pose, build, (size?.[0] ?? 0) / 2);
  const object = size === undefined ? [] : [objectBlock(pose, build, size)];
  const figure = figureParts(person, joints).map((part) => part.balls);
  const blocks = [...furniture, ...object].map((piece) => cornersOf(piece).map((centre): Ball => ({ centre, radius: 0.005 })));
  drawShadows(context, camera, light, [...figure, ...blocks], 0.26);
  drawSorted(context, [
    ...figureItems(person, joints, camera, light),
    ...furnitureItems(furniture, camera, light, propBand),
    ...object.map((piece) => block(camera, light, piece, propColour, propBand)),
    ...(scene.passer === undefined ? [] : [passerItem(scene.passer, u, camera, light)]),
  ]);
}

/** Held between the hands; a tall object stands on the ground, its near side at the hands. */
export function objectBlock(pose: Pose, { hipHeight }: Build, size: Vec3): Block {
  const tall = size[1] > 0.7 * hipHeight;
  const y = tall ? size[1] / 2 : pose.objectY * hipHeight;
  const z = pose.objectZ * hipHeight + (tall ? size[2] / 2 : 0);
  return { centre: [pose.objectX * hipHeight, y, z], size, yaw: 0 };
}

/** Exposure, tint and sensor noise: one grain pattern, shifted per frame. */
export function grading({
  nuisance,
  noiseSeed,
}: Pick<Clip, 'nuisance' | 'noiseSeed'>): (rgba: Uint8ClampedArray, index: number) => Uint8Array {
  const rng = new Rng([noiseSeed]);
  const grain = Int8Array.from({ length: 8192 }, () => Math.round(rng.normal(0, nuisance.noise)));
  const [red, green, blue] = nuisance.tint.map((level) => responseCurve(nuisance, level)) as [Curve, Curve, Curve];
  return (rgba, index) => {
    let at = (index * 2711) & 8191;
    for (let i = 0; i < rgba.length; i += 4) {
      const speck = grain[at] as number;
      rgba[i] = (red[rgba[i] as number] as number) + speck;
      rgba[i + 1] = (green[rgba[i + 1] as number] as number) + speck;
      rgba[i + 2] = (blue[rgba[i + 2] as number] as number) + speck;
      at = (at + 1) & 8191;
    }
    return new Uint8Array(rgba.buffer, rgba.byteOffset, rgba.length);
  };
}

type Curve = Uint8ClampedArray;

function responseCurve({ gain, tintAlpha }: Nuisance, tint: number): Curve {
  const exposed = (level: number) => 128 + (level - 128) * gain + 40 * (gain - 1);
  return Uint8ClampedArray.from({ length: 256 }, (_, level) => exposed(level) * (1 - tintAlpha) + tint * tintAlpha);
}
