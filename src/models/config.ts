/** Configuration common to all networks. Configurations are data; users may write their own as JSON. */

import * as v from 'valibot';
import { integer, number } from '../schema.js';

const pixels = integer(16, 1024);

/** Fields of every family; a family's own schema spreads them. */
export const commonFields = {
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  /** Clip length T, and the frames' height and width in pixels. */
  frames: integer(1, 256),
  height: pixels,
  width: pixels,
  classes: integer(1, 100_000),
  /** Probability with which training drops values before the classifier. */
  dropout: number(0, 0.95),
  /**
   * One linear layer over a vector of the clip's features instead of the model's own head; `dropout` then has no effect. linear: the
   * model's `readout` of its last features; multilevel: `multilevelReadout` of several depths, standardised.
   */
  readout: v.optional(v.picklist(['linear', 'multilevel'])),
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
  readonly readout?: 'linear' | 'multilevel' | undefined;
}
