import { Rng, type Rng as Stream } from '../rng.js';
import { createCanvas } from '../video/canvas.js';
import { type ActionClass, actionClasses } from './actions.js';
import { type ClipOptions, drawClip } from './clip.js';
import { renderClip } from './render.js';

export interface SheetOptions extends ClipOptions {
  readonly seed: number;
  readonly classes?: readonly ActionClass[];
  /** Clips a class, one below the other; 1 by default. */
  readonly rowsPerClass?: number;
  /** Frames a row; 8 by default. */
  readonly columns?: number;
}

const LABEL = 92;

/** PNG bytes. */
export function contactSheet(options: SheetOptions): Buffer {
  const { width, height, seed, classes = actionClasses, rowsPerClass = 1, columns = 8 } = options;
  const rows = classes.flatMap((name) => Array.from({ length: rowsPerClass }, (_, index) => ({ name, index })));
  const sheet = createCanvas(LABEL + columns * (width + 2), rows.length * (height + 2));
  const context = sheet.getContext('2d');
  context.fillStyle = 'white';
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.fillStyle = 'black';
  context.font = '13px sans-serif';
  for (const [row, { name, index }] of rows.entries()) {
    const y = row * (height + 2);
    context.fillText(name, 4, y + height / 2);
    const frames = sampledFrames(name, new Rng([seed, 'sheet', name, index]), options, columns);
    for (const [column, frame] of frames.entries()) {
      const image = context.createImageData(width, height);
      image.data.set(frame);
      context.putImageData(image, LABEL + column * (width + 2), y);
    }
  }
  return sheet.toBuffer('image/png');
}

function sampledFrames(name: ActionClass, rng: Stream, options: ClipOptions, count: number): Uint8Array[] {
  const clip = drawClip(name, rng, options);
  const wanted = Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * clip.poses.length) / count));
  return [...copied(renderClip(clip))].filter((_, index) => wanted.includes(index));
}

function* copied(frames: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const frame of frames) yield frame.slice();
}
