/** What a training run may be told, with its defaults; a key that is not here is an error. */

import { z } from 'zod';
import { augmentSchema, defaultAugment } from '../clip/augment.js';
import { ConfigError } from '../errors.js';

const trainOptionsSchema = z.strictObject({
  epochs: z.int().min(1).max(100_000).default(30),
  /** Clips a batch. */
  batch: z.int().min(2).max(1024).default(16),
  /** Peak learning rate of AdamW. */
  rate: z.number().positive().max(1).default(1e-3),
  /** Decay of convolution and linear weights. */
  weightDecay: z.number().min(0).max(1).default(0.05),
  /** Epochs in which the rate rises linearly; then it falls as a half cosine to `finalRate` times the peak. */
  warmupEpochs: z.number().min(0).default(2),
  finalRate: z.number().min(0).max(1).default(0.01),
  labelSmoothing: z.number().min(0).max(0.9).default(0.1),
  /** Largest L2 norm of the whole gradient; 0 for no limit. */
  maxGradientNorm: z.number().min(0).default(5),
  /** Share of the head's hidden values dropped; by default the network's own. */
  dropout: z.number().min(0).max(0.95).optional(),
  /** Training batches over which batch-norm statistics are estimated anew before each validation; 0 keeps the running ones. */
  statisticsBatches: z.int().min(0).max(1000).default(12),
  /** Everything random: first weights, order, crops, dropout. */
  seed: z.int().min(0).default(0),
  augment: augmentSchema.default(defaultAugment),
  /** More unreadable training videos than this share end the run. */
  maxBadShare: z.number().min(0).max(1).default(0.05),
});

export type TrainOptions = Readonly<z.infer<typeof trainOptionsSchema>>;
export type TrainChoices = z.input<typeof trainOptionsSchema>;

/** Fills in defaults and checks; `where` names the source in a ConfigError. */
export function trainOptions(chosen: unknown, where = 'training options'): TrainOptions {
  const parsed = trainOptionsSchema.safeParse(chosen);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'value'}: ${issue.message}`);
  throw new ConfigError(`${where}: ${faults.join('; ')}`);
}
