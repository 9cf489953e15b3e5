import * as v from 'valibot';
import { WeightsError } from '../errors.js';
import { parsedJson } from '../json.js';
import { faultsOf, integer, number, share } from '../schema.js';

const seconds = number(0);

/** Unknown keys are dropped: later versions may add some. */
const schema = v.object({
  smoothSec: seconds,
  on: share,
  off: share,
  minDurationSec: seconds,
  bridgeSec: seconds,
  windowSec: seconds,
  strideSec: seconds,
  /** The class that means that nothing is done. */
  background: v.optional(v.string()),
  /** Segment F1 at an overlap of a half on these films, with the defaults and with this choice. */
  fittedOn: v.object({ films: integer(1), split: v.string(), f1Before: share, f1: share }),
});

type Parsed = v.InferOutput<typeof schema>;

/** How windows of these weights become bouts, as chosen on validation films. */
export interface BoutSettings extends Readonly<Omit<Parsed, 'background'>> {
  readonly background?: string;
}

/** From the metadata of a file, for weights that have them: `{}` or `{ bouts }`. WeightsError for anything else than that. */
export function storedBouts(metadata: Readonly<Record<string, string>>, where: string): { readonly bouts?: BoutSettings } {
  const text = metadata['bouts'];
  if (text === undefined || text === '') return {};
  const found = v.safeParse(schema, parsedJson(text));
  if (!found.success) {
    throw new WeightsError(`metadata "bouts" is not understood: ${faultsOf(found.issues).join('; ')}`, { path: where });
  }
  const { background, ...settings } = found.output;
  return { bouts: { ...settings, ...(background !== undefined && { background }) } };
}
