import * as v from 'valibot';
import { imagenetMean, imagenetStd, type Preprocess } from '../clip/preprocess.js';
import { WeightsError } from '../errors.js';
import { readOnnxMetadata } from '../graph/onnxMetadata.js';
import { parsedJson } from '../json.js';
import { matching, number } from '../schema.js';
import { isOwnModel } from '../weights/onnxWeights.js';

/** Usual conventions; `imagenet`: values in [0, 1] less ImageNet's mean, over its deviation. */
export const pixelRanges = ['0..1', '-1..1', '0..255', 'imagenet'] as const;
export type PixelRange = (typeof pixelRanges)[number];

/** (value in [0, 1] - mean) / std is what a network takes. */
export type Normalisation = Pick<Preprocess, 'mean' | 'std'>;

const alike = (mean: number, std: number): Normalisation => ({ mean: [mean, mean, mean], std: [std, std, std] });

const normalisations: Readonly<Record<PixelRange, Normalisation>> = {
  '0..1': alike(0, 1),
  '-1..1': alike(0.5, 0.5),
  '0..255': alike(0, 1 / 255),
  imagenet: { mean: imagenetMean, std: imagenetStd },
};

const triple = v.strictTuple([number(), number(), number()]);
const statedSchema = {
  labels: v.pipe(v.array(v.string()), v.minLength(1)),
  mean: triple,
  std: v.pipe(
    triple,
    v.check((values) => values.every((value) => value > 0)),
  ),
};

/** Metadata of any model, each entry as JSON. */
export interface StatedFacts extends Partial<Normalisation> {
  readonly labels?: readonly string[];
}

/** What a model's metadata says. WeightsError for an entry that is not understood. */
export function statedFacts(model: Uint8Array, where: string): StatedFacts {
  const metadata = readOnnxMetadata(model) ?? {};
  const keys = (Object.keys(statedSchema) as (keyof typeof statedSchema)[]).filter((key) => metadata[key] !== undefined);
  const stated = Object.fromEntries(
    keys.map((key) => {
      const value = matching<v.GenericSchema>(statedSchema[key], parsedJson(metadata[key] ?? ''));
      const wanted = key === 'labels' ? 'a list of names' : `three numbers${key === 'std' ? ' above 0' : ''}`;
      if (value === undefined) throw new WeightsError(`metadata "${key}": expected ${wanted} as JSON`, { path: where });
      return [key, value];
    }),
  );
  return isOwnModel(model) ? { ...normalisations['0..255'], ...stated } : stated;
}

/** As asked, else as the metadata says, else `otherwise` and a note. */
export function normalisationOf(
  { mean, std }: StatedFacts,
  asked: PixelRange | undefined,
  otherwise: Normalisation = normalisations.imagenet,
): { readonly normalisation: Normalisation; readonly notes: readonly string[] } {
  if (asked !== undefined) return { normalisation: normalisations[asked], notes: [] };
  if (mean && std) return { normalisation: { mean, std }, notes: [] };
  const note = `it does not say how its pixels are scaled: ImageNet's mean and deviation are taken; --pixels ${pixelRanges.slice(0, 3).join(', ')} are others`;
  return { normalisation: { mean: mean ?? otherwise.mean, std: std ?? otherwise.std }, notes: [note] };
}
