/** RGB to limited-range BT.709 4:2:0 planes, in integers: the same bytes on every machine. */

/** Bytes of one frame: a full luma plane and two chroma planes of half the size, rounded up. */
export function yuv420Bytes(width: number, height: number): number {
  return width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);
}

const ONE = 1 << 16;
const KR = 0.2126;
const KB = 0.0722;
const KG = 1 - KR - KB;
const LUMA = 219 / 255;
const CHROMA = 224 / 255;
const fixed = (value: number) => Math.round(value * ONE);
const Y_R = fixed(KR * LUMA);
const Y_G = fixed(KG * LUMA);
const Y_B = fixed(KB * LUMA);
const U_R = fixed((-KR / (2 * (1 - KB))) * CHROMA);
const U_B = fixed(0.5 * CHROMA);
const U_G = -U_R - U_B;
const V_R = fixed(0.5 * CHROMA);
const V_B = fixed((-KB / (2 * (1 - KR))) * CHROMA);
const V_G = -V_R - V_B;

/**
 * [height, width, channels] with 3 (RGB) or 4 (RGBA, alpha ignored) channels, into planes Y, U, V one after the other.
 * Chroma is the mean of the 2x2 (at odd borders fewer) pixels it covers.
 */
export function rgbToYuv420(rgb: Uint8Array, width: number, height: number, out: Uint8Array): void {
  const channels = rgb.length / (width * height);
  const chromaWidth = Math.ceil(width / 2);
  const chromaHeight = Math.ceil(height / 2);
  const uAt = width * height;
  const vAt = uAt + chromaWidth * chromaHeight;
  for (let i = 0, p = 0; i < uAt; i++, p += channels) {
    out[i] = 16 + ((Y_R * at(rgb, p) + Y_G * at(rgb, p + 1) + Y_B * at(rgb, p + 2) + ONE / 2) >> 16);
  }
  for (let cy = 0; cy < chromaHeight; cy++) {
    const top = 2 * cy * width;
    const bottom = Math.min(2 * cy + 1, height - 1) * width;
    for (let cx = 0; cx < chromaWidth; cx++) {
      const left = 2 * cx;
      const right = Math.min(left + 1, width - 1);
      const [a, b, c, d] = [
        (top + left) * channels,
        (top + right) * channels,
        (bottom + left) * channels,
        (bottom + right) * channels,
      ];
      const r = at(rgb, a) + at(rgb, b) + at(rgb, c) + at(rgb, d);
      const g = at(rgb, a + 1) + at(rgb, b + 1) + at(rgb, c + 1) + at(rgb, d + 1);
      const bl = at(rgb, a + 2) + at(rgb, b + 2) + at(rgb, c + 2) + at(rgb, d + 2);
      const i = cy * chromaWidth + cx;
      out[uAt + i] = 128 + ((U_R * r + U_G * g + U_B * bl + 2 * ONE) >> 18);
      out[vAt + i] = 128 + ((V_R * r + V_G * g + V_B * bl + 2 * ONE) >> 18);
    }
  }
}

const at = (bytes: Uint8Array, index: number): number => bytes[index] as number;
