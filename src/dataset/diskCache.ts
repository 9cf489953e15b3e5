/** Frame stacks on disk, safe for several processes: written aside and renamed, with a header, length and CRC. */

import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync, utimesSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { systemCode } from '../errors.js';
import { pixelBytes } from '../video/geometry.js';
import { type FrameStackKey, keyName, type VideoFrameStack } from './frameStack.js';

/** Magic bytes; the digit is the format version. */
const magic = Buffer.from('VMFSTRP1');
const maxHeaderBytes = 1 << 20;

/** Header before the pixels; `key` is readable, the file name is its hash. */
type Header = Omit<VideoFrameStack, 'rgb'> & {
  readonly key: { readonly path: string };
  readonly rgbBytes: number;
  readonly rgbCrc: number;
};

function isHeader(value: unknown): value is Header {
  const isRecord = (it: unknown): it is Record<string, unknown> => typeof it === 'object' && it !== null;
  if (!isRecord(value) || !isRecord(value['key']) || !isRecord(value['window'])) return false;
  const { width, height, slots, durationSec, frameRate, truncated, window, rgbBytes, rgbCrc, key } = value;
  return (
    [width, height, rgbBytes].every((it) => Number.isSafeInteger(it) && Number(it) > 0) &&
    Array.isArray(slots) &&
    slots.length > 0 &&
    slots.every((slot) => Number.isSafeInteger(slot) && slot >= 0) &&
    [durationSec, frameRate, window['startSec'], window['endSec']].every(Number.isFinite) &&
    Number.isSafeInteger(rgbCrc) &&
    typeof window['whole'] === 'boolean' &&
    typeof key['path'] === 'string' &&
    (truncated === undefined || typeof truncated === 'string')
  );
}

/** Where the strip with this key lies in a cache folder. */
export function frameStackFile(folder: string, key: FrameStackKey): string {
  const name = keyName(key);
  return join(folder, name.slice(0, 2), `${name.slice(2)}.strip`);
}

/** The strip, if a sound one is there; a damaged one is removed and reported as such. */
export function readFrameStack(file: string): VideoFrameStack | 'absent' | 'damaged' {
  const fd = openIfThere(file);
  if (fd === undefined) return 'absent';
  try {
    const strip = readOpen(fd);
    if (strip !== undefined) {
      touch(file);
      return strip;
    }
  } finally {
    closeSync(fd);
  }
  rmSync(file, { force: true });
  return 'damaged';
}

function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Access time orders eviction. Another process may just have removed the file. */
function touch(file: string): void {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}

function readOpen(fd: number): VideoFrameStack | undefined {
  const start = Buffer.alloc(16);
  if (readSync(fd, start, 0, 16, 0) !== 16 || !start.subarray(0, 8).equals(magic)) return undefined;
  const [headerBytes, headerCrc] = [start.readUInt32LE(8), start.readUInt32LE(12)];
  if (headerBytes > maxHeaderBytes) return undefined;
  const text = Buffer.alloc(headerBytes);
  if (readSync(fd, text, 0, headerBytes, 16) !== headerBytes || crc32(text) !== headerCrc) return undefined;
  const header: unknown = JSON.parse(text.toString());
  if (!isHeader(header)) return undefined;
  const { rgbBytes, rgbCrc, key: _, truncated, ...facts } = header;
  if (fstatSync(fd).size !== 16 + headerBytes + rgbBytes) return undefined;
  const rgb = pixelBytes(rgbBytes, true);
  if (readSync(fd, rgb, 0, rgbBytes, 16 + headerBytes) !== rgbBytes || crc32(rgb) !== rgbCrc) return undefined;
  return { ...facts, ...(truncated === undefined ? {} : { truncated }), rgb };
}

/** Writes a strip and returns the bytes of its file. Throws what the file system throws. */
export function writeFrameStack(file: string, key: FrameStackKey, strip: VideoFrameStack): number {
  mkdirSync(dirname(file), { recursive: true });
  const { rgb, ...facts } = strip;
  const text = Buffer.from(JSON.stringify({ key, ...facts, rgbBytes: rgb.byteLength, rgbCrc: crc32(rgb) }));
  const start = Buffer.alloc(16);
  magic.copy(start);
  start.writeUInt32LE(text.byteLength, 8);
  start.writeUInt32LE(crc32(text), 12);
  const part = join(dirname(file), `.${randomUUID()}.part`);
  try {
    writeAll(part, [start, text, rgb]);
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
  return 16 + text.byteLength + rgb.byteLength;
}

function writeAll(file: string, pieces: readonly Uint8Array[]): void {
  const fd = openSync(file, 'wx');
  try {
    for (const piece of pieces) {
      for (let done = 0; done < piece.byteLength; ) done += writeSync(fd, piece, done);
    }
  } finally {
    closeSync(fd);
  }
}

const isCode = (error: unknown, code: string): boolean => systemCode(error) === code;
