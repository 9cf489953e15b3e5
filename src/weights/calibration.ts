import * as v from 'valibot';
import { WeightsError } from '../errors.js';
import { parsedJson } from '../json.js';
import { faultsOf, integer, number, share } from '../schema.js';
import { upgradedCalibration } from './legacy.js';

/** Unknown keys are dropped: later versions may add some. */
const calibrationSchema = v.object({
  /** Probabilities are softmax(logits / temperature). */
  temperature: number(0.01, 100),
  fittedOn: v.object({
    videos: integer(1),
    split: v.string(),
    /** Views per video, such as "1x1": clips in time x crops. */
    views: v.string(),
    /** Expected calibration error, 15 bins. */
    eceBefore: share,
    eceAfter: share,
    /** Nats. */
    nllBefore: number(),
    nllAfter: number(),
  }),
  /** A lower top score is answered as unknown. */
  rejectThreshold: v.optional(share),
  /** Precision asked for, and precision and coverage reached on these videos. */
  /** With several labels at once: the score from which each class is there, chosen for its F1. */
  thresholds: v.optional(v.array(share)),
  unknownFit: v.optional(v.object({ wanted: share, precision: share, coverage: share })),
});

type Parsed = v.InferOutput<typeof calibrationSchema>;

export interface Calibration extends Readonly<Omit<Parsed, 'rejectThreshold' | 'thresholds' | 'unknownFit'>> {
  readonly thresholds?: readonly number[];
  readonly rejectThreshold?: number;
  readonly unknownFit?: NonNullable<Readonly<Parsed['unknownFit']>>;
}

/**
 * From the metadata of a file, for weights that have one: `{}` or `{ calibration }`. WeightsError for anything else than that.
 */
export function storedCalibration(
  metadata: Readonly<Record<string, string>>,
  where: string,
): { readonly calibration?: Calibration } {
  const text = metadata['calibration'];
  if (text === undefined || text === '') return {}; // empty: that of an earlier readout does not count
  const found = v.safeParse(calibrationSchema, upgradedCalibration(parsedJson(text)));
  if (!found.success) {
    throw new WeightsError(`metadata "calibration" is not understood: ${faultsOf(found.issues).join('; ')}`, { path: where });
  }
  const { temperature, fittedOn, rejectThreshold, thresholds, unknownFit } = found.output;
  const threshold = {
    ...(thresholds && { thresholds }),
    ...(rejectThreshold !== undefined && { rejectThreshold }),
    ...(unknownFit && { unknownFit }),
  };
  return { calibration: { temperature, fittedOn, ...threshold } };
}
