/**
 * All training options with their defaults; an unknown key is an error. Each was measured: see `npm run bench -- ablation` and
 * the recipe files.
 */

import * as v from 'valibot';
import { augmentSchema, defaultAugment } from '../../clip/augmentOptions.js';
import { ConfigError } from '../../errors.js';
import { faultsOf, integer, number, share } from '../../schema.js';
import { renamedAmong } from './renamed.js';

const defaultStrongAugment = v.parse(augmentSchema, {
  operations: 2,
  magnitude: 0.4,
  randomErasing: 0.2,
  temporalWarp: 0.2,
  temporalScale: [0.7, 1],
});

const trainOptionsSchema = v.strictObject({
  epochs: v.optional(integer(1, 100_000), 30),
  /** Clips a pass. */
  batch: v.optional(integer(2, 1024), 16),
  /** Gradient accumulation: passes averaged for one step. Batch norms still see one pass. */
  gradAccum: v.optional(integer(1, 256), 1),
  /** Peak learning rate of AdamW. */
  lr: v.optional(v.pipe(number(), v.gtValue(0), v.maxValue(1)), 1e-3),
  /** Of convolution and linear weights. */
  weightDecay: v.optional(share, 0.05),
  /** Linear warm-up, then a half cosine down to `minLrRatio` times the peak. */
  warmupEpochs: v.optional(number(0), 2),
  minLrRatio: v.optional(share, 0.01),
  labelSmoothing: v.optional(number(0, 0.9), 0.1),
  /** Parameters of the Beta distributions, 0 for none, and the share of batches that are mixed. */
  mixup: v.optional(number(0, 10), 0),
  cutmix: v.optional(number(0, 10), 0),
  mixProb: v.optional(share, 1),
  /** Largest L2 norm of the gradient; 0 for no limit. */
  gradClip: v.optional(number(0), 5),
  /** Of the head's hidden values; by default the network's own. */
  dropout: v.optional(number(0, 0.95)),
  /** Stochastic depth: chance of skipping the last residual block; earlier ones in proportion to their depth. */
  dropPath: v.optional(number(0, 0.9), 0),
  /** Decay a step of a moving average of the weights, which is tested and kept; 0 for none. Shorter at the start. */
  ema: v.optional(number(0, 0.99999), 0),
  /** Clips of each video an epoch, next to each other. */
  repeatedAug: v.optional(integer(1, 16), 1),
  /** Shows small classes as often as the largest. */
  classBalanced: v.optional(v.boolean(), false),
  /** Start from a linear probe of the initial weights, and end with the better of it, the tuned network and averages of both. */
  probe: v.optional(v.boolean(), false),
  /** Learning-rate factor from a layer to the one below it, from the head down: below 1 for fine-tuning. */
  layerDecay: v.optional(number(0.1, 1), 1),
  /** Gradual unfreezing from the head down to the stem; 0 trains everything from the start. */
  unfreezeEpochs: v.optional(integer(0), 0),
  /** frozen: training uses the initial statistics, for fine-tuning on very few clips. */
  batchNorm: v.optional(v.picklist(['batch', 'frozen']), 'batch'),
  /** Batches for statistics estimated anew before each validation; 0 keeps the running ones. */
  preciseBn: v.optional(integer(0, 1000), 12),
  /** In epochs; the last is always validated. Without validation videos only the last counts. */
  validateEvery: v.optional(integer(1), 1),
  /** Early stopping after this many validations without a better one; 0 for never. */
  patience: v.optional(integer(0), 0),
  /**
   * With unlabelled videos: their share of each pass, the teacher's least confidence, the loss weight, the share of the run over
   * which it rises from almost 0, and the share of passes mixed by tubes.
   */
  unlabelledRatio: v.optional(number(0.05, 0.95), 0.5),
  pseudoThreshold: v.optional(share, 0.6),
  pseudoWeight: v.optional(number(0, 10), 1),
  rampUp: v.optional(share, 0.4),
  tokenMix: v.optional(share, 0.5),
  /** Weight and temperature of distillation. Not measured here: the defaults of Tian et al. 2020 (arXiv 1910.10699). */
  distillAlpha: v.optional(share, 0.9),
  distillTemperature: v.optional(number(0.1, 100), 4),
  /** The student's views of unlabelled clips. */
  strongAugment: v.optional(augmentSchema, defaultStrongAugment),
  /** Everything random: first weights, order, crops, dropout. */
  seed: v.optional(integer(0), 0),
  augment: v.optional(augmentSchema, defaultAugment),
  /** A larger share of unreadable training videos ends the run. */
  maxBadShare: v.optional(share, 0.05),
});

export type TrainOptions = Readonly<v.InferOutput<typeof trainOptionsSchema>>;
export type TrainChoices = v.InferInput<typeof trainOptionsSchema>;

/** Fills in defaults and checks; `where` names the source in a ConfigError. */
export function trainOptions(chosen: unknown, where = 'training options'): TrainOptions {
  const renamed = renamedAmong(chosen);
  if (renamed.length > 0) throw new ConfigError(`${where}: ${renamed.join('; ')}`);
  const parsed = v.safeParse(trainOptionsSchema, chosen);
  if (parsed.success) return parsed.output;
  throw new ConfigError(`${where}: ${faultsOf(parsed.issues).join('; ')}`);
}
