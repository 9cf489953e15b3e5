import { ConfigError } from '../errors.js';
import { modelOutputs } from '../graph/graph.js';
import { macsByPart, macsOf } from '../graph/macs.js';
import { mapSize } from '../graph/shape.js';
import { streamOutline } from './causalStream.js';
import type { NetworkConfig } from './config.js';
import type { Part } from './model.js';
import { type Intermediates, outline } from './network.js';
import { partNamed, partsOf } from './parts.js';
import { modelOf } from './registry.js';
import { countValues, type VariableSpec } from './variables.js';

/** A row for each part that the model names. */
export interface LayerCost {
  readonly name: string;
  readonly kind: string;
  /** Output features: channels, height and width of a frame. */
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** In space. */
  readonly stride: number;
  /** Longest kernel in time. */
  readonly temporal: number;
  readonly parameters: number;
  readonly macs: number;
}

export interface NetworkCost {
  /** Trainable values (batch norm's running statistics are not). */
  readonly parameters: number;
  /** Multiply-adds of one clip. */
  readonly macs: number;
  readonly layers: readonly LayerCost[];
}

const known = new WeakMap<NetworkConfig, NetworkCost>();

/** A whole clip at once. In a causal one each frame's tokens are compared with all frames; what they must not see is masked. */
export function networkCost(config: NetworkConfig): NetworkCost {
  const cost = known.get(config) ?? counted(config);
  known.set(config, cost);
  return cost;
}

/**
 * Multiply-adds of one new frame of a stream, its logits included; only a causal network has such a cost. ConfigError for others.
 */
export function newFrameMacs(config: NetworkConfig): number {
  if (!config.causal) throw new ConfigError(`${config.name}: is not causal; a new frame changes what all frames of a window see`);
  return macsOf(Object.values(modelOutputs(streamOutline(config))));
}

function counted(config: NetworkConfig): NetworkCost {
  const given = modelOf(config).cost?.(config);
  if (given) return { ...given, layers: [] };
  const keep: Intermediates = new Map();
  const { logits, parameters } = outline(config, { keep });
  const owners = partsOf(config, keep);
  const macs = macsByPart([logits], (node) => owners.get(node) ?? '');
  const layers = rowsOf(config, keep, parameters).map((row) => ({ ...row, macs: macs.get(row.name) ?? 0 }));
  return { parameters: countValues(parameters), macs: sum([...macs.values()]), layers };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function rowsOf(config: NetworkConfig, keep: Intermediates, parameters: readonly VariableSpec[]): Omit<LayerCost, 'macs'>[] {
  const parts = modelOf(config).parts(config);
  const owned = ownedBy(parts, parameters);
  let grid = { channels: 3, height: config.height, width: config.width };
  return parts.map(({ name, kind }) => {
    const own = owned.get(name) ?? [];
    const before = grid.height;
    grid = gridOf(keep, name) ?? grid;
    const temporal = Math.max(1, ...own.map(({ shape }) => (shape.length === 5 ? (shape[2] ?? 1) : 1)));
    return { name, kind, ...grid, stride: Math.round(before / grid.height), temporal, parameters: countValues(own) };
  });
}

function ownedBy(parts: readonly Part[], parameters: readonly VariableSpec[]): Map<string, VariableSpec[]> {
  const owned = new Map<string, VariableSpec[]>(parts.map(({ name }) => [name, []]));
  for (const spec of parameters) owned.get(partNamed(parts, spec.name))?.push(spec);
  return owned;
}

function gridOf(keep: Intermediates, part: string): Pick<LayerCost, 'channels' | 'height' | 'width'> | undefined {
  const maps = [...keep].filter(([name, { isMap }]) => isMap && (name === part || name.startsWith(`${part}.`)));
  const [, last] = maps.at(-1) ?? [];
  if (!last) return undefined;
  const { channels, height, width } = mapSize(last.shape, part);
  return { channels, height, width };
}
