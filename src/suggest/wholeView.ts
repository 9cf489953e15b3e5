import type { FrameShape } from '../clip/clipShape.js';
import { makePreprocess } from '../clip/preprocess.js';
import { frameForm } from '../train/pictureSize.js';
import { readRecipe } from '../train/recipe/recipe.js';
import type { Checkpoint } from '../weights/checkpoint.js';

/** Pretrained weights as fine-tuning would use them on videos of these shapes: its frames, and all of each picture. */
export function withWholeView(weights: Checkpoint, shapes: readonly FrameShape[]): Checkpoint {
  const { config, preprocess } = weights;
  const { edge = config.height, preprocess: sampling } = readRecipe('finetune');
  const { height, width, resize } = frameForm(shapes, { height: edge, width: edge });
  const frames = sampling?.frames ?? config.frames;
  const { mean, std } = preprocess;
  return {
    ...weights,
    config: { ...config, frames, height, width },
    preprocess: makePreprocess({ mean, std, resize, frames, height, width }),
  };
}
