/** Skin, hair and clothes; sampled before the action is known. */
import type { Rng } from '../rng.js';
import { type Colour, drawColour, fromHsl } from './colour.js';

export interface Appearance {
  readonly skin: Colour;
  readonly hair: Colour;
  readonly hairStyle: 'short' | 'long' | 'bun' | 'bald' | 'cap';
  readonly cap: Colour;
  readonly shirt: Colour;
  /** How far down the arm the sleeve goes: to the middle of the upper arm, or to the wrist. */
  readonly sleeves: 'short' | 'long';
  /** Mostly the shirt's. */
  readonly sleeveColour: Colour;
  readonly trousers: Colour;
  readonly legs: 'long' | 'shorts';
  readonly shoes: Colour;
}

const SKINS: readonly Colour[] = [
  [245, 209, 180],
  [234, 188, 152],
  [212, 161, 122],
  [176, 122, 84],
  [134, 88, 58],
  [96, 62, 42],
];
const HAIRS: readonly Colour[] = [
  [36, 28, 24],
  [70, 46, 30],
  [120, 82, 46],
  [196, 160, 92],
  [150, 70, 40],
  [150, 150, 150],
];

export function drawAppearance(rng: Rng): Appearance {
  const shirt = drawColour(rng, [0.2, 0.8], [0.3, 0.74]);
  const second = drawColour(rng, [0.1, 0.7], [0.3, 0.85]);
  return {
    skin: rng.pick(SKINS),
    hair: rng.pick(HAIRS),
    hairStyle: rng.pick(['short', 'short', 'long', 'bun', 'bald', 'cap']),
    cap: drawColour(rng, [0.3, 0.8], [0.25, 0.6]),
    shirt,
    sleeves: rng.pick(['short', 'long']),
    sleeveColour: rng.chance(0.25) ? second : shirt,
    trousers: rng.chance(0.6)
      ? drawColour(rng, [0.02, 0.25], [0.14, 0.5])
      : fromHsl(rng.uniform(0.57, 0.66), rng.uniform(0.2, 0.55), rng.uniform(0.18, 0.42)),
    legs: rng.pick(['long', 'long', 'shorts']),
    shoes: drawColour(rng, [0, 0.6], [0.12, 0.85]),
  };
}
