/**
 * A checkpoint as an ONNX model for any runtime: standard operators, any batch, folded batch norm, input normalisation inside.
 */

import type { Preprocess } from '../clip/preprocess.js';
import { foldConstants } from '../graph/constantFolding.js';
import { foldConstantNodes } from '../graph/constantNodes.js';
import { type FixedBatch, twoBatches, withDynamicBatch } from '../graph/dynamicBatch.js';
import { constant, type Expr, input } from '../graph/expr.js';
import { lowerStandard } from '../graph/lowering/lower.js';
import type { OnnxModel } from '../graph/onnx.js';
import { channelAffine } from '../graph/operators/channelAffine.js';
import { transpose } from '../graph/operators/transpose.js';
import { constantLogits } from '../models/network.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import { clipInput, logitsOutput, onnxFacts } from '../weights/onnxWeights.js';
import { packageVersion } from '../weights/packageVersion.js';

/** From `clip` [batch, frames, 3, S, S], RGB from 0 to 255, to `logits` [batch, classes]. */
export function floatModel(checkpoint: Checkpoint): OnnxModel {
  const [first, second] = twoBatches.map((clips): FixedBatch => {
    const outputs = foldConstants({ [logitsOutput]: logitsOfPixels(checkpoint, clips) }, clips);
    return { clips, model: lowerStandard({ outputs }) };
  });
  if (!first || !second) throw new RangeError('two batches are needed');
  return {
    ...foldConstantNodes(withDynamicBatch(first, second)),
    metadata: onnxFacts(checkpoint, { precision: 'float32', version: packageVersion() }),
  };
}

function logitsOfPixels(checkpoint: Checkpoint, clips: number): Expr {
  const { frames, height, width } = checkpoint.config;
  const pixels = input(clipInput, [clips, frames, 3, height, width]);
  const { scale, shift } = normalisation(checkpoint.preprocess);
  const clip = channelAffine(transpose(pixels, [1, 0, 2, 3, 4]), scale, shift); // [T, B, 3, H, W]
  return constantLogits(checkpoint.config, checkpoint, clip);
}

/** (pixel / 255 - mean) / std as scale and shift, [1, 3]. */
function normalisation({ mean, std }: Preprocess): { readonly scale: Expr; readonly shift: Expr } {
  return {
    scale: constant(
      std.map((deviation) => 1 / (255 * deviation)),
      [1, 3],
    ),
    shift: constant(
      std.map((deviation, i) => -(mean[i] ?? 0) / deviation),
      [1, 3],
    ),
  };
}
