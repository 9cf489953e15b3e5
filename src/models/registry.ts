/** All networks. A new one is a file beside this and a line here. */

import * as v from 'valibot';
import { ConfigError } from '../errors.js';
import { faultsOf } from '../schema.js';
import type { NetworkConfig } from './config.js';
import { mobileNetV2 } from './mobileNetV2.js';
import type { Model, TemporalPlan, Variant } from './model.js';
import { onnxEncoder } from './onnxEncoder.js';
import { videoMobileFormer } from './videoMobileFormer.js';

/** The first is the family of weights written before configurations named theirs. */
export const models: readonly Model[] = [videoMobileFormer, mobileNetV2, onnxEncoder];

const families = new Map(models.map((model) => [model.family, model]));

/** ConfigError for a family that is not registered. */
export function modelOf({ family, name }: Pick<NetworkConfig, 'family' | 'name'>): Model {
  const model = families.get(family);
  if (!model) throw new ConfigError(`${name}: ${unknownFamily(family)}`);
  return model;
}

const unknownFamily = (family: unknown): string =>
  `family: ${typeof family === 'string' ? `unknown ${JSON.stringify(family)}` : 'missing, or no name'}; known are ${[...families.keys()].join(', ')}`;

const variants = new Map<string, Variant<NetworkConfig>>(
  models.flatMap((model) => model.variants.map((each) => [each.name, each])),
);

/** All names that `networkConfig` knows. */
export const networkNames: readonly string[] = [...variants.keys()];

/** Default of `vmf train`. */
export const defaultNetwork: string = networkNames[0] ?? '';

export interface Chosen {
  readonly classes?: number;
  readonly frames?: number;
  readonly height?: number;
  readonly width?: number;
  readonly temporal?: TemporalPlan;
}

/** A named configuration, with other classes, frames, height, width or temporal kernels where chosen. ConfigError for an unknown name. */
export function networkConfig(name: string, { temporal, ...chosen }: Chosen = {}): NetworkConfig {
  const variant = variants.get(name);
  if (!variant) throw new ConfigError(`model: unknown name "${name}"; known are ${networkNames.join(', ')}`);
  return { ...variant.build(temporal), ...chosen };
}

/** Checks a configuration read from a file; an unknown key is an error. `where` names the file in the ConfigError. */
export function parseNetworkConfig(value: unknown, where: string): NetworkConfig {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject) throw new ConfigError(`${where}: configuration: expected an object`);
  const family = 'family' in value ? value.family : undefined;
  const model = typeof family === 'string' ? families.get(family) : undefined;
  if (!model) throw new ConfigError(`${where}: ${unknownFamily(family)}`);
  const parsed = v.safeParse(model.schema, value);
  if (!parsed.success) throw new ConfigError(`${where}: ${faultsOf(parsed.issues, 'configuration')[0]}`);
  const problem = problemOf(model, parsed.output);
  if (problem) throw new ConfigError(`${where}: ${problem}`);
  return parsed.output;
}

function problemOf(model: Model, config: NetworkConfig): string | undefined {
  if (config.readout && config.causal) return 'readout: reads whole clips; a causal network has none';
  return model.check?.(config);
}
