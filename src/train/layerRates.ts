/**
 * Factors of the learning rate for fine-tuning: layers nearer to the input learn more slowly (layer-wise decay, as for MVD and other
 * pretrained networks) or begin later (staged unfreezing). Pure.
 */

import { sizeOf } from '../graph/shape.js';
import type { VariableSpec } from '../models/variables.js';

export interface LayerRates {
  readonly layerDecay: number;
  readonly unfreezeEpochs: number;
}

/** Whether all layers learn alike all the time. */
export const ratesAreEven = ({ layerDecay, unfreezeEpochs }: LayerRates): boolean => layerDecay === 1 && unfreezeEpochs === 0;

/** One factor a value, in the order of the inventory, for an epoch counted from 0. */
export function layerRates(parameters: readonly VariableSpec[], epoch: number, options: LayerRates): Float32Array {
  const { layerDecay, unfreezeEpochs } = options;
  const blocks = 1 + Math.max(0, ...parameters.map(({ name }) => blockOf(name) ?? 0));
  const deepest = blocks + 1;
  const factors = parameters.map(({ name }) => {
    const depth = depthOf(name, blocks);
    const awake = epoch >= (unfreezeEpochs * depth) / deepest;
    return awake ? layerDecay ** depth : 0;
  });
  const out = new Float32Array(parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
  let at = 0;
  parameters.forEach(({ shape }, i) => {
    const end = at + sizeOf(shape);
    out.fill(factors[i] as number, at, end);
    at = end;
  });
  return out;
}

/** Steps from the head: 0 for the head and the last bridge, then the blocks from the last one on, then stem and tokens. */
export function depthOf(name: string, blocks: number): number {
  if (name.startsWith('head.') || name.startsWith('bridge.')) return 0;
  const block = blockOf(name);
  return block === undefined ? blocks + 1 : blocks - block;
}

function blockOf(name: string): number | undefined {
  const [, number] = /^blocks\.(\d+)\./.exec(name) ?? [];
  return number === undefined ? undefined : Number(number);
}
