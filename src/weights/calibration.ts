/** Calibration stored with weights: temperature, how it was fitted, and a reject threshold. */
import { z } from 'zod';
import { WeightsError } from '../errors.js';
import { parsedJson } from '../json.js';
import { upgradedCalibration } from './legacy.js';

const share = z.number().min(0).max(1);

/** Unknown keys are dropped: later versions may add some. */
const calibrationSchema = z.object({
  /** Probabilities are softmax(logits / temperature). */
  temperature: z.number().min(0.01).max(100),
  fittedOn: z.object({
    videos: z.int().min(1),
    split: z.string(),
    /** Views per video, such as "1x1": clips in time x crops. */
    views: z.string(),
    /** Expected calibration error, 15 bins. */
    eceBefore: share,
    eceAfter: share,
    /** Nats. */
    nllBefore: z.number(),
    nllAfter: z.number(),
  }),
  /** A lower top score is answered as unknown. */
  rejectThreshold: share.optional(),
  /** Precision asked for, and precision and coverage reached on these videos. */
  unknownFit: z.object({ wanted: share, precision: share, coverage: share }).optional(),
});

type Parsed = z.infer<typeof calibrationSchema>;

export interface Calibration extends Readonly<Omit<Parsed, 'rejectThreshold' | 'unknownFit'>> {
  readonly rejectThreshold?: number;
  readonly unknownFit?: NonNullable<Readonly<Parsed['unknownFit']>>;
}

/** From the metadata of a file, for weights that have one: `{}` or `{ calibration }`. WeightsError for anything else than that. */
export function storedCalibration(
  metadata: Readonly<Record<string, string>>,
  where: string,
): { readonly calibration?: Calibration } {
  const text = metadata['calibration'];
  if (text === undefined) return {};
  const found = calibrationSchema.safeParse(upgradedCalibration(parsedJson(text)));
  if (!found.success) {
    const fault = found.error.issues.map(({ path, message }) => `${path.join('.') || 'value'}: ${message}`);
    throw new WeightsError(`metadata "calibration" is not understood: ${fault.join('; ')}`, { path: where });
  }
  const { temperature, fittedOn, rejectThreshold, unknownFit } = found.data;
  const threshold = { ...(rejectThreshold !== undefined && { rejectThreshold }), ...(unknownFit && { unknownFit }) };
  return { calibration: { temperature, fittedOn, ...threshold } };
}
