import type { Rng } from '../rng.js';

/** Red, green, blue, 0 to 255. */
export type Colour = readonly [number, number, number];

export const lit = ([r, g, b]: Colour, factor: number): Colour => [r * factor, g * factor, b * factor];

export function css([r, g, b]: Colour, alpha = 1): string {
  const byte = (value: number) => Math.round(Math.min(Math.max(value, 0), 255));
  return `rgba(${byte(r)},${byte(g)},${byte(b)},${alpha})`;
}

export const between = (a: Colour, b: Colour, t: number): Colour => [
  a[0] + (b[0] - a[0]) * t,
  a[1] + (b[1] - a[1]) * t,
  a[2] + (b[2] - a[2]) * t,
];

/** Any colour: hue, saturation and lightness drawn from the given ranges (0 to 1). */
export function drawColour(rng: Rng, saturation: readonly [number, number], lightness: readonly [number, number]): Colour {
  return fromHsl(rng.uniform(), rng.uniform(...saturation), rng.uniform(...lightness));
}

export function fromHsl(hue: number, saturation: number, lightness: number): Colour {
  const spread = saturation * Math.min(lightness, 1 - lightness);
  const channel = (n: number) => {
    const k = (n + hue * 12) % 12;
    return 255 * (lightness - spread * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [channel(0), channel(8), channel(4)];
}

/** One of a palette's colours, a little lighter or darker, warmer or cooler. */
export function drawFrom(rng: Rng, palette: readonly Colour[]): Colour {
  const factor = rng.uniform(0.85, 1.12);
  const warmth = rng.uniform(-8, 8);
  const [r, g, b] = rng.pick(palette);
  return [r * factor + warmth, g * factor, b * factor - warmth];
}

/** Paint on walls. */
export const WALLS: readonly Colour[] = [
  [226, 221, 208],
  [204, 213, 219],
  [190, 203, 186],
  [222, 206, 184],
  [176, 189, 206],
  [214, 189, 180],
  [168, 162, 158],
  [150, 172, 170],
  [232, 228, 226],
];

/** Wood, stone, carpet. */
export const FLOORS: readonly Colour[] = [
  [158, 122, 86],
  [190, 154, 112],
  [112, 84, 62],
  [150, 150, 148],
  [108, 112, 118],
  [174, 164, 148],
  [96, 112, 130],
  [124, 98, 96],
  [104, 122, 104],
];

/** Furniture, boxes, pots. */
export const THINGS: readonly Colour[] = [
  [178, 136, 92],
  [128, 92, 62],
  [222, 216, 204],
  [92, 98, 106],
  [168, 72, 62],
  [70, 104, 146],
  [98, 134, 96],
  [206, 168, 84],
  [140, 112, 146],
  [60, 62, 70],
];
