import assert from 'node:assert/strict';

/** Frame sizes of an MP4 in bytes, from its `stsz` box. */
export function sampleSizes(mp4: Buffer): number[] {
  const box = mp4.indexOf('stsz');
  return Array.from({ length: mp4.readUInt32BE(box + 12) }, (_, index) => mp4.readUInt32BE(box + 16 + 4 * index));
}

/** A PNG of 1x1 pixels, in base64. */
export const tinyPng = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** 0.1 s of silence. */
export function wav(): Buffer {
  const samples = 800;
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + 2 * samples, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(8000, 24);
  header.writeUInt32LE(16000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(2 * samples, 40);
  return Buffer.concat([header, Buffer.alloc(2 * samples)]);
}

/** Peak signal-to-noise ratio in dB of two 8-bit pictures of equal size. */
export function psnr(a: Uint8Array, b: Uint8Array): number {
  assert.equal(a.length, b.length);
  const sum = a.reduce((total, value, index) => total + (value - (b[index] ?? 0)) ** 2, 0);
  return sum === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10((255 * 255 * a.length) / sum);
}
