/** Painter's algorithm for soft bodies (hulls of spheres) and blocks, with one light. */
import type { SKRSContext2D } from '@napi-rs/canvas';
import type { Camera } from './camera.js';
import { type Colour, css, lit } from './colour.js';
import type { Block } from './motion.js';
import { add, dot, scale, sub, unit, type Vec3 } from './vec3.js';

export interface Ball {
  readonly centre: Vec3;
  readonly radius: number;
}

/** Something to be drawn once everything behind it is. */
export interface Item {
  readonly depth: number;
  readonly draw: (canvas: SKRSContext2D) => void;
}

/** Where the light comes from (unit vector towards it), how much is everywhere and how much it adds. */
export interface Light {
  readonly direction: Vec3;
  readonly ambient: number;
  readonly strength: number;
}

type Point = readonly [x: number, y: number];

const circle = (corners: number): readonly Point[] =>
  Array.from({ length: corners }, (_, i) => [Math.cos((2 * i * Math.PI) / corners), Math.sin((2 * i * Math.PI) / corners)]);
const [COARSE, MIDDLING, FINE, FINEST] = [circle(6), circle(8), circle(12), circle(24)];

/** Corners by pixel radius: each costs a canvas call. */
function circleOf(radius: number): readonly Point[] {
  if (radius < 1.5) return COARSE;
  if (radius < 3.5) return MIDDLING;
  return radius < 16 ? FINE : FINEST;
}

/** The outline of the balls as seen, and its middle and mean depth. `nearer` brings it forward in the order of drawing, metres. */
export function softBody(camera: Camera, light: Light, balls: readonly Ball[], colour: Colour, nearer = 0): Item {
  const points: Point[] = [];
  let depth = 0;
  for (const { centre, radius } of balls) {
    const at = camera.project(centre);
    const r = radius * at.scale;
    for (const [x, y] of circleOf(r)) points.push([at.x + r * x, at.y + r * y]);
    depth += at.depth / balls.length;
  }
  const outline = convexHull(points);
  return {
    depth: depth - nearer,
    draw: (canvas) => {
      trace(canvas, outline);
      canvas.fillStyle = shading(canvas, camera, light, outline, colour);
      canvas.fill();
      canvas.strokeStyle = css(lit(colour, 0.45), 0.55);
      canvas.lineWidth = (0.7 * camera.height) / 128;
      canvas.stroke();
    },
  };
}

function shading(canvas: SKRSContext2D, camera: Camera, light: Light, outline: readonly Point[], colour: Colour) {
  const [toX, toY] = lightOnScreen(camera, light);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let [sumX, sumY] = [0, 0];
  for (const [x, y] of outline) {
    const along = x * toX + y * toY;
    low = Math.min(low, along);
    high = Math.max(high, along);
    sumX += x / outline.length;
    sumY += y / outline.length;
  }
  const middle = sumX * toX + sumY * toY;
  const at = (along: number): Point => [sumX + (along - middle) * toX, sumY + (along - middle) * toY];
  const gradient = canvas.createLinearGradient(...at(high), ...at(low));
  gradient.addColorStop(0, css(lit(colour, light.ambient + light.strength)));
  gradient.addColorStop(0.55, css(lit(colour, light.ambient + light.strength * 0.45)));
  gradient.addColorStop(1, css(lit(colour, light.ambient * 0.8)));
  return gradient;
}

function lightOnScreen(camera: Camera, light: Light): Point {
  const x = dot(light.direction, camera.axes[0]);
  const y = -dot(light.direction, camera.axes[1]);
  const size = Math.hypot(x, y) || 1;
  return [x / size, y / size];
}

const CORNERS: readonly Vec3[] = [
  [-1, -1, -1],
  [1, -1, -1],
  [1, 1, -1],
  [-1, 1, -1],
  [-1, -1, 1],
  [1, -1, 1],
  [1, 1, 1],
  [-1, 1, 1],
];
const FACES: readonly { corners: readonly [number, number, number, number]; normal: Vec3 }[] = [
  { corners: [0, 1, 2, 3], normal: [0, 0, -1] },
  { corners: [4, 5, 6, 7], normal: [0, 0, 1] },
  { corners: [0, 3, 7, 4], normal: [-1, 0, 0] },
  { corners: [1, 2, 6, 5], normal: [1, 0, 0] },
  { corners: [0, 1, 5, 4], normal: [0, -1, 0] },
  { corners: [3, 2, 6, 7], normal: [0, 1, 0] },
];

