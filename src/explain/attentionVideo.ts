/** Draws video frames beside each token's interpolated heatmap, above charts of attention over time. */
import type { Canvas, SKRSContext2D } from '@napi-rs/canvas';
import { createCanvas } from '../video/canvas.js';
import { type Attention, timeShares } from './attentionMaps.js';
import { cutFrame, face, heated, type SeenFrames, write } from './attentionPicture.js';
import { type HeatmapPlanes, heatBetween, heatmapPlanes } from './heatmapPlanes.js';
import type { HeatmapRow } from './heatmapRows.js';

export interface VideoPlan {
  /** Duration and playback speed; below 1 is slower than the video. */
  readonly seconds: number;
  readonly speed: number;
  readonly frames: number;
  readonly frameRate: number;
}

const [leastSec, mostSec, frameRate] = [4, 20, 20];

export function videoPlan(videoSec: number): VideoPlan {
  const seconds = Math.min(Math.max(videoSec, leastSec), mostSec);
  return { seconds, speed: videoSec / seconds, frames: Math.max(Math.round(seconds * frameRate), 1), frameRate };
}

export interface VideoContent {
  readonly title: string;
  /** Output frames in order, with their times in the video. */
  readonly seen: SeenFrames;
  readonly momentsSec: readonly number[];
  /** The stretch of video that is shown. */
  readonly startSec: number;
  readonly endSec: number;
  /** When the network's frames are. */
  readonly timesSec: readonly number[];
  readonly rows: readonly HeatmapRow[];
  readonly speed: number;
}

export interface Film {
  readonly width: number;
  readonly height: number;
  /** RGBA, one after the other; each is overwritten by the next. */
  readonly frames: Iterable<Uint8Array>;
}

interface Panel {
  readonly row: HeatmapRow;
  readonly heat: HeatmapPlanes;
  readonly x: number;
  readonly y: number;
}

const [margin, headHeight, captionHeight, chartHeight, gap] = [16, 44, 26, 40, 12];
const [ground, ink, muted, bar, head] = ['#131317', '#f2f1f3', '#a9a8b0', '#7a3b63', '#fac127'];

export function attentionVideo(content: VideoContent): Film {
  const { seen, rows } = content;
  const scale = panelEdge(rows.length + 1) / Math.max(seen.box.width, seen.box.height);
  const [width, height] = [Math.round(seen.box.width * scale), Math.round(seen.box.height * scale)];
  const columns = columnsFor(rows.length + 1);
  const lines = Math.ceil((rows.length + 1) / columns);
  const place = (i: number) => ({
    x: margin + (i % columns) * (width + gap),
    y: headHeight + Math.floor(i / columns) * (height + captionHeight + chartHeight + gap),
  });
  const panels = rows.map((row, i) => ({ row, heat: heatmapPlanes(row.map, seen.pixels, width, height), ...place(i + 1) }));
  const sheet = createCanvas(
    even(Math.max(2 * margin + columns * (width + gap) - gap, 480)),
    even(headHeight + lines * (height + captionHeight + chartHeight + gap) + margin - gap),
  );
  return { width: sheet.width, height: sheet.height, frames: draw(sheet, content, panels, width, height) };
}

const even = (length: number): number => 2 * Math.ceil(length / 2);
const columnsFor = (panels: number): number => (panels <= 5 ? panels : Math.ceil(panels / Math.ceil(panels / 5)));
const panelEdge = (panels: number): number => (columnsFor(panels) <= 3 ? 280 : 232);

function* draw(
  sheet: Canvas,
  content: VideoContent,
  panels: readonly Panel[],
  width: number,
  height: number,
): Generator<Uint8Array> {
  const context = sheet.getContext('2d');
  for (const [i, atSec] of content.momentsSec.entries()) {
    context.fillStyle = ground;
    context.fillRect(0, 0, sheet.width, sheet.height);
    const speed = Math.abs(content.speed - 1) < 0.01 ? '' : `   ${content.speed.toFixed(2)} times its speed`;
    write(context, content.title, margin, 28, `bold 17px ${face}`, ink);
    write(context, `${atSec.toFixed(2)} s${speed}`, sheet.width - margin, 28, `14px ${face}`, muted, 'right');
    const frame = cutFrame(content.seen, i, width, height);
    context.drawImage(frame, margin, headHeight);
    write(context, 'what the network sees', margin, headHeight + height + 18, `13px ${face}`, ink);
    drawMoments(context, content, atSec, margin, headHeight + height + captionHeight, width);
    for (const panel of panels) drawPanel(context, content, panel, frame, atSec);
    yield context.getImageData(0, 0, sheet.width, sheet.height).data as unknown as Uint8Array;
  }
}

function drawPanel(context: SKRSContext2D, content: VideoContent, panel: Panel, frame: Canvas, atSec: number): void {
  const { row, heat, x, y } = panel;
  context.drawImage(heated(frame, heatBetween(heat, content.timesSec, atSec)), x, y);
  write(context, row.title, x, y + frame.height + 18, `13px ${face}`, ink);
  drawChart(context, row.map, content, atSec, x, y + frame.height + captionHeight, frame.width);
}

/** x of a moment on a chart of the whole video. */
function onChart({ startSec, endSec }: VideoContent, atSec: number, x: number, width: number): number {
  return x + (width * (atSec - startSec)) / Math.max(endSec - startSec, 1e-9);
}

/** A bar per input moment, as high as its share of attention; the largest fills the height. */
function drawChart(
  context: SKRSContext2D,
  map: Attention,
  content: VideoContent,
  atSec: number,
  x: number,
  y: number,
  width: number,
): void {
  const shares = timeShares(map);
  const most = Math.max(...shares);
  const bars = chartHeight - 6;
  const thick = Math.min((0.7 * width) / shares.length, 18);
  context.fillStyle = bar;
  shares.forEach((share, t) => {
    const centre = onChart(content, content.timesSec[t] ?? 0, x, width);
    const left = Math.min(Math.max(centre - thick / 2, x), x + width - thick);
    context.fillRect(left, y + bars * (1 - share / most), thick, (bars * share) / most);
  });
  drawBase(context, content, atSec, x, y, width);
}

/** Input moments. */
function drawMoments(context: SKRSContext2D, content: VideoContent, atSec: number, x: number, y: number, width: number): void {
  context.fillStyle = muted;
  for (const timeSec of content.timesSec) {
    context.beginPath();
    context.arc(onChart(content, timeSec, x, width), y + chartHeight - 14, 3, 0, 2 * Math.PI);
    context.fill();
  }
  drawBase(context, content, atSec, x, y, width);
}

function drawBase(context: SKRSContext2D, content: VideoContent, atSec: number, x: number, y: number, width: number): void {
  const bars = chartHeight - 6;
  context.fillStyle = muted;
  context.fillRect(x, y + bars, width, 1);
  context.fillStyle = head;
  context.fillRect(Math.min(onChart(content, atSec, x, width), x + width - 2) - 1, y, 2, bars + 4);
}
