/**
 * A network as graphs: what it is made of, its logits in evaluation mode from constants or from flat vectors, and the
 * statistics its batch norms see in training mode. Flat vectors hold the values end to end in the order of the inventory.
 */

import { ConfigError, ShapeError } from '../errors.js';
import { reshape, slice, transpose } from '../graph/arrange.js';
import { constant, type Expr, input } from '../graph/expr.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import type { NetworkConfig } from './config.js';
import { type BatchStatistics, Layers, ResidualBranches } from './layers.js';
import { CausalClip } from './time.js';
import { countValues, type Inventory, Recorder, type VariableSpec, type Variables } from './variables.js';
import { type ForwardOptions, videoMobileFormer } from './videoMobileFormer.js';

/** Shape of the network's input for B clips: [T*B, 3, S, S], frame t of clip b at t * B + b. */
export const clipShape = (config: NetworkConfig, clips: number): Shape => [config.frames * clips, 3, config.size, config.size];

/** Parameters and statistics of a network, in the order in which it asks for them. */
export function inventoryOf(config: NetworkConfig): Inventory {
  const recorder = new Recorder();
  videoMobileFormer(new Layers(recorder, undefined), config, input('clips', [1, 1, 3, 32, 32]));
  return recorder;
}

/** How many residual branches a network has that training may drop. */
export function countBranches(config: NetworkConfig): number {
  const branches = new ResidualBranches();
  videoMobileFormer(new Layers(new Recorder(), undefined, branches), config, input('clips', [1, 1, 3, 32, 32]));
  return branches.count;
}

/** Variables that are slices of one flat vector each, in the order of the inventory. */
export class FlatVariables implements Variables {
  /** Each parameter as it was handed out, in order. */
  readonly parameters: Expr[] = [];
  private used = 0;
  private usedStatistics = 0;

  constructor(
    private readonly values: Expr,
    private readonly statistics: Expr,
  ) {}

  parameter(spec: VariableSpec): Expr {
    const end = this.used + sizeOf(spec.shape);
    const value = reshape(slice(this.values, 0, this.used, end), spec.shape);
    this.used = end;
    this.parameters.push(value);
    return value;
  }

  statistic(_name: string, channels: number): Expr {
    const start = this.usedStatistics;
    this.usedStatistics += channels;
    return slice(this.statistics, 0, start, this.usedStatistics);
  }
}

/** Values of parameters and statistics, end to end. */
export interface FlatWeights {
  readonly parameters: Float32Array;
  readonly statistics: Float32Array;
}

/** Logits [B, classes] with the weights as constants: the graph for inference. */
export function inferenceGraph(config: NetworkConfig, weights: FlatWeights, clips: number, options: ForwardOptions = {}): Expr {
  return constantLogits(config, weights, clipInput(config, clips), options);
}

/** The same for a clip made otherwise: normalised [T, B, 3, S, S]. */
export function constantLogits(config: NetworkConfig, weights: FlatWeights, clip: Expr, options: ForwardOptions = {}): Expr {
  return videoMobileFormer(new Layers(new ConstantVariables(weights), undefined), config, clip, options);
}

/** Logits [B, classes] with flat vectors `parameters` (or of another name) and `statistics` as inputs: evaluation while training. */
export function evaluationGraph(
  config: NetworkConfig,
  clips: number,
  options: ForwardOptions & { readonly parameters?: string } = {},
): Expr {
  const { parameters, statistics } = inventoryOf(config);
  const variables = new FlatVariables(
    input(options.parameters ?? 'parameters', [countValues(parameters)]),
    input('statistics', [countValues(statistics)]),
  );
  return videoMobileFormer(new Layers(variables, undefined), config, clipInput(config, clips), options);
}

export interface TrainingForwardOptions extends ForwardOptions {
  /** Clips follow one another in pairs, as in a stream; for causal networks. */
  readonly chained?: boolean;
  /** Multiplied onto the residual branches of the convolutions, a row each, [n, B]: 0 or 1 / (1 - p); n as `countBranches` says. */
  readonly dropPath?: Expr;
  /** Batch norms use their running statistics instead of the batch's; nothing is seen then. */
  readonly frozenStatistics?: boolean;
}

/** In training mode: logits, and what the batch norms saw, one expression a statistic in the order of the inventory. */
export function trainingGraph(
  config: NetworkConfig,
  variables: Variables,
  statistics: readonly VariableSpec[],
  clips: number,
  options: TrainingForwardOptions = {},
): { readonly logits: Expr; readonly seen: readonly Expr[] } {
  const batch: BatchStatistics = new Map();
  const branches = new ResidualBranches(options.dropPath);
  const layers = new Layers(variables, options.frozenStatistics ? undefined : batch, branches);
  const logits = options.chained
    ? chainedLogits(layers, config, clips, options)
    : videoMobileFormer(layers, config, clipInput(config, clips), options);
  const seen = options.frozenStatistics ? [] : statistics.map(({ name }) => batch.get(name) ?? missing(name));
  return { logits, seen };
}

/**
 * A causal network must learn what a stream is: something always went before. So the second half of a batch's clips follow those of
 * the first, each two as one sequence, and both are asked for at their last frame.
 */
function chainedLogits(layers: Layers, config: NetworkConfig, clips: number, options: ForwardOptions): Expr {
  if (!config.causal || clips % 2 !== 0)
    throw new ConfigError(`${config.name}: pairs of clips are for causal networks and even batches, got a batch of ${clips}`);
  const { frames, size } = config;
  const pairs = clips / 2;
  const input = reshape(clipInput(config, clips), [frames, 2, pairs * 3 * size * size]);
  const chained = reshape(transpose(input, [1, 0, 2]), [2 * frames, pairs, 3, size, size]);
  const time = new CausalClip(2 * frames, frames, [frames - 1, 2 * frames - 1]);
  return videoMobileFormer(layers, config, chained, { ...options, time });
}

function missing(name: string): never {
  throw new ShapeError(`${name}: no batch norm reported this statistic`);
}

function clipInput(config: NetworkConfig, clips: number): Expr {
  const { frames, size } = config;
  return reshape(input('clips', clipShape(config, clips)), [frames, clips, 3, size, size]);
}

/** Variables known when the graph is written. */
class ConstantVariables implements Variables {
  private used = 0;
  private usedStatistics = 0;

  constructor(private readonly weights: FlatWeights) {}

  parameter({ shape }: VariableSpec): Expr {
    const start = this.used;
    this.used += sizeOf(shape);
    return constant(this.weights.parameters.subarray(start, this.used), shape);
  }

  statistic(_name: string, channels: number): Expr {
    const start = this.usedStatistics;
    this.usedStatistics += channels;
    return constant(this.weights.statistics.subarray(start, this.usedStatistics), [channels]);
  }
}
