/** Flat vectors follow the order of the specs. */

import { ConfigError, ShapeError } from '../errors.js';
import { constant, type Expr, input } from '../graph/expr.js';
import { reshape } from '../graph/operators/reshape.js';
import { slice } from '../graph/operators/sliceConcat.js';
import { transpose } from '../graph/operators/transpose.js';
import { mapSize, type Shape, sizeOf } from '../graph/shape.js';
import type { Rng } from '../rng.js';
import type { NetworkConfig } from './config.js';
import { levelWidths, multilevelReadout } from './multilevelReadout.js';
import { modelOf } from './registry.js';
import { type BatchStatistics, type MaskInputs, Masks, Scope } from './scope.js';
import { CausalClip, type Time, WholeClip } from './time.js';
import {
  countValues,
  type Inventory,
  initialValues,
  Recorder,
  TooManyParameters,
  type VariableSpec,
  type Variables,
} from './variables.js';

/** Intermediate values, by name. */
export type Intermediates = Map<string, Expr>;

export interface ForwardOptions {
  /** Filled with named intermediates when given. */
  readonly keep?: Intermediates;
  /** Keep what a linear classifier reads or would read, [B, D]. */
  readonly lastVector?: boolean;
  /** Replaces an intermediate, by its name; for graphs that keep some from earlier runs. */
  readonly replace?: (name: string, value: Expr) => Expr;
  /** How frames see each other; by default as the configuration says, for a clip as a whole. */
  readonly time?: Time;
}

/** Shape of the network's input for B clips: [T*B, 3, S, S], frame t of clip b at t * B + b. */
export const clipShape = (config: NetworkConfig, clips: number): Shape => [config.frames * clips, 3, config.height, config.width];

/** clip [T, B, 3, H, W], normalised -> logits [B, classes], or of as many frames as the rule of time wants. */
function logitsOf(scope: Scope, config: NetworkConfig, clip: Expr, options: ForwardOptions): Expr {
  const model = modelOf(config);
  const { keep, replace = (_, value) => value } = options;
  const mark = (name: string, value: Expr): Expr => {
    keep?.set(name, value);
    return replace(name, value);
  };
  const forward = { mark, time: options.time ?? timeOf(config, clip) };
  const features = model.features(scope, config, clip, forward);
  if (config.readout === undefined) {
    if (options.lastVector) keep?.set(lastVector, model.readout(features));
    return mark('logits', model.head(scope, config, features, forward));
  }
  const top = scope.in(readoutScope);
  const vector =
    config.readout === 'linear'
      ? mark('readout', model.readout(features))
      : top.standardise('readout', mark('readout', multilevelReadout(features)));
  if (options.lastVector) keep?.set(lastVector, vector);
  return mark('logits', top.linear('linear', vector, config.classes));
}

/** The intermediate that `lastVector` keeps. */
export const lastVector = 'lastVector';

/** Widths of the levels of a readout's vector, in its order. */
export function readoutWidths(config: NetworkConfig): number[] {
  const clip = smallClip();
  const scope = new Scope(new Recorder(), undefined);
  const features = modelOf(config).features(scope, config, clip, { mark: (_, value) => value, time: timeOf(config, clip) });
  return config.readout === 'multilevel' ? levelWidths(features) : [modelOf(config).readout(features).shape[1] ?? 0];
}

/** Scope of a linear readout's weights, in every network. */
const readoutScope = 'head';

/** Whether a parameter belongs to the classifier and is reinitialised for other classes. */
export const isClassifier = (config: NetworkConfig, parameter: string): boolean =>
  parameter.startsWith(`${readoutScope}.linear.`) || modelOf(config).isClassifier(parameter);

/** A causal clip's logits are those of its last frame, which has seen all of it. */
function timeOf(config: NetworkConfig, clip: Expr): Time {
  const { frames } = mapSize(clip.shape, 'clip');
  return config.causal ? new CausalClip(frames, config.frames, [frames - 1]) : new WholeClip();
}

/** Parameters and statistics of a network, in the order of their declaration. */
export function inventoryOf(config: NetworkConfig): Inventory {
  const recorder = new Recorder();
  logitsOf(new Scope(recorder, undefined), config, smallClip(), {});
  return recorder;
}

const smallClip = (): Expr => input('clips', [1, 1, 3, 32, 32]);

