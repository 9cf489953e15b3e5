import type { SKRSContext2D } from '@napi-rs/canvas';
import type { Camera } from './camera.js';
import { type Colour, lit } from './colour.js';
import type { Block } from './motion.js';
import { block, type Item, type Light, softBody } from './paint.js';
import type { Passer, Thing } from './scene.js';
import type { Vec3 } from './vec3.js';

/** Scene objects as items of the painter. */
export function thingItems(things: readonly Thing[], camera: Camera, light: Light): Item[] {
  return things.flatMap((thing) => thingItem(thing, camera, light));
}

function thingItem(thing: Thing, camera: Camera, light: Light): Item[] {
  const { size, yaw, colour, second } = thing;
  const at = (up: number): Vec3 => camera.floor(thing.right, thing.behind, up);
  const solid = (up: number, extent: Vec3, tint: Colour): Item =>
    block(camera, light, { centre: at(up), size: extent, yaw }, tint);
  switch (thing.kind) {
    case 'box':
      return [block(camera, light, { centre: at(size / 2), size: [size, size, size * 0.8], yaw }, colour, second)];
    case 'cupboard':
      return [solid(size * 1.8, [size * 1.5, size * 3.6, size], colour)];
    case 'table':
      return [...legItems(thing, camera, light, size * 1.4, size * 1.3), solid(size * 1.4, [size * 3, 0.06, size * 1.6], second)];
    case 'chair':
      return [
        ...legItems(thing, camera, light, 0.46, 0.34),
        solid(0.46, [0.42, 0.06, 0.42], second),
        chairBack(thing, camera, light),
      ];
    case 'plant':
      return [solid(0.16, [0.28, 0.32, 0.28], colour), ...leafItems(thing, camera, light)];
    case 'lamp':
      return [
        solid(0.75, [0.04, 1.5, 0.04], lit(colour, 0.5)),
        softBody(
          camera,
          light,
          [
            { centre: at(1.5), radius: 0.16 },
            { centre: at(1.66), radius: 0.09 },
          ],
          second,
        ),
      ];
    case 'ball':
      return [softBody(camera, light, [{ centre: at(size * 0.4), radius: size * 0.4 }], colour)];
  }
}

function legItems({ right, behind, yaw, colour }: Thing, camera: Camera, light: Light, height: number, apart: number): Item[] {
  const middle = camera.floor(right, behind, height / 2);
  return [-0.5, 0.5].flatMap((x) =>
    [-0.4, 0.4].map((z) => {
      const [dx, dz] = [x * apart, z * apart];
      const centre: Vec3 = [
        middle[0] + dx * Math.cos(yaw) + dz * Math.sin(yaw),
        middle[1],
        middle[2] - dx * Math.sin(yaw) + dz * Math.cos(yaw),
      ];
      return block(camera, light, { centre, size: [0.05, height, 0.05], yaw }, lit(colour, 0.8));
    }),
  );
}

function chairBack({ right, behind, yaw, second }: Thing, camera: Camera, light: Light): Item {
  const [x, , z] = camera.floor(right, behind);
  const centre: Vec3 = [x - 0.19 * Math.sin(yaw), 0.72, z - 0.19 * Math.cos(yaw)];
  return block(camera, light, { centre, size: [0.42, 0.42, 0.05], yaw }, second);
}

function leafItems({ right, behind, size, yaw }: Thing, camera: Camera, light: Light): Item[] {
  return Array.from({ length: 6 }, (_, i) => {
    const angle = yaw + (i * Math.PI) / 3;
    const root = camera.floor(right, behind, 0.34);
    const tip: Vec3 = [
      root[0] + Math.cos(angle) * size * 0.6,
      0.34 + size * (1 + 0.4 * (i % 2)),
      root[2] + Math.sin(angle) * size * 0.6,
    ];
    return softBody(
      camera,
      light,
      [
        { centre: root, radius: 0.02 },
        { centre: tip, radius: 0.06 },
      ],
      [60 + 12 * i, 120 + 9 * (i % 3), 60],
    );
  });
}

/** The passer at share `u` of the clip. */
export function passerItem(passer: Passer, u: number, camera: Camera, light: Light): Item {
  const right = passer.from + (passer.to - passer.from) * u;
  if (passer.kind === 'pendulum') {
    const swing = 0.5 * Math.sin(2 * Math.PI * passer.bounces * 0.6 * u + passer.from);
    return softBody(
      camera,
      light,
      [{ centre: camera.floor(passer.from + swing, passer.behind, passer.height), radius: 0.09 }],
      passer.colour,
    );
  }
  if (passer.kind === 'ball') {
    const up = 0.12 + Math.abs(Math.sin(Math.PI * passer.bounces * u)) * passer.height * 0.4;
    return softBody(camera, light, [{ centre: camera.floor(right, passer.behind, up), radius: 0.12 }], passer.colour);
  }
  const flap = 0.09 * Math.sin(2 * Math.PI * passer.bounces * 2 * u);
  const wing = (side: number) => ({
    centre: camera.floor(right + side * 0.14, passer.behind, passer.height + flap),
    radius: 0.02,
  });
  const item = softBody(
    camera,
    light,
    [wing(-1), { centre: camera.floor(right, passer.behind, passer.height), radius: 0.045 }, wing(1)],
    passer.colour,
  );
  return item;
}

/** Furniture of the action itself. */
export function furnitureItems(blocks: readonly Block[], camera: Camera, light: Light, colour: Colour): Item[] {
  return blocks.map((piece) => block(camera, light, piece, colour));
}

/** A dark patch on the floor under each thing. */
export function drawContactShadows(canvas: SKRSContext2D, things: readonly Thing[], camera: Camera): void {
  canvas.fillStyle = 'rgba(0,0,0,0.2)';
  for (const { right, behind, size } of things) {
    const at = camera.project(camera.floor(right, behind));
    const radius = 0.75 * size * at.scale;
    canvas.beginPath();
    canvas.ellipse(at.x, at.y, radius, radius * Math.max(Math.sin(camera.view.elevation), 0.12), 0, 0, 2 * Math.PI);
    canvas.fill();
  }
}
