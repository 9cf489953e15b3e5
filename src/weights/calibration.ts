/** What is stored with weights about how sure their answers are: a temperature for the logits, what it was fitted on, and a threshold. */
import { z } from 'zod';
import { WeightsError } from '../errors.js';

const share = z.number().min(0).max(1);

/** Keys that are not known here are let through and lost: a later version may say more. */
const calibrationSchema = z.object({
  /** Probabilities are softmax(logits / temperature). */
  temperature: z.number().min(0.01).max(100),
  fittedOn: z.object({
    videos: z.int().min(1),
    split: z.string(),
    /** Views of each video, such as "1x1": clips in time, crops in space. */
    views: z.string(),
    /** Expected calibration error over 15 bins, on these videos. */
    eceBefore: share,
    eceAfter: share,
    /** Negative log likelihood in nats. */
    nllBefore: z.number(),
    nllAfter: z.number(),
  }),
  /** A best score below this is answered as unknown. */
  unknownBelow: share.optional(),
  /** How that threshold was chosen: the share of right answers asked for, and what it gave on these videos. */
  unknownFit: z.object({ wanted: share, precision: share, coverage: share }).optional(),
});

type Parsed = z.infer<typeof calibrationSchema>;

export interface Calibration extends Readonly<Omit<Parsed, 'unknownBelow' | 'unknownFit'>> {
  readonly unknownBelow?: number;
  readonly unknownFit?: NonNullable<Readonly<Parsed['unknownFit']>>;
}

/** From the metadata of a file, for weights that have one: `{}` or `{ calibration }`. WeightsError for anything else than that. */
export function storedCalibration(
  metadata: Readonly<Record<string, string>>,
  where: string,
): { readonly calibration?: Calibration } {
  const text = metadata['calibration'];
  if (text === undefined) return {};
  const found = calibrationSchema.safeParse(json(text));
  if (!found.success) {
    const fault = found.error.issues.map(({ path, message }) => `${path.join('.') || 'value'}: ${message}`);
    throw new WeightsError(`metadata "calibration" is not understood: ${fault.join('; ')}`, { path: where });
  }
  const { temperature, fittedOn, unknownBelow, unknownFit } = found.data;
  const threshold = { ...(unknownBelow !== undefined && { unknownBelow }), ...(unknownFit && { unknownFit }) };
  return { calibration: { temperature, fittedOn, ...threshold } };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
