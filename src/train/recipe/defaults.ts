/** Defaults of recipe, epochs, batch and balance by data size, each with its reason; the recipe files give the measurements. */

import type { TrainChoices } from './options.js';

export interface DatasetFacts {
  /** Training videos of each class. */
  readonly perClass: readonly number[];
  /** Starts from trained weights. */
  readonly pretrained: boolean;
}

export interface RecipeDefaults {
  /** Name of a recipe that comes with the program. */
  readonly recipe: string;
  readonly options: TrainChoices;
  /** Why, for each choice. */
  readonly reasons: { readonly recipe: string; readonly epochs: string; readonly classBalanced?: string };
}

/** Fewer training videos are a small set: more epochs, small batches. */
const smallSet = 400;
/** Target number of clips seen: below it learns too little, above it gains little for its time. */
const clipsInAll = { small: 4800, standard: 7000, finetune: 2400 } as const;
const epochLimits = { small: [12, 80], standard: [7, 30], finetune: [6, 30] } as const;

export function recipeDefaults({ perClass, pretrained }: DatasetFacts): RecipeDefaults {
  const videos = perClass.reduce((sum, count) => sum + count, 0);
  const recipe = pretrained ? 'finetune' : videos < smallSet ? 'small' : 'standard';
  const [least, most] = epochLimits[recipe];
  const epochs = Math.min(Math.max(Math.round(clipsInAll[recipe] / Math.max(videos, 1)), least), most);
  // From scratch on few videos, many small steps teach more than few large ones.
  const batch = Math.max(2, Math.min(videos >= smallSet ? 16 : pretrained ? 8 : 4, videos));
  const uneven = Math.max(...perClass) > 1.5 * Math.min(...perClass);
  const size = pretrained ? 'from trained weights' : `${videos < smallSet ? 'fewer than' : 'at least'} ${smallSet}`;
  const reasons = {
    recipe: `recipe ${recipe}: ${videos} training videos, ${size}`,
    epochs: `${epochs} epochs: about ${clipsInAll[recipe]} clips in all, within ${least} to ${most} epochs`,
    ...(uneven && { classBalanced: 'classes balanced: the largest has more than 1.5 times the videos of the smallest' }),
  };
  const validateEvery = Math.max(1, Math.round(epochs / 12));
  return { recipe, options: { epochs, batch, classBalanced: uneven, validateEvery }, reasons };
}
