/**
 * Samples the scene (room, hall, studio, outdoors; objects around, moving distractors) before the action is known; painted by
 * backdrop.ts and things.ts.
 */
import type { Rng } from '../rng.js';
import { type Colour, drawColour, drawFrom, FLOORS, THINGS, WALLS } from './colour.js';

/** A thing on the floor, in metres to the right of and behind the figure as the camera sees it. */
export interface Thing {
  readonly kind: 'box' | 'cupboard' | 'table' | 'chair' | 'plant' | 'lamp' | 'ball';
  readonly right: number;
  readonly behind: number;
  readonly size: number;
  readonly yaw: number;
  readonly colour: Colour;
  readonly second: Colour;
}

/** A moving distractor: crossing the picture, or swinging. */
export interface Passer {
  readonly kind: 'ball' | 'bird' | 'pendulum';
  readonly behind: number;
  readonly height: number;
  /** Where it is at the start and at the end, metres to the right. */
  readonly from: number;
  readonly to: number;
  readonly bounces: number;
  readonly colour: Colour;
}

export interface Scene {
  readonly kind: 'room' | 'hall' | 'studio' | 'outdoors';
  readonly wall: Colour;
  readonly wallTwo: Colour;
  readonly floor: Colour;
  readonly floorTwo: Colour;
  readonly pattern: 'plain' | 'stripes' | 'bricks' | 'panels';
  readonly floorPattern: 'plain' | 'tiles' | 'boards';
  /** Distance of the wall behind the figure, metres. */
  readonly wallBehind: number;
  /** Draws the small things of the background: windows, pictures, hills, trees. */
  readonly seed: number;
  readonly things: readonly Thing[];
  readonly occluders: readonly Thing[];
  readonly passer: Passer | undefined;
}

/** A scene; `spread` is how much stands about and moves. */
export function drawScene(rng: Rng, spread: number): Scene {
  const things = rng.integer(1 + Math.round(6 * spread));
  const occluders = rng.chance(0.45 * spread) ? 1 : 0;
  return {
    kind: rng.pick(['room', 'room', 'hall', 'studio', 'outdoors', 'outdoors']),
    wall: drawFrom(rng, WALLS),
    wallTwo: drawFrom(rng, WALLS),
    floor: drawFrom(rng, FLOORS),
    floorTwo: drawFrom(rng, FLOORS),
    pattern: rng.pick(['plain', 'stripes', 'bricks', 'panels']),
    floorPattern: rng.pick(['plain', 'tiles', 'boards']),
    wallBehind: rng.uniform(1.8, 3.2),
    seed: rng.uint32(),
    things: Array.from({ length: things }, () => drawThing(rng, rng.uniform(0.9, 1.7), 1.9)),
    occluders: Array.from({ length: occluders }, () => ({
      ...drawThing(rng, -rng.uniform(0.8, 1.3), 0.9),
      kind: 'box',
      size: rng.uniform(0.16, 0.32),
    })),
    passer: rng.chance(0.5 * spread) ? drawPasser(rng) : undefined,
  };
}

function drawThing(rng: Rng, behind: number, reach: number): Thing {
  const side = rng.chance(0.5) ? 1 : -1;
  return {
    kind: rng.pick(['box', 'box', 'cupboard', 'table', 'chair', 'plant', 'lamp', 'ball']),
    right: side * rng.uniform(0.25, reach),
    behind,
    size: rng.uniform(0.3, 0.55),
    yaw: rng.uniform(0, Math.PI),
    colour: drawFrom(rng, THINGS),
    second: drawFrom(rng, THINGS),
  };
}

function drawPasser(rng: Rng): Passer {
  const side = rng.chance(0.5) ? 1 : -1;
  return {
    kind: rng.pick(['ball', 'bird', 'pendulum']),
    behind: rng.uniform(0.8, 1.6),
    height: rng.uniform(1.2, 2),
    from: -side * rng.uniform(0.8, 1.8),
    to: side * rng.uniform(0.8, 1.8),
    bounces: 1 + rng.integer(4),
    colour: drawColour(rng, [0.4, 0.9], [0.35, 0.6]),
  };
}
