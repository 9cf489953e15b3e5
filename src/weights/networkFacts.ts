import type { Preprocess } from '../clip/preprocess.js';
import type { NetworkConfig } from '../models/config.js';
import type { BoutSettings } from './boutSettings.js';
import type { Calibration } from './calibration.js';

/** A network without its weights. */
export interface NetworkFacts {
  readonly config: NetworkConfig;
  /** One a class, in the order of the logits. */
  readonly labels: readonly string[];
  /** Any number of classes is true of a clip: sigmoids of logits are probabilities, each of its own class. */
  readonly multiLabel?: true;
  readonly preprocess: Preprocess;
  /** Free-form facts: training and accuracy. */
  readonly notes: Readonly<Record<string, string>>;
  /**
   * Confidence calibration, absent until `vmf eval --calibrate` or the end of training: logits are divided by its temperature before softmax
   * or sigmoid.
   */
  readonly calibration?: Calibration;
  /** How windows of films become bouts; absent until `vmf eval --films --tune`. */
  readonly bouts?: BoutSettings;
}
