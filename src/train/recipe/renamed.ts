/** Options of `vmf` and keys of recipes that have another name now: old names are refused with the new one, not read. */

export const renamedFlags: Readonly<Record<string, string>> = {
  rate: 'lr',
  accumulate: 'grad-accum',
  warmup: 'warmup-epochs',
  smoothing: 'label-smoothing',
  'mix-chance': 'mix-prob',
  'clip-norm': 'grad-clip',
  average: 'ema',
  repeats: 'repeated-aug',
  unfreeze: 'unfreeze-epochs',
  statistics: 'precise-bn',
  'unlabelled-share': 'unlabelled-ratio',
  'pseudo-ramp': 'ramp-up',
  'teacher-share': 'distill-alpha',
  'teacher-temperature': 'distill-temperature',
  'crop-reach': 'max-crop-offset',
  span: 'temporal-scale',
  erase: 'random-erasing',
  warp: 'temporal-warp',
  balance: 'class-balanced',
  shape: 'resize',
  only: 'filter',
  'unknown-below': 'reject-threshold',
  'no-film': 'no-video',
};

const renamedKeys: Readonly<Record<string, string>> = {
  rate: 'lr',
  finalRate: 'minLrRatio',
  accumulate: 'gradAccum',
  maxGradientNorm: 'gradClip',
  average: 'ema',
  repeats: 'repeatedAug',
  mixChance: 'mixProb',
  statisticsBatches: 'preciseBn',
  unlabelledShare: 'unlabelledRatio',
  pseudoRamp: 'rampUp',
  teacherShare: 'distillAlpha',
  teacherTemperature: 'distillTemperature',
  balance: 'classBalanced',
};

const renamedAugmentKeys: Readonly<Record<string, string>> = {
  reach: 'maxCropOffset',
  span: 'temporalScale',
  erase: 'randomErasing',
  warp: 'temporalWarp',
};

/** Of the part `preprocess` of a recipe. */
export const renamedPreprocess = (part: unknown): string[] =>
  keysOf(part).flatMap((key) => lineFor('preprocess.', key, { fromSec: 'startSec', size: 'edge', shape: 'resize' }));

/** One line for each old key among training options: "rate is called lr now". */
export function renamedAmong(options: unknown): string[] {
  const tables = [
    ['', options, renamedKeys],
    ['augment.', partOf(options, 'augment'), renamedAugmentKeys],
    ['strongAugment.', partOf(options, 'strongAugment'), renamedAugmentKeys],
  ] as const;
  return tables.flatMap(([where, part, table]) => keysOf(part).flatMap((key) => lineFor(where, key, table)));
}

function lineFor(where: string, key: string, table: Readonly<Record<string, string>>): string[] {
  return Object.hasOwn(table, key) ? [`${where}${key} is called ${where}${table[key]} now`] : [];
}

const keysOf = (value: unknown): string[] => (typeof value === 'object' && value !== null ? Object.keys(value) : []);

function partOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? new Map<string, unknown>(Object.entries(value)).get(key) : undefined;
}