/** The corners of a block, in the order of {@link CORNERS}. */
export function cornersOf({ centre, size, yaw }: Block): Vec3[] {
  const [c, s] = [Math.cos(yaw), Math.sin(yaw)];
  return CORNERS.map(([x, y, z]) => {
    const [dx, dy, dz] = [(x * size[0]) / 2, (y * size[1]) / 2, (z * size[2]) / 2];
    return add(centre, [dx * c + dz * s, dy, -dx * s + dz * c]);
  });
}

/** The sides of a block that face the camera. `band` is a stripe of tape around its middle. */
export function block(camera: Camera, light: Light, box: Block, colour: Colour, band?: Colour): Item {
  const corners = cornersOf(box);
  const [c, s] = [Math.cos(box.yaw), Math.sin(box.yaw)];
  const visible = FACES.map(({ corners: which, normal: [x, y, z] }) => {
    const normal: Vec3 = [x * c + z * s, y, -x * s + z * c];
    const points = which.map((index) => corners[index] ?? box.centre);
    return { points, normal, upright: y === 0, seen: dot(normal, sub(camera.position, points[0] ?? box.centre)) > 0 };
  }).filter((face) => face.seen);
  const draw = (canvas: SKRSContext2D) => {
    for (const { points, normal, upright } of visible) {
      const glow = light.ambient + light.strength * Math.max(0, dot(normal, light.direction));
      fillFace(canvas, camera, points, lit(colour, glow));
      if (band !== undefined && upright) fillFace(canvas, camera, belt(points), lit(band, glow));
    }
  };
  return { depth: camera.project(box.centre).depth, draw };
}

function belt(points: readonly Vec3[]): Vec3[] {
  const low = Math.min(...points.map((p) => p[1]));
  const high = Math.max(...points.map((p) => p[1]));
  return points.map(([x, y, z]) => [x, (low + high) / 2 + (y - (low + high) / 2) * 0.2, z]);
}

function fillFace(canvas: SKRSContext2D, camera: Camera, points: readonly Vec3[], colour: Colour): void {
  trace(
    canvas,
    points.map((point) => {
      const { x, y } = camera.project(point);
      return [x, y];
    }),
  );
  canvas.fillStyle = css(colour);
  canvas.fill();
  canvas.strokeStyle = css(lit(colour, 0.55), 0.6);
  canvas.lineWidth = (0.6 * camera.height) / 128;
  canvas.stroke();
}

/** The shadows of balls and blocks on the floor, as one dark patch. */
export function drawShadows(
  canvas: SKRSContext2D,
  camera: Camera,
  light: Light,
  bodies: readonly (readonly Ball[])[],
  alpha: number,
): void {
  const slant = scale(light.direction, 1 / Math.max(light.direction[1], 0.35));
  const flat = Math.sin(Math.max(camera.view.elevation, 0.08));
  canvas.beginPath();
  for (const balls of bodies) {
    const points: Point[] = [];
    for (const { centre, radius } of balls) {
      const foot = sub(centre, scale(slant, Math.max(centre[1], 0)));
      const at = camera.project([foot[0], 0.001, foot[2]]);
      const r = radius * at.scale;
      for (const [x, y] of COARSE) points.push([at.x + r * x, at.y + r * flat * y]);
    }
    convexHull(points).forEach(([x, y], i) => {
      if (i === 0) canvas.moveTo(x, y);
      else canvas.lineTo(x, y);
    });
    canvas.closePath();
  }
  canvas.fillStyle = `rgba(0,0,0,${alpha})`;
  canvas.fill('nonzero');
}

/** Draws everything, the farthest first. */
export function drawSorted(canvas: SKRSContext2D, items: readonly Item[]): void {
  for (const item of [...items].sort((a, b) => b.depth - a.depth)) item.draw(canvas);
}

/** A light from above, from any side. */
export function lightFrom(azimuth: number, elevation: number, ambient: number, strength: number): Light {
  const flat = Math.cos(elevation);
  return { direction: unit([Math.sin(azimuth) * flat, Math.sin(elevation), Math.cos(azimuth) * flat]), ambient, strength };
}

export function trace(canvas: SKRSContext2D, points: readonly Point[]): void {
  canvas.beginPath();
  points.forEach(([x, y], i) => {
    if (i === 0) canvas.moveTo(x, y);
    else canvas.lineTo(x, y);
  });
  canvas.closePath();
}

/** Andrew's monotone chain; always in the same direction of turn. */
export function convexHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (order: readonly Point[]) => {
    const chain: Point[] = [];
    for (const point of order) {
      while (chain.length >= 2 && turn(chain[chain.length - 2], chain[chain.length - 1], point) <= 0) chain.pop();
      chain.push(point);
    }
    chain.pop();
    return chain;
  };
  return [...half(sorted), ...half(sorted.reverse())];
}

function turn(a: Point | undefined, b: Point | undefined, c: Point): number {
  if (a === undefined || b === undefined) return 1;
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}
