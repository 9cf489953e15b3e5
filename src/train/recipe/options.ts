/**
 * The recipe: everything a training run may be told, with its defaults; a key that is not here is an error. What each part brings was
 * measured: see `npm run bench -- ablation` and the recipe files.
 */

import { z } from 'zod';
import { augmentSchema, defaultAugment } from '../../clip/augmentOptions.js';
import { ConfigError } from '../../errors.js';
import { renamedAmong } from './renamed.js';

const share = z.number().min(0).max(1);

const defaultStrongAugment = augmentSchema.parse({
  operations: 2,
  magnitude: 0.4,
  randomErasing: 0.2,
  temporalWarp: 0.2,
  temporalScale: [0.7, 1],
});

const trainOptionsSchema = z.strictObject({
  epochs: z.int().min(1).max(100_000).default(30),
  /** Clips a pass. */
  batch: z.int().min(2).max(1024).default(16),
  /** Passes whose gradients are averaged for one step: large batches in little memory. Batch norms still see one pass. */
  gradAccum: z.int().min(1).max(256).default(1),
  /** Peak learning rate of AdamW. */
  lr: z.number().positive().max(1).default(1e-3),
  /** Decay of convolution and linear weights. */
  weightDecay: share.default(0.05),
  /** Epochs in which the learning rate rises linearly; then it falls as a half cosine to `minLrRatio` times the peak. */
  warmupEpochs: z.number().min(0).default(2),
  minLrRatio: share.default(0.01),
  labelSmoothing: z.number().min(0).max(0.9).default(0.1),
  /** Shape of the Beta distribution of mixup and cutmix, 0 for none, and the share of batches that are mixed. */
  mixup: z.number().min(0).max(10).default(0),
  cutmix: z.number().min(0).max(10).default(0),
  mixProb: share.default(1),
  /** Largest L2 norm of the whole gradient; 0 for no limit. */
  gradClip: z.number().min(0).default(5),
  /** Share of the head's hidden values dropped; by default the network's own. */
  dropout: z.number().min(0).max(0.95).optional(),
  /** Chance that a clip skips the last residual block; earlier ones in proportion to their depth ("stochastic depth"). */
  dropPath: z.number().min(0).max(0.9).default(0),
  /** Decay a step of a moving average of the weights, which is then what is tested and kept; 0 for none. Shorter at the start. */
  ema: z.number().min(0).max(0.99999).default(0),
  /** Clips of each video an epoch, next to each other. */
  repeatedAug: z.int().min(1).max(16).default(1),
  /** Small classes are shown as often as the largest. */
  classBalanced: z.boolean().default(false),
  /** Factor of the learning rate from a layer to the one below it, from the head down: below 1 for fine-tuning. */
  layerDecay: z.number().min(0.1).max(1).default(1),
  /** Epochs over which the network is unfrozen, from the head down to the stem; 0 trains everything from the start. */
  unfreezeEpochs: z.int().min(0).default(0),
  /** frozen: batch norms use the statistics the run starts with, also in training: for fine-tuning on very few clips. */
  batchNorm: z.enum(['batch', 'frozen']).default('batch'),
  /** Training batches over which batch-norm statistics are estimated anew before each validation; 0 keeps the running ones. */
  preciseBn: z.int().min(0).max(1000).default(12),
  /** Epochs from one validation to the next; the last epoch is always validated. Without validation videos the last is the only look. */
  validateEvery: z.int().min(1).default(1),
  /** Ends the run after this many validations without a better one; 0 for never. */
  patience: z.int().min(0).default(0),
  /** With unlabelled videos: their share of each pass, how sure the teacher must be, the weight of what it says, the share of the
   * run over which that weight rises from next to nothing, and the share of passes in which unlabelled clips are mixed by tubes. */
  unlabelledRatio: z.number().min(0.05).max(0.95).default(0.5),
  pseudoThreshold: share.default(0.6),
  pseudoWeight: z.number().min(0).max(10).default(1),
  rampUp: share.default(0.4),
  tokenMix: share.default(0.5),
  /** With a teacher: its part of the loss, and the temperature at which its answers are learnt. Not measured here: the defaults are
   * those of the field's comparison of methods (Tian et al. 2020, arXiv 1910.10699). */
  distillAlpha: share.default(0.9),
  distillTemperature: z.number().min(0.1).max(100).default(4),
  /** Views of unlabelled clips that the network learns from. */
  strongAugment: augmentSchema.default(defaultStrongAugment),
  /** Everything random: first weights, order, crops, dropout. */
  seed: z.int().min(0).default(0),
  augment: augmentSchema.default(defaultAugment),
  /** More unreadable training videos than this share end the run. */
  maxBadShare: share.default(0.05),
});

export type TrainOptions = Readonly<z.infer<typeof trainOptionsSchema>>;
export type TrainChoices = z.input<typeof trainOptionsSchema>;

/** Fills in defaults and checks; `where` names the source in a ConfigError. */
export function trainOptions(chosen: unknown, where = 'training options'): TrainOptions {
  const renamed = renamedAmong(chosen);
  if (renamed.length > 0) throw new ConfigError(`${where}: ${renamed.join('; ')}`);
  const parsed = trainOptionsSchema.safeParse(chosen);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'value'}: ${issue.message}`);
  throw new ConfigError(`${where}: ${faults.join('; ')}`);
}
