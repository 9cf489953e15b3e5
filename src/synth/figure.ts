import type { Appearance } from './appearance.js';
import type { Build, Joints, Limb } from './body.js';
import type { Camera } from './camera.js';
import { type Colour, css, lit } from './colour.js';
import { type Ball, convexHull, type Item, type Light, softBody, trace } from './paint.js';
import { add, along, dot, mix, sub, unit, type Vec3 } from './vec3.js';

export interface Person {
  readonly build: Build;
  readonly appearance: Appearance;
}

interface Part {
  readonly balls: readonly Ball[];
  readonly colour: Colour;
  /** Depth bias of the drawing order, in metres. */
  readonly nearer: number;
}

const ball = (centre: Vec3, radius: number): Ball => ({ centre, radius });

/** Everything of a person that can be drawn and casts a shadow. */
export function figureParts(person: Person, joints: Joints): Part[] {
  const arms = [...armParts(person, joints.leftArm), ...armParts(person, joints.rightArm)];
  const legs = [...legParts(person, joints.leftLeg), ...legParts(person, joints.rightLeg)];
  return [...trunkParts(person, joints), ...arms, ...legs];
}

export function figureItems(person: Person, joints: Joints, camera: Camera, light: Light): Item[] {
  const parts = figureParts(person, joints);
  return [
    ...parts.map(({ balls, colour, nearer }) => softBody(camera, light, balls, colour, nearer)),
    ...headItems(person, joints, camera, light),
  ];
}

function trunkParts({ build, appearance }: Person, { pelvis, waist, chest, neck, hipFrame, chestFrame }: Joints): Part[] {
  const unitSize = build.height * build.girth;
  const hip = (side: number) =>
    ball(add(pelvis, along(hipFrame, [side * build.hipHalf * 1.05, -0.005 * build.height, 0])), 0.058 * unitSize);
  const shoulder = (side: number) =>
    ball(add(chest, along(chestFrame, [side * build.shoulderHalf * 0.86, -0.012 * build.height, 0])), 0.036 * build.height);
  const rib = (side: number) =>
    ball(
      add(mix(waist, chest, 0.55), along(chestFrame, [side * build.shoulderHalf * 0.55, 0, 0.006 * build.height])),
      0.06 * unitSize,
    );
  const flank = (side: number) => ball(add(waist, along(chestFrame, [side * build.hipHalf * 0.75, 0, 0])), 0.056 * unitSize);
  const parts: Part[] = [
    {
      balls: [hip(1), hip(-1), flank(1), flank(-1)].map((b, i) => (i < 2 ? b : ball(b.centre, b.radius * 0.96))),
      colour: appearance.trousers,
      nearer: 0,
    },
    {
      balls: [
        shoulder(1),
        shoulder(-1),
        rib(1),
        rib(-1),
        flank(1),
        flank(-1),
        ...[hip(1), hip(-1)].map((b) => ball(mix(b.centre, waist, 0.45), b.radius)),
      ],
      colour: appearance.shirt,
      nearer: 0.03,
    },
    { balls: [ball(chest, 0.034 * build.height), ball(neck, 0.03 * build.height)], colour: appearance.skin, nearer: 0.02 },
  ];
  return parts;
}

function armParts({ build, appearance }: Person, { root, middle, end, tip }: Limb): Part[] {
  const unitSize = build.height * build.girth;
  const [top, mid, low] = [0.035 * unitSize, 0.028 * unitSize, 0.021 * unitSize];
  const sleeve = appearance.sleeveColour;
  const hand: Part = {
    balls: [ball(mix(end, tip, 0.2), 0.022 * build.height), ball(mix(end, tip, 0.75), 0.02 * build.height)],
    colour: appearance.skin,
    nearer: 0.06,
  };
  const lower: Part = {
    balls: [ball(middle, mid), ball(end, low)],
    colour: appearance.sleeves === 'long' ? sleeve : appearance.skin,
    nearer: 0.05,
  };
  if (appearance.sleeves === 'long')
    return [{ balls: [ball(root, top), ball(middle, mid)], colour: sleeve, nearer: 0.045 }, lower, hand];
  const hem = mix(root, middle, 0.6);
  return [
    { balls: [ball(root, top), ball(middle, mid)], colour: appearance.skin, nearer: 0.044 },
    { balls: [ball(root, top * 1.06), ball(hem, mid * 1.25)], colour: sleeve, nearer: 0.05 },
    lower,
    hand,
  ];
}

