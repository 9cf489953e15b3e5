/** The planes of a decoded frame, copied out as the decoder made them: no conversion by the browser. */
import { VideoError } from '../errors.js';
import type { Plane, YuvPlanes } from '../video/yuvToRgb.js';

interface Layout {
  /** Luma samples to a chroma sample. */
  readonly across: number;
  readonly down: number;
  readonly bits: number;
  /** U and V alternate in one plane. */
  readonly interleaved: boolean;
}

/** VideoPixelFormat of planes: I420, I422AP10, NV12 and so on. */
function layoutOf(format: string): Layout | undefined {
  if (format === 'NV12') return { across: 2, down: 2, bits: 8, interleaved: true };
  const [, kind = '', bits = '8'] = /^I(420|422|444)A?(?:P(10|12))?$/.exec(format) ?? [];
  if (kind === '') return undefined;
  return { across: kind === '444' ? 1 : 2, down: kind === '420' ? 2 : 1, bits: Number(bits), interleaved: false };
}

/** VideoError for a frame that has no planes of luma and chroma. */
export async function planesOf(path: string, frame: VideoFrame): Promise<YuvPlanes> {
  if (frame.colorSpace.matrix === 'rgb') throw new VideoError('its frames are RGB; expected luma and chroma', { path });
  const layout = layoutOf(frame.format ?? '');
  if (layout === undefined)
    throw new VideoError(`its frames come out as ${frame.format ?? 'no known format'}; expected planes of luma and chroma`, {
      path,
    });
  const { width = frame.codedWidth, height = frame.codedHeight } = frame.visibleRect ?? {};
  const bytes = new Uint8Array(frame.allocationSize());
  const places = await frame.copyTo(bytes);
  const chroma = { width: Math.ceil(width / layout.across), height: Math.ceil(height / layout.down) };
  const plane = (index: number, size: { width: number; height: number }, step = 1, from = 0): Plane =>
    planeOf(bytes, places[index] ?? { offset: 0, stride: 0 }, { ...size, bits: layout.bits, step, from });
  const y = plane(0, { width, height });
  if (layout.interleaved) return { y, u: plane(1, chroma, 2), v: plane(1, chroma, 2, 1) };
  return { y, u: plane(1, chroma), v: plane(2, chroma) };
}

interface PlaneShape {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  /** Samples from one of the plane to the next, and the first. */
  readonly step: number;
  readonly from: number;
}

/** Without gaps, 8 bits a sample. */
function planeOf(bytes: Uint8Array, { offset, stride }: PlaneLayout, { width, height, bits, step, from }: PlaneShape): Plane {
  if (bits === 8 && step === 1 && stride === width)
    return { width, height, data: bytes.subarray(offset, offset + width * height) };
  const view = new DataView(bytes.buffer);
  const [wide, less] = [bits > 8, bits - 8];
  const data = new Uint8Array(width * height);
  for (let row = 0, to = 0; row < height; row++) {
    for (let i = 0; i < width; i++, to++) {
      const at = step * i + from;
      const start = offset + row * stride;
      const sample = wide ? view.getUint16(start + 2 * at, true) : view.getUint8(start + at);
      data[to] = wide ? Math.min((sample + (1 << (less - 1))) >> less, 255) : sample;
    }
  }
  return { width, height, data };
}
