/** Draws the input frames, and a row per token with heatmaps and shares of attention over time. */

import type { Canvas, SKRSContext2D } from '@napi-rs/canvas';
import type { FrameShape } from '../clip/clipShape.js';
import type { Box } from '../clip/crop.js';
import { percent } from '../metrics/percent.js';
import { createCanvas } from '../video/canvas.js';
import type { FrameStrip } from '../video/types.js';
import { timeShares } from './attentionMaps.js';
import { layHeat } from './heatmapColours.js';
import { heatmapPlanes } from './heatmapPlanes.js';
import type { HeatmapRow, PictureText } from './heatmapRows.js';

/** What the network saw of the video. */
export interface SeenFrames {
  readonly strip: FrameStrip;
  /** The part of each frame that the network sees. */
  readonly box: Box;
  /** The network's own pixels of it. */
  readonly pixels: FrameShape;
}

const ink = '#1b1b1f';
const muted = '#5f6068';
const padding = '#7c7467'; // ImageNet's mean
const barColour = '#9f2a63';
const barGround = '#e9e7ea';
const [margin, gap, labelWidth, barHeight, leastRow] = [20, 6, 236, 18, 114];

/** PNG bytes. Frame t of the strip is moment t of the maps. Throws VmfError without the drawing library. */
export function attentionPicture(
  text: PictureText,
  seen: SeenFrames,
  timesSec: readonly number[],
  rows: readonly HeatmapRow[],
): Buffer {
  const cell = cellSize(seen.box, timesSec.length);
  const rowHeight = Math.max(cell.height + barHeight + 14, leastRow);
  const header = 74 + 18 * text.lines.length;
  const width = 2 * margin + labelWidth + timesSec.length * (cell.width + gap) - gap;
  const sheet = createCanvas(Math.max(width, 860), header + cell.height + 16 + rows.length * rowHeight + margin);
  const context = sheet.getContext('2d');
  context.fillStyle = 'white';
  context.fillRect(0, 0, sheet.width, sheet.height);
  drawHeader(context, text, sheet.width);
  const columns = timesSec.map((_, t) => margin + labelWidth + t * (cell.width + gap));
  const frames = timesSec.map((_, t) => cutFrame(seen, t, cell.width, cell.height));
  write(context, 'what the network sees', margin, header + cell.height / 2 + 5, `bold 14px ${face}`, ink);
  frames.forEach((frame, t) => {
    const x = columns[t] ?? 0;
    write(context, `${(timesSec[t] ?? 0).toFixed(2)} s`, x + cell.width / 2, header - 8, `12px ${face}`, muted, 'center');
    context.drawImage(frame, x, header);
  });
  const most = Math.max(...rows.flatMap(({ map }) => timeShares(map)));
  for (const [i, row] of rows.entries())
    drawRow(context, row, frames, {
      columns,
      y: header + cell.height + 16 + i * rowHeight,
      pixels: seen.pixels,
      mostShare: most,
    });
  return sheet.toBuffer('image/png');
}

/** Largest frame size that fits, in pixels; aspect kept. */
function cellSize({ width, height }: Box, count: number): { width: number; height: number } {
  const area = Math.min(Math.max(Math.floor(1240 / count), 96), 220);
  const scale = area / Math.max(width, height);
  return { width: Math.max(Math.round(width * scale), 1), height: Math.max(Math.round(height * scale), 1) };
}

export const face = 'sans-serif';

export function write(
  context: SKRSContext2D,
  text: string,
  x: number,
  y: number,
  font: string,
  colour: string,
  align: 'left' | 'center' | 'right' = 'left',
): void {
  context.font = font;
  context.fillStyle = colour;
  context.textAlign = align;
  context.fillText(text, x, y);
}

function drawHeader(context: SKRSContext2D, { title, lines }: PictureText, width: number): void {
  write(context, title, margin, margin + 16, `bold 20px ${face}`, ink);
  for (const [i, line] of lines.entries()) write(context, line, margin, margin + 40 + 18 * i, `13px ${face}`, muted);
  drawLegend(context, width - margin - 220, margin);
}

