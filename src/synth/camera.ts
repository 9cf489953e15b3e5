import type { Rng } from '../rng.js';
import { cross, dot, type Frame, sub, turnedBy, unit, type Vec3 } from './vec3.js';

export interface View {
  /** From the figure's front (0) to its left (positive) or right side, radians. */
  readonly azimuth: number;
  readonly elevation: number;
  readonly distance: number;
  /** Share of the picture's height that a standing figure fills. */
  readonly fill: number;
  /** Where the figure's middle falls, in picture heights from the centre. */
  readonly offsetX: number;
  readonly offsetY: number;
}

/** A view of a figure; `spread` widens from three-quarters to nearly all round. */
export function drawView(rng: Rng, spread: number): View {
  const range = 0.2 + 0.8 * spread;
  const side = rng.chance(0.5) ? 1 : -1;
  return {
    azimuth: side * (0.95 + range * 0.6 * rng.uniform(-1, 1)),
    elevation: 0.14 + 0.2 * spread * rng.uniform(-0.6, 1),
    distance: 4.2 + 2 * spread * rng.uniform(-0.7, 1),
    fill: 0.76 + 0.14 * spread * rng.uniform(-1, 1),
    offsetX: 0.1 * spread * rng.uniform(-1, 1),
    offsetY: 0.05 * spread * rng.uniform(-1, 1),
  };
}

export interface Projected {
  readonly x: number;
  readonly y: number;
  /** Metres in front of the camera. */
  readonly depth: number;
  /** Pixels a metre at this depth. */
  readonly scale: number;
}

export class Camera {
  readonly position: Vec3;
  /** Right, up and forward of the picture. */
  readonly axes: Frame;
  private readonly focal: number;
  private readonly centreX: number;
  private readonly centreY: number;

  /** A picture of width x height pixels of a figure that is `figureHeight` metres tall. */
  constructor(
    readonly view: View,
    readonly width: number,
    readonly height: number,
    figureHeight: number,
  ) {
    const { azimuth, elevation, distance } = view;
    const target: Vec3 = [0, figureHeight * 0.52, 0];
    const flat = Math.cos(elevation);
    const towards: Vec3 = [Math.sin(azimuth) * flat, Math.sin(elevation), Math.cos(azimuth) * flat];
    this.position = [target[0] + towards[0] * distance, target[1] + towards[1] * distance, target[2] + towards[2] * distance];
    const forward = unit(sub(target, this.position));
    const right = unit(cross(forward, [0, 1, 0]));
    this.axes = [right, cross(right, forward), forward];
    this.focal = (view.fill * height * distance) / figureHeight;
    this.centreX = width / 2 + view.offsetX * height;
    this.centreY = height / 2 + view.offsetY * height;
  }

  project(point: Vec3): Projected {
    const from = sub(point, this.position);
    const depth = Math.max(dot(from, this.axes[2]), 0.2);
    const scale = this.focal / depth;
    return {
      x: this.centreX + scale * dot(from, this.axes[0]),
      y: this.centreY - scale * dot(from, this.axes[1]),
      depth,
      scale,
    };
  }

  /** The same camera in the coordinates of a figure that stands at `x`, `z` on the floor (metres), turned left by `yaw`. */
  seenFrom(x: number, z: number, yaw: number): Camera {
    const turn = turnedBy(-yaw);
    const [px, py, pz] = this.position;
    const axes: Frame = [turn(this.axes[0]), turn(this.axes[1]), turn(this.axes[2])];
    const view = { ...this.view, azimuth: this.view.azimuth - yaw };
    return Object.assign(Object.create(Camera.prototype) as Camera, this, { position: turn([px - x, py, pz - z]), axes, view });
  }

  /** The row of the picture where the floor meets the sky, far away. */
  get horizonY(): number {
    return this.centreY - this.focal * Math.tan(this.view.elevation);
  }

  /** A point on the floor, metres to the right of and behind (away from the camera) the figure, as seen. */
  floor(right: number, behind: number, up = 0): Vec3 {
    const { azimuth } = this.view;
    return [right * this.axes[0][0] - behind * Math.sin(azimuth), up, right * this.axes[0][2] - behind * Math.cos(azimuth)];
  }
}