function legParts({ build, appearance }: Person, { root, middle, end, tip, back }: Limb): Part[] {
  const unitSize = build.height * build.girth;
  const [top, mid, low] = [0.054 * unitSize, 0.038 * unitSize, 0.027 * unitSize];
  const shoe: Part = {
    balls: [ball(back, 0.021 * build.height), ball(tip, 0.018 * build.height), ball(mix(back, end, 0.5), 0.024 * build.height)],
    colour: appearance.shoes,
    nearer: 0.01,
  };
  const bare = appearance.legs === 'shorts';
  const shin: Part = {
    balls: [ball(middle, mid), ball(mix(middle, end, 0.35), mid * 0.98), ball(end, low)],
    colour: bare ? appearance.skin : appearance.trousers,
    nearer: 0,
  };
  if (!bare) return [{ balls: [ball(root, top), ball(middle, mid)], colour: appearance.trousers, nearer: 0 }, shin, shoe];
  const hem = mix(root, middle, 0.72);
  return [
    { balls: [ball(root, top * 0.9), ball(middle, mid)], colour: appearance.skin, nearer: 0 },
    { balls: [ball(root, top), ball(hem, mid * 1.28)], colour: appearance.trousers, nearer: 0.01 },
    shin,
    shoe,
  ];
}

function headItems({ build, appearance }: Person, { head, headFrame }: Joints, camera: Camera, light: Light): Item[] {
  const r = build.headRadius;
  const at = (left: number, up: number, forward: number) => add(head, along(headFrame, [left * r, up * r, forward * r]));
  const skull = softBody(
    camera,
    light,
    [ball(at(0, 0.12, -0.08), r), ball(at(0, -0.42, 0.16), r * 0.66), ball(at(0, -0.18, 0.98), r * 0.12)],
    appearance.skin,
    0.05,
  );
  const depth = skull.depth;
  const items: Item[] = [skull, { depth: depth - 0.02, draw: (canvas) => drawEyes(canvas, camera, at, head, r) }];
  if (appearance.hairStyle === 'bald') return items;
  const crown = appearance.hairStyle === 'cap' ? appearance.cap : appearance.hair;
  items.push(hairCap(camera, light, at, crown, appearance.hairStyle === 'cap' ? 0.3 : 0.12, depth - 0.015));
  if (appearance.hairStyle === 'cap')
    items.push(
      softBody(
        camera,
        light,
        [ball(at(0.3, 0.5, 1), r * 0.16), ball(at(-0.3, 0.5, 1), r * 0.16), ball(at(0, 0.5, 1.35), r * 0.14)],
        lit(crown, 0.85),
        0.08,
      ),
    );
  if (appearance.hairStyle === 'long')
    items.push(
      softBody(camera, light, [ball(at(0, 0, -0.45), r * 0.82), ball(at(0, -1.05, -0.5), r * 0.55)], appearance.hair, 0.02),
    );
  if (appearance.hairStyle === 'bun')
    items.push(softBody(camera, light, [ball(at(0, 0.85, -0.85), r * 0.42)], appearance.hair, 0.02));
  return items;
}

type OnHead = (left: number, up: number, forward: number) => Vec3;

/** Visible hair: hull of the scalp points that face the camera. */
function hairCap(camera: Camera, light: Light, at: OnHead, colour: Colour, hairline: number, depth: number): Item {
  const middle = at(0, 0.12, -0.08);
  const toCamera = unit(sub(camera.position, middle));
  const points: [number, number][] = [];
  for (const [x, y, z] of SKULL) {
    if (0.8 * y - 0.6 * z < hairline) continue;
    const point = at(x * 1.06, 0.12 + y * 1.06, -0.08 + z * 1.06);
    if (dot(unit(sub(point, middle)), toCamera) < -0.05) continue;
    const seen = camera.project(point);
    points.push([seen.x, seen.y]);
  }
  return {
    depth,
    draw: (canvas) => {
      if (points.length < 3) return;
      trace(canvas, convexHull(points));
      canvas.fillStyle = css(lit(colour, light.ambient + light.strength * 0.5));
      canvas.fill();
    },
  };
}

/** Points on a sphere (Fibonacci lattice). */
const SKULL: readonly Vec3[] = Array.from({ length: 160 }, (_, i) => {
  const y = 1 - (2 * (i + 0.5)) / 160;
  const radius = Math.sqrt(1 - y * y);
  const angle = i * Math.PI * (3 - Math.sqrt(5));
  return [Math.cos(angle) * radius, y, Math.sin(angle) * radius];
});

function drawEyes(canvas: Parameters<Item['draw']>[0], camera: Camera, at: OnHead, head: Vec3, radius: number): void {
  const toCamera = unit(sub(camera.position, head));
  for (const side of [0.36, -0.36]) {
    const point = at(side, 0.02, 0.9);
    if (dot(unit(sub(point, head)), toCamera) < 0.25) continue;
    const seen = camera.project(point);
    canvas.beginPath();
    canvas.arc(seen.x, seen.y, Math.max(radius * seen.scale * 0.12, 0.45), 0, 2 * Math.PI);
    canvas.fillStyle = 'rgba(25,20,20,0.85)';
    canvas.fill();
  }
}
