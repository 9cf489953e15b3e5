import type { BackEndName } from './types.js';

export type VideoCodec = 'h264' | 'vp9';
export type EncoderName = BackEndName;

export interface EncodeOptions {
  readonly width: number;
  readonly height: number;
  /** Frames a second; 29.97 and its like are taken for 30000/1001. */
  readonly frameRate: number;
  readonly codec: VideoCodec;
  /** `auto`: node-av where it is installed and loads, else the system's ffmpeg (see {@link chooseEncoder}). */
  readonly encoder?: 'auto' | EncoderName;
  /** Constant quality, smaller is better and larger: by default 20 for h264, 30 for vp9. */
  readonly crf?: number;
}

/** A resolved job for an encoder back end; the file's extension is irrelevant. */
export interface EncodeJob {
  readonly path: string;
  readonly container: 'mp4' | 'webm';
  readonly library: 'libx264' | 'libvpx-vp9';
  readonly width: number;
  readonly height: number;
  readonly rate: Rate;
  /** Private options of the encoder, as FFmpeg names them. */
  readonly options: Readonly<Record<string, string>>;
}

interface Rate {
  readonly num: number;
  readonly den: number;
}

/** The settings that make encoding quick, good enough and the same every time. */
export function jobOf(path: string, { width, height, frameRate, codec, crf }: EncodeOptions): EncodeJob {
  const shared = { path, width, height, rate: rateOf(frameRate) };
  if (codec === 'h264') {
    const options = { preset: 'superfast', crf: String(crf ?? 20), threads: '1' };
    return { ...shared, container: 'mp4', library: 'libx264', options };
  }
  const options = { deadline: 'good', 'cpu-used': '5', crf: String(crf ?? 30), b: '0', threads: '1', 'row-mt': '0' };
  return { ...shared, container: 'webm', library: 'libvpx-vp9', options };
}

function rateOf(frameRate: number): Rate {
  if (Number.isInteger(frameRate)) return { num: frameRate, den: 1 };
  const ntsc = Math.round(frameRate * 1.001);
  if (Math.abs(frameRate - ntsc / 1.001) < 0.005) return { num: ntsc * 1000, den: 1001 };
  return { num: Math.round(frameRate * 1000), den: 1000 };
}
