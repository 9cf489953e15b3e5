/** Which trained weights come with this package, by name, and which of them a network can start from. */
import { ConfigError } from '../errors.js';
import type { NetworkConfig } from './config.js';
import { networkCost } from './cost.js';
import { inventoryOf, isClassifier } from './network.js';
import { type PretrainedWeights, pretrainedWeights } from './pretrainedCatalogue.js';
import { networkConfig, networkNames } from './registry.js';

export type { PretrainedWeights };

type Catalogue = readonly PretrainedWeights[];

/** The weights of this name; undefined where there are none. */
export const pretrainedNamed = (name: string, catalogue: Catalogue = pretrainedWeights): PretrainedWeights | undefined =>
  catalogue.find((entry) => entry.name === name);

/** The same; ConfigError, with what there is, for an unknown name. */
export function pretrainedOf(name: string, catalogue: Catalogue = pretrainedWeights): PretrainedWeights {
  const found = pretrainedNamed(name, catalogue);
  if (found) return found;
  throw new ConfigError(`unknown pretrained weights ${JSON.stringify(name)}; ${pretrainedList(catalogue)}`);
}

/** Those of the largest network, by multiply-adds; undefined where no weights come with this version. */
export function bestPretrained(catalogue: Catalogue = pretrainedWeights): PretrainedWeights | undefined {
  const costs = catalogue.map(({ network }) => networkCost(networkConfig(network)).macs);
  return catalogue[costs.indexOf(Math.max(...costs))];
}

/**
 * The first weights whose every tensor fits a network, but for the classifier's; classes, frames and size do not matter. Undefined
 * where there are none. A causal network takes those of a causal one first, then others, whose kernels are turned back; never the reverse.
 */
export function pretrainedFor(config: NetworkConfig, catalogue: Catalogue = pretrainedWeights): PretrainedWeights | undefined {
  const wanted = layoutOf(config);
  const fitting = catalogue.filter(({ network }) => layoutOf(networkConfig(network)) === wanted);
  const alike = fitting.find(({ network }) => isCausal(networkConfig(network)) === isCausal(config));
  return alike ?? (config.causal ? fitting[0] : undefined);
}

/** The same; ConfigError, with what there is, where there are none. */
export function defaultWeightsFor(config: NetworkConfig, catalogue: Catalogue = pretrainedWeights): PretrainedWeights {
  const found = pretrainedFor(config, catalogue);
  if (found) return found;
  throw new ConfigError(`no pretrained weights fit ${config.name}; ${pretrainedList(catalogue)}`);
}

/** Names of the networks that can start from such weights. */
export function networksOf({ network }: Pick<PretrainedWeights, 'network'>): string[] {
  const own = networkConfig(network);
  const fits = (config: NetworkConfig) => layoutOf(config) === layoutOf(own) && (isCausal(config) || !isCausal(own));
  return networkNames.filter((name) => fits(networkConfig(name)));
}

/** What there is, for messages. */
export function pretrainedList(catalogue: Catalogue = pretrainedWeights): string {
  if (catalogue.length === 0) return 'none come with this version';
  return `there are ${catalogue.map((entry) => `${entry.name} (for ${networksOf(entry).join(', ')})`).join(', ')}`;
}

const isCausal = ({ causal = false }: NetworkConfig): boolean => causal;

/** Names and shapes of all tensors but the classifier's. */
function layoutOf(config: NetworkConfig): string {
  const { parameters, statistics } = inventoryOf(config);
  const kept = [...parameters, ...statistics].filter(({ name }) => !isClassifier(config, name));
  return kept.map(({ name, shape }) => `${name} ${shape.join('x')}`).join('\n');
}
