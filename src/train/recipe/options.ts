/**
 * The recipe: everything a training run may be told, with its defaults; a key that is not here is an error. What each part brings was
 * measured: see `npm run bench -- ablation` and the recipe files.
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
  /** Passes whose gradients are averaged for one step: large batches in little memory. Batch norms still see one pass. */
  gradAccum: v.optional(integer(1, 256), 1),
  /** Peak learning rate of AdamW. */
  lr: v.optional(v.pipe(number(), v.gtValue(0), v.maxValue(1)), 1e-3),
  /** Decay of convolution and linear weights. */
  weightDecay: v.optional(share, 0.05),
  /** Epochs in which the learning rate rises linearly; then it falls as a half cosine to `minLrRatio` times the peak. */
  warmupEpochs: v.optional(number(0), 2),
  minLrRatio: v.optional(share, 0.01),
  labelSmoothing: v.optional(number(0, 0.9), 0.1),
  /** Shape of the Beta distribution of mixup and cutmix, 0 for none, and the share of batches that are mixed. */
  mixup: v.optional(number(0, 10), 0),
  cutmix: v.optional(number(0, 10), 0),
  mixProb: v.optional(share, 1),
  /** Largest L2 norm of the whole gradient; 0 for no limit. */
  gradClip: v.optional(number(0), 5),
  /** Share of the head's hidden values dropped; by default the network's own. */
  dropout: v.optional(number(0, 0.95)),
  /** Chance that a clip skips the last residual block; earlier ones in proportion to their depth ("stochastic depth"). */
  dropPath: v.optional(number(0, 0.9), 0),
  /** Decay a step of a moving average of the weights, which is then what is tested and kept; 0 for none. Shorter at the start. */
  ema: v.optional(number(0, 0.99999), 0),
  /** Clips of each video an epoch, next to each other. */
  repeatedAug: v.optional(integer(1, 16), 1),
  /** Small classes are shown as often as the largest. */
  classBalanced: v.optional(v.boolean(), false),
  /** Factor of the learning rate from a layer to the one below it, from the head down: below 1 for fine-tuning. */
  layerDecay: v.optional(number(0.1, 1), 1),
  /** Epochs over which the network is unfrozen, from the head down to the stem; 0 trains everything from the start. */
  unfreezeEpochs: v.optional(integer(0), 0),
  /** frozen: batch norms use the statistics the run starts with, also in training: for fine-tuning on very few clips. */
  batchNorm: v.optional(v.picklist(['batch', 'frozen']), 'batch'),
  /** Training batches over which batch-norm statistics are estimated anew before each validation; 0 keeps the running ones. */
  preciseBn: v.optional(integer(0, 1000), 12),
  /** Epochs from one validation to the next; the last epoch is always validated. Without validation videos the last is the only look. */
  validateEvery: v.optional(integer(1), 1),
  /** Ends the run after this many validations without a better one; 0 for never. */
  patience: v.optional(integer(0), 0),
  /** With unlabelled videos: their share of each pass, how sure the teacher must be, the weight of what it says, the share of the
   * run over which that weight rises from next to nothing, and the share of passes in which unlabelled clips are mixed by tubes. */
  unlabelledRatio: v.optional(number(0.05, 0.95), 0.5),
  pseudoThreshold: v.optional(share, 0.6),
  pseudoWeight: v.optional(number(0, 10), 1),
  rampUp: v.optional(share, 0.4),
  tokenMix: v.optional(share, 0.5),
  /** With a teacher: its part of the loss, and the temperature at which its answers are learnt. Not measured here: the defaults are
   * those of the field's comparison of methods (Tian et al. 2020, arXiv 1910.10699). */
  distillAlpha: v.optional(share, 0.9),
  distillTemperature: v.optional(number(0.1, 100), 4),
  /** Views of unlabelled clips that the network learns from. */
  strongAugment: v.optional(augmentSchema, defaultStrongAugment),
  /** Everything random: first weights, order, crops, dropout. */
  seed: v.optional(integer(0), 0),
  augment: v.optional(augmentSchema, defaultAugment),
  /** More unreadable training videos than this share end the run. */
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
