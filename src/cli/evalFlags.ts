/** What `vmf eval` shares between weights of one label and of several. */

import type { Views } from '../clip/clipView.js';
import type { Split } from '../dataset/labelledVideos.js';
import type { RowFilter } from '../dataset/rowFilter.js';
import { percent } from '../metrics/percent.js';
import { writeFileAtomically } from '../weights/files.js';
import type { MachineFlags } from './arguments.js';
import type { DataFlags } from './dataOptions.js';
import type { CalibrateFlags } from './evalCalibrate.js';

export interface FilmFlags {
  readonly films?: boolean;
  readonly tune?: boolean;
  readonly tunedOut?: string;
  readonly predictions?: string;
  readonly window?: number;
  readonly stride?: number;
}

export interface EvalFlags extends FilmFlags, MachineFlags, CalibrateFlags, DataFlags {
  readonly weights: string;
  readonly split: Split | 'all';
  readonly views: Views;
  readonly seed?: number;
  readonly rejectThreshold?: number;
  readonly filter?: readonly RowFilter[];
  readonly threshold?: number;
  readonly allowOutside?: boolean;
  readonly json?: boolean;
  readonly csv?: string;
  readonly report?: string;
}

export const shareOf = (share: number | null): string => (share === null ? '-' : percent(share));

export async function writeText(path: string, text: string): Promise<void> {
  await writeFileAtomically(path, [new TextEncoder().encode(text)]);
}
