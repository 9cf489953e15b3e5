import type { FrameStrip } from '../video/types.js';

/** Differences below this (of 255) are noise of the encoder. */
const stillBelow = 0.6;

export interface Motion {
  /** Mean absolute difference from the first frame, at its largest; 0 to 255. */
  readonly most: number;
  /** Seconds at the start in which hardly anything happens: differences stay below a tenth of the largest. */
  readonly frozenSec: number;
}

/** `startSec`: when what was read begins. */
export function motionOf(strip: FrameStrip, startSec: number): Motion {
  const frameBytes = strip.width * strip.height * 3;
  const first = strip.rgb.subarray(0, frameBytes);
  const apart = Array.from(strip.timesSec, (_, i) => meanApart(first, strip.rgb.subarray(i * frameBytes, (i + 1) * frameBytes)));
  const most = Math.max(...apart);
  const moving = apart.findIndex((value) => value > Math.max(stillBelow, most / 10));
  return { most, frozenSec: moving <= 0 ? 0 : (strip.timesSec[moving] ?? startSec) - startSec };
}

export const isStill = (motion: Motion): boolean => motion.most < stillBelow;

function meanApart(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] as number) - (b[i] as number));
  return sum / a.length;
}