/** A network without weights, whose parameters are inputs of their own names: for counting. By default on one whole clip. */
export function outline(
  config: NetworkConfig,
  options: ForwardOptions = {},
  clip = clipInput(config, 1),
): Inventory & { readonly logits: Expr } {
  const recorder = new Recorder();
  const logits = logitsOf(new Scope(recorder, undefined), config, clip, options);
  return { parameters: recorder.parameters, statistics: recorder.statistics, logits };
}

/** Whether a network has at most so many parameters; stops counting at the first one too many, before memory is allocated. */
export function hasAtMost(config: NetworkConfig, values: number): boolean {
  try {
    logitsOf(new Scope(new Recorder(values), undefined), config, smallClip(), {});
    return true;
  } catch (error) {
    if (error instanceof TooManyParameters) return false;
    throw error;
  }
}

/** Masks of a network in training: residual branches that may be dropped, and values of a clip that dropout covers. */
export function masksOf(config: NetworkConfig): { readonly branches: number; readonly dropouts: number } {
  const masks = new Masks();
  logitsOf(new Scope(new Recorder(), undefined, masks), config, smallClip(), {});
  return masks;
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

/** Weights as training begins with them. */
export function initialWeights(config: NetworkConfig, rng: Rng): FlatWeights {
  const { parameters, statistics } = inventoryOf(config);
  return { parameters: initialValues(parameters, rng), statistics: initialValues(statistics, rng) };
}

/** Logits [B, classes] with the weights as constants: the graph for inference. */
export function inferenceGraph(config: NetworkConfig, weights: FlatWeights, clips: number, options: ForwardOptions = {}): Expr {
  return constantLogits(config, weights, clipInput(config, clips), options);
}

/** The same for a clip made otherwise: normalised [T, B, 3, S, S]. */
export function constantLogits(config: NetworkConfig, weights: FlatWeights, clip: Expr, options: ForwardOptions = {}): Expr {
  return logitsOf(new Scope(new ConstantVariables(weights), undefined), config, clip, options);
}

/**
 * Logits [B, classes] with flat vectors `parameters` (or of another name; `extra` values behind them are not read) and `statistics`
 * as inputs: evaluation while training.
 */
export function evaluationGraph(
  config: NetworkConfig,
  clips: number,
  options: ForwardOptions & { readonly parameters?: string; readonly extra?: number } = {},
): Expr {
  const { parameters, statistics } = inventoryOf(config);
  const variables = new FlatVariables(
    input(options.parameters ?? 'parameters', [countValues(parameters) + (options.extra ?? 0)]),
    input('statistics', [countValues(statistics)]),
  );
  return logitsOf(new Scope(variables, undefined), config, clipInput(config, clips), options);
}

export interface TrainingForwardOptions extends ForwardOptions {
  /** Clips follow one another in pairs, as in a stream; for causal networks. */
  readonly pairedClips?: boolean;
  /** Random masks, of the sizes that `masksOf` says. */
  readonly masks?: MaskInputs;
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
  const scope = new Scope(variables, options.frozenStatistics ? undefined : batch, new Masks(options.masks));
  const logits = options.pairedClips
    ? pairedLogits(scope, config, clips, options)
    : logitsOf(scope, config, clipInput(config, clips), options);
  const seen = options.frozenStatistics ? [] : statistics.map(({ name }) => batch.get(name) ?? missing(name));
  return { logits, seen };
}

/** Streams have a past: the second half of a batch continues the first half's clips; both are predicted at their last frame. */
function pairedLogits(scope: Scope, config: NetworkConfig, clips: number, options: ForwardOptions): Expr {
  if (!config.causal || clips % 2 !== 0)
    throw new ConfigError(`${config.name}: pairs of clips are for causal networks and even batches, got a batch of ${clips}`);
  const { frames, height, width } = config;
  const pairs = clips / 2;
  const input = reshape(clipInput(config, clips), [frames, 2, pairs * 3 * height * width]);
  const paired = reshape(transpose(input, [1, 0, 2]), [2 * frames, pairs, 3, height, width]);
  const time = new CausalClip(2 * frames, frames, [frames - 1, 2 * frames - 1]);
  return logitsOf(scope, config, paired, { ...options, time });
}

function missing(name: string): never {
  throw new ShapeError(`${name}: no batch norm reported this statistic`);
}

export function clipInput(config: NetworkConfig, clips: number): Expr {
  const { frames, height, width } = config;
  return reshape(input('clips', clipShape(config, clips)), [frames, clips, 3, height, width]);
}

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