/** Colours over mid-grey, as they appear. */
function drawLegend(context: SKRSContext2D, x: number, y: number): void {
  const [width, height] = [220, 14];
  const image = context.createImageData(width, height);
  for (let i = 0; i < image.data.length; i += 4) image.data.set([128, 128, 128, 255], i);
  layHeat(image.data, width, (column) => column / (width - 1));
  context.putImageData(image, x, y);
  write(context, 'not looked at', x, y + height + 14, `11px ${face}`, muted);
  write(context, 'as the row says', x + width, y + height + 14, `11px ${face}`, muted, 'right');
}

/** Frame t of what the network sees, scaled. */
export function cutFrame({ strip, box }: SeenFrames, t: number, width: number, height: number): Canvas {
  const whole = createCanvas(strip.width, strip.height);
  const image = whole.getContext('2d').createImageData(strip.width, strip.height);
  const pixels = strip.width * strip.height;
  for (let i = 0, from = t * pixels * 3; i < pixels * 4; i += 4, from += 3) {
    image.data.set(strip.rgb.subarray(from, from + 3), i);
    image.data[i + 3] = 255;
  }
  whole.getContext('2d').putImageData(image, 0, 0);
  const out = createCanvas(width, height);
  const context = out.getContext('2d');
  context.imageSmoothingQuality = 'high';
  drawBox(context, whole, box);
  return out;
}

/** The frame where the box covers it, padding colour elsewhere. */
function drawBox(context: SKRSContext2D, frame: Canvas, box: Box): void {
  const { width, height } = context.canvas;
  context.fillStyle = padding;
  context.fillRect(0, 0, width, height);
  const [left, top] = [Math.max(box.x, 0), Math.max(box.y, 0)];
  const [across, down] = [Math.min(box.x + box.width, frame.width) - left, Math.min(box.y + box.height, frame.height) - top];
  const [byX, byY] = [width / box.width, height / box.height];
  context.drawImage(frame, left, top, across, down, (left - box.x) * byX, (top - box.y) * byY, across * byX, down * byY);
}

/** The frame in grey under the heatmap; `heat` is called with pixel index y * width + x. */
export function heated(frame: Canvas, heat: (pixel: number) => number): Canvas {
  const { width, height } = frame;
  const image = frame.getContext('2d').getImageData(0, 0, width, height);
  layHeat(image.data, width, (x, y) => heat(y * width + x));
  const out = createCanvas(width, height);
  out.getContext('2d').putImageData(image, 0, 0);
  return out;
}

interface RowPlace {
  /** Left edges of the frames, top of the row. */
  readonly columns: readonly number[];
  readonly y: number;
  readonly pixels: FrameShape;
  readonly mostShare: number;
}

function drawRow(context: SKRSContext2D, { title, lines, map }: HeatmapRow, frames: readonly Canvas[], place: RowPlace): void {
  const { columns, y, pixels, mostShare } = place;
  const [first] = frames;
  if (!first) return;
  const { width, height } = first;
  const { planes, top } = heatmapPlanes(map, pixels, width, height);
  const said = [...lines, `full colour from ${top.toFixed(top < 10 ? 1 : 0)} times even on`];
  const middle = Math.max(y + height / 2 - 9 * said.length + 2, y + 14);
  write(context, title, margin, middle, `bold 14px ${face}`, ink);
  for (const [i, line] of said.entries()) write(context, line, margin, middle + 20 + 17 * i, `12px ${face}`, muted);
  const shares = timeShares(map);
  frames.forEach((frame, t) => {
    const x = columns[t] ?? 0;
    context.drawImage(
      heated(frame, (pixel) => planes[t]?.[pixel] ?? 0),
      x,
      y,
    );
    drawShare(context, x, y + height + 3, width, shares[t] ?? 0, mostShare);
  });
}

/** Share of the row's attention; the largest in the picture fills its bar. */
function drawShare(context: SKRSContext2D, x: number, y: number, width: number, share: number, mostShare: number): void {
  const track = width - 40;
  context.fillStyle = barGround;
  context.fillRect(x, y + 3, track, 9);
  context.fillStyle = barColour;
  context.fillRect(x, y + 3, (track * share) / mostShare, 9);
  write(context, share > 0 && share < 0.005 ? '<1 %' : percent(share, 0), x + width, y + 12, `12px ${face}`, ink, 'right');
}
