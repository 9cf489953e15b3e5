/** What every network's configuration has, whatever its family. Configurations are data; users may write their own as JSON. */

import { z } from 'zod';

const pixels = z.int().min(16).max(1024);

/** Fields of every family; a family's own schema spreads them. */
export const commonFields = {
  name: z.string().min(1).max(200),
  /** Clip length T, and the frames' height and width in pixels. */
  frames: z.int().min(1).max(256),
  height: pixels,
  width: pixels,
  classes: z.int().min(1).max(100_000),
  /** Probability with which training drops values before the classifier. */
  dropout: z.number().min(0).max(0.95),
  /** One linear layer over the model's `readout` vector instead of its own head; `dropout` then has no effect. */
  readout: z.literal('linear').optional(),
};

export interface NetworkConfig {
  /** Key into the registry. */
  readonly family: string;
  readonly name: string;
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
  readonly dropout: number;
  /** Frames look back only, `frames` frames in all (time.ts); families without this field always see whole clips. */
  readonly causal?: boolean | undefined;
  readonly readout?: 'linear' | undefined;
}
