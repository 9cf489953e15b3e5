/** Heatmap colours of evenly rising lightness (readable in greyscale and for the colour-blind), over a grey picture. */

/**
 * Eight evenly spaced colours of "inferno" by Nathaniel Smith and Stéfan van der Walt (github.com/BIDS/colormap, CC0),
 * interpolated linearly.
 */
const inferno: readonly (readonly [number, number, number])[] = [
  [0, 0, 4],
  [40, 11, 84],
  [101, 21, 110],
  [159, 42, 99],
  [212, 72, 66],
  [245, 125, 21],
  [250, 193, 39],
  [252, 255, 164],
];

/** 0 to 1 -> [r, g, b], 0 to 255. */
export function heatmapColour(value: number): [number, number, number] {
  const place = Math.min(Math.max(value, 0), 1) * (inferno.length - 1);
  const below = Math.min(Math.floor(place), inferno.length - 2);
  const [from, to] = [inferno[below] ?? [0, 0, 0], inferno[below + 1] ?? [0, 0, 0]];
  const between = (channel: 0 | 1 | 2) => from[channel] + (place - below) * (to[channel] - from[channel]);
  return [between(0), between(1), between(2)];
}

const cover = (value: number): number => 0.35 + 0.5 * Math.min(Math.max(value, 0), 1);

/** Converts RGBA [.., 4] in place to grey, blended with the colour of `heat` (0 to 1) per pixel. */
export function layHeat(rgba: Uint8ClampedArray, width: number, heat: (x: number, y: number) => number): void {
  for (let i = 0, at = 0; at < rgba.length; i++, at += 4) {
    const value = heat(i % width, Math.floor(i / width));
    const grey = 0.299 * (rgba[at] ?? 0) + 0.587 * (rgba[at + 1] ?? 0) + 0.114 * (rgba[at + 2] ?? 0);
    const over = cover(value);
    heatmapColour(value).forEach((colour, channel) => {
      rgba[at + channel] = grey * (1 - over) + colour * over;
    });
  }
}
