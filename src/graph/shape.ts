import { ShapeError } from '../errors.js';

export type Shape = readonly number[];

/** Number of elements. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, i) => size === b[i]);

export const showShape = (shape: Shape): string => `[${shape.join(', ')}]`;

/** The shape of an elementwise result, with NumPy's rule: missing leading axes and axes of one element are repeated. */
export function broadcastShape(a: Shape, b: Shape, what: string): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new ShapeError(`${what}: ${showShape(a)} and ${showShape(b)} do not broadcast`);
    return Math.max(x, y);
  });
}

/** Sizes of a feature map: T frames, B clips, C channels, H x W positions. */
export interface MapSize {
  readonly frames: number;
  readonly clips: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Reads [T, B, C, H, W]; `what` names the operator in the error. */
export function mapSize(shape: Shape, what: string): MapSize {
  const [frames, clips, channels, height, width] = shape;
  if (shape.length !== 5 || !frames || !clips || !channels || !height || !width) {
    throw new ShapeError(`${what}: expected a feature map [T, B, C, H, W], got ${showShape(shape)}`);
  }
  return { frames, clips, channels, height, width };
}

/** Throws unless the condition holds. */
export function need(condition: boolean, what: string, ...shapes: Shape[]): void {
  if (!condition) throw new ShapeError(`${what}; got ${shapes.map(showShape).join(' and ')}`);
}
