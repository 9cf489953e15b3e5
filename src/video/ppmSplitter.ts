/** Splits a stream of PPM pictures (P6, 8 bits) into frames; each header holds its size, which may change. */
import { LimitError, VideoError } from '../errors.js';

export interface RgbFrame {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3] */
  readonly rgb: Uint8Array;
}

/** "P6", two sizes and the maximum fit in this. */
const longestHeader = 64;

export class PpmSplitter {
  private header = '';
  private frame: { width: number; height: number; rgb: Uint8Array } | undefined;
  private filled = 0;

  constructor(
    private readonly where: string,
    private readonly maxPixels: number,
  ) {}

  /** Whether a picture is incomplete. */
  get unfinished(): boolean {
    return this.frame !== undefined || this.header !== '';
  }

  /** Pictures completed by these bytes. Throws VideoError for invalid PPM, LimitError for too many pixels. */
  *push(bytes: Uint8Array): Generator<RgbFrame> {
    let at = 0;
    while (at < bytes.length) {
      if (!this.frame) {
        at = this.readHeader(bytes, at);
        continue;
      }
      const count = Math.min(this.frame.rgb.length - this.filled, bytes.length - at);
      this.frame.rgb.set(bytes.subarray(at, at + count), this.filled);
      this.filled += count;
      at += count;
      if (this.filled < this.frame.rgb.length) continue;
      const whole = this.frame;
      this.frame = undefined;
      yield whole;
    }
  }

  private readHeader(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      this.header += String.fromCharCode(bytes[at] ?? 0);
      const [, width, height] = /^P6\s(\d+)\s(\d+)\s255\s$/.exec(this.header) ?? [];
      if (width !== undefined && height !== undefined) {
        this.begin(Number(width), Number(height));
        return at + 1;
      }
      if (this.header.length > longestHeader)
        throw new VideoError('FFmpeg sent something other than pictures', { path: this.where });
    }
    return bytes.length;
  }

  private begin(width: number, height: number): void {
    if (width * height > this.maxPixels)
      throw new LimitError(`frames of ${width}x${height} are more than ${this.maxPixels} pixels`, { path: this.where });
    this.header = '';
    this.filled = 0;
    this.frame = { width, height, rgb: new Uint8Array(width * height * 3) };
  }
}
