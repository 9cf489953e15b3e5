import type { SKRSContext2D } from '@napi-rs/canvas';
import type { Rng } from '../rng.js';
import type { Camera } from './camera.js';
import { between, type Colour, css, drawColour, lit } from './colour.js';
import { drawSorted, type Light } from './paint.js';
import type { Scene } from './scene.js';
import { drawContactShadows, thingItems } from './things.js';
import type { Vec3 } from './vec3.js';

/** The static background. The canvas may extend `margin` pixels beyond the picture on each side. */
export function drawBackground(
  canvas: SKRSContext2D,
  scene: Scene,
  camera: Camera,
  light: Light,
  margin: number,
  rng: Rng,
): void {
  const px = camera.height / UNITS;
  const floor = scene.kind === 'outdoors' ? Math.max(camera.horizonY, 4) : camera.project(camera.floor(0, scene.wallBehind)).y;
  const area: Area = {
    left: -margin / px,
    top: -margin / px,
    right: (camera.width + margin) / px,
    bottom: UNITS + margin / px,
    edge: floor / px,
  };
  canvas.save();
  canvas.scale(px, px);
  if (scene.kind === 'outdoors') drawOutdoors(canvas, scene, area, rng);
  else drawWall(canvas, scene, area, rng);
  drawFloor(canvas, scene, area, rng);
  canvas.restore();
  if (hasGrid(scene)) drawGrid(canvas, scene, camera, floor, margin);
  drawContactShadows(canvas, scene.things, camera);
  drawSorted(canvas, thingItems(scene.things, camera, light));
}

/** Picture height in drawing units of walls, hills and trees. */
const UNITS = 128;

/** The picture with its margin, and the top row of the floor, in those units. */
interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly edge: number;
}

function drawWall(canvas: SKRSContext2D, scene: Scene, area: Area, rng: Rng): void {
  const { left, top, right, edge } = area;
  const shade = canvas.createLinearGradient(left, top, scene.kind === 'studio' ? left : right, edge);
  shade.addColorStop(0, css(lit(scene.wall, 1.05)));
  shade.addColorStop(1, css(scene.kind === 'studio' ? scene.wallTwo : lit(scene.wall, 0.82)));
  canvas.fillStyle = shade;
  canvas.fillRect(left, top, right - left, edge + 1 - top);
  if (scene.kind === 'studio') return;
  drawPattern(canvas, scene, area);
  if (scene.kind === 'hall') drawColumns(canvas, scene, area, rng);
  else drawPictures(canvas, area, rng);
  canvas.fillStyle = css(lit(scene.wallTwo, 0.6));
  canvas.fillRect(left, edge - 2.5, right - left, 2.5);
}

function drawPattern(canvas: SKRSContext2D, scene: Scene, { left, top, right, edge }: Area): void {
  canvas.strokeStyle = css(scene.wallTwo, 0.5);
  canvas.fillStyle = css(scene.wallTwo, 0.45);
  canvas.lineWidth = 1;
  if (scene.pattern === 'stripes') for (let x = left; x < right; x += 14) canvas.fillRect(x, top, 6, edge - top);
  if (scene.pattern === 'panels') for (let x = left; x < right; x += 30) canvas.strokeRect(x + 2, edge - 34, 26, 30);
  if (scene.pattern !== 'bricks') return;
  for (let row = 0, y = edge; y > top; y -= 7, row++) {
    for (let x = left - (row % 2) * 8; x < right; x += 16) canvas.strokeRect(x, y - 7, 16, 7);
  }
}

function drawColumns(canvas: SKRSContext2D, scene: Scene, { left, top, right, edge }: Area, rng: Rng): void {
  const gap = rng.uniform(36, 60);
  for (let x = left + rng.uniform(0, gap); x < right; x += gap) {
    const round = canvas.createLinearGradient(x, 0, x + 10, 0);
    round.addColorStop(0, css(lit(scene.wallTwo, 1.1)));
    round.addColorStop(1, css(lit(scene.wallTwo, 0.65)));
    canvas.fillStyle = round;
    canvas.fillRect(x, top, 10, edge - top);
  }
}

function drawPictures(canvas: SKRSContext2D, { left, right, edge }: Area, rng: Rng): void {
  const count = rng.integer(4);
  for (let i = 0; i < count; i++) {
    const x = rng.uniform(left, right - 24);
    const [w, h] = [rng.uniform(14, 34), rng.uniform(14, 30)];
    const y = rng.uniform(edge - 78, edge - 44) - h / 2;
    const pane = drawColour(rng, [0.1, 0.5], [0.35, 0.9]);
    const shade = canvas.createLinearGradient(x, y, x + w, y + h);
    shade.addColorStop(0, css(lit(pane, 1.15)));
    shade.addColorStop(1, css(lit(pane, 0.8)));
    canvas.fillStyle = shade;
    canvas.fillRect(x, y, w, h);
    canvas.strokeStyle = css(drawColour(rng, [0, 0.3], [0.2, 0.9]));
    canvas.lineWidth = 2;
    canvas.strokeRect(x, y, w, h);
    if (rng.chance(0.5)) canvas.fillRect(x + w / 2 - 0.7, y, 1.4, h);
  }
}

