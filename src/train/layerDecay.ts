/** Learning-rate factors for fine-tuning: layer-wise decay (as for MVD) and staged unfreezing. */

import { sizeOf } from '../graph/shape.js';
import type { NetworkConfig } from '../models/config.js';
import { inventoryOf } from '../models/network.js';
import { modelOf } from '../models/registry.js';
import { countValues } from '../models/variables.js';

export interface LayerDecay {
  readonly layerDecay: number;
  readonly unfreezeEpochs: number;
}

/** Whether all layers have the same learning rate throughout. */
export const learnsEvenly = ({ layerDecay, unfreezeEpochs }: LayerDecay): boolean => layerDecay === 1 && unfreezeEpochs === 0;

/** One factor a value, in the order of the inventory, for an epoch counted from 0. */
export function layerLrScales(config: NetworkConfig, epoch: number, { layerDecay, unfreezeEpochs }: LayerDecay): Float32Array {
  const model = modelOf(config);
  const { parameters } = inventoryOf(config);
  const depths = parameters.map(({ name }) => model.layerGroup(name, config));
  const deepest = Math.max(1, ...depths);
  const out = new Float32Array(countValues(parameters));
  let at = 0;
  parameters.forEach(({ shape }, i) => {
    const depth = depths[i] ?? 0;
    const awake = epoch >= (unfreezeEpochs * depth) / deepest;
    const end = at + sizeOf(shape);
    out.fill(awake ? layerDecay ** depth : 0, at, end);
    at = end;
  });
  return out;
}