const SKIES: readonly (readonly [Colour, Colour])[] = [
  [
    [118, 170, 224],
    [214, 230, 244],
  ],
  [
    [150, 160, 172],
    [214, 216, 220],
  ],
  [
    [96, 110, 170],
    [246, 196, 150],
  ],
];
const GREENS: readonly Colour[] = [
  [84, 132, 70],
  [116, 152, 84],
  [70, 118, 92],
  [146, 148, 88],
];

function drawOutdoors(canvas: SKRSContext2D, scene: Scene, area: Area, rng: Rng): void {
  const { left, top, right, edge } = area;
  const [high, low] = rng.pick(SKIES);
  const sky = canvas.createLinearGradient(0, top, 0, edge);
  sky.addColorStop(0, css(high));
  sky.addColorStop(1, css(low));
  canvas.fillStyle = sky;
  canvas.fillRect(left, top, right - left, edge + 1 - top);
  const town = rng.chance(0.5);
  for (let i = 0; i < 9; i++) {
    const x = rng.uniform(left - 10, right);
    if (town) drawHouse(canvas, x, edge, rng);
    else drawTree(canvas, x, edge, rng);
  }
  canvas.fillStyle = css(between(rng.pick(GREENS), scene.floor, 0.25));
  canvas.beginPath();
  canvas.moveTo(left, edge);
  for (let x = left; x <= right; x += 6) canvas.lineTo(x, edge - 3 - 2 * Math.sin(x / 9) - rng.uniform(0, 2));
  canvas.lineTo(right, edge);
  canvas.fill();
}

function drawHouse(canvas: SKRSContext2D, x: number, ground: number, rng: Rng): void {
  const [w, h] = [rng.uniform(14, 34), rng.uniform(16, 48)];
  const colour = drawColour(rng, [0.05, 0.3], [0.45, 0.75]);
  canvas.fillStyle = css(colour);
  canvas.fillRect(x, ground - h, w, h);
  canvas.fillStyle = css(lit(colour, 0.6));
  for (let row = ground - h + 4; row < ground - 4; row += 8) {
    for (let column = x + 3; column < x + w - 4; column += 7) canvas.fillRect(column, row, 3, 4);
  }
}

function drawTree(canvas: SKRSContext2D, x: number, ground: number, rng: Rng): void {
  const size = rng.uniform(7, 15);
  canvas.fillStyle = 'rgb(88,66,48)';
  canvas.fillRect(x - 1.5, ground - size * 1.6, 3, size * 1.6);
  const green = rng.pick(GREENS);
  for (let i = 0; i < 4; i++) {
    canvas.fillStyle = css(lit(green, 0.8 + 0.12 * i));
    canvas.beginPath();
    canvas.arc(x + rng.uniform(-0.5, 0.5) * size, ground - size * (1.7 + 0.25 * i), size * (0.85 - 0.12 * i), 0, 2 * Math.PI);
    canvas.fill();
  }
}

function drawFloor(canvas: SKRSContext2D, scene: Scene, area: Area, rng: Rng): void {
  const { left, right, bottom, edge } = area;
  const base = scene.kind === 'outdoors' ? between(rng.pick(GREENS), scene.floor, 0.2) : scene.floor;
  const shade = canvas.createLinearGradient(0, edge, 0, bottom);
  shade.addColorStop(0, css(lit(base, 0.82)));
  shade.addColorStop(1, css(lit(base, 1.1)));
  canvas.fillStyle = shade;
  canvas.fillRect(left, edge, right - left, bottom - edge);
  if (scene.kind === 'outdoors') drawSpecks(canvas, base, area, rng);
}

const hasGrid = ({ kind, floorPattern }: Scene) => (kind === 'room' || kind === 'hall') && floorPattern !== 'plain';

function drawSpecks(canvas: SKRSContext2D, base: Colour, { left, right, bottom, edge }: Area, rng: Rng): void {
  for (let i = 0; i < 160; i++) {
    const near = rng.uniform();
    const y = edge + (bottom - edge) * near;
    canvas.fillStyle = css(lit(base, rng.uniform(0.7, 1.25)), 0.7);
    canvas.fillRect(rng.uniform(left, right), y, 1 + 3 * near, 0.6 + near);
  }
}

function drawGrid(canvas: SKRSContext2D, scene: Scene, camera: Camera, floorY: number, margin: number): void {
  canvas.save();
  canvas.beginPath();
  canvas.rect(-margin, floorY, camera.width + 2 * margin, camera.height + margin - floorY);
  canvas.clip();
  canvas.strokeStyle = css(scene.floorTwo, 0.6);
  canvas.lineWidth = camera.height / UNITS;
  const line = (from: Vec3, to: Vec3) => {
    const [a, b] = [camera.project(from), camera.project(to)];
    canvas.beginPath();
    canvas.moveTo(a.x, a.y);
    canvas.lineTo(b.x, b.y);
    canvas.stroke();
  };
  const [nearest, farthest] = [-camera.view.distance * 0.7, scene.wallBehind];
  for (let x = -6; x <= 6; x += 0.45) line(camera.floor(x, nearest), camera.floor(x, farthest));
  for (let z = nearest; scene.floorPattern === 'tiles' && z < farthest; z += 0.45) line(camera.floor(-6, z), camera.floor(6, z));
  canvas.restore();
}
