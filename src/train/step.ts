/**
 * The training step as one graph: forward in training mode, loss, gradients, clipping, and AdamW on one flat parameter vector.
 */

import { constant, type Expr, input } from '../graph/expr.js';
import { gradients } from '../graph/gradients.js';
import type { Graph } from '../graph/graph.js';
import { add, div, mul, sub } from '../graph/operators/arithmetic.js';
import { sumAll } from '../graph/operators/reduction.js';
import { flatten } from '../graph/operators/reshape.js';
import { concat, slice } from '../graph/operators/sliceConcat.js';
import { clip, sqrt } from '../graph/operators/unary.js';
import { sizeOf } from '../graph/shape.js';
import type { NetworkConfig } from '../models/config.js';
import {
  FlatVariables,
  type Intermediates,
  inventoryOf,
  lastVector,
  masksOf,
  type TrainingForwardOptions,
  trainingGraph,
} from '../models/network.js';
import type { MaskInputs } from '../models/scope.js';
import { countValues, type Inventory } from '../models/variables.js';
import { binaryCrossEntropy, crossEntropy, headLoss, headParameters, softCrossEntropy, type TeacherHead } from './teacherHead.js';

export interface StepOptions {
  /** Clips a batch. */
  readonly clips: number;
  /** AdamW's decay of first and second moments. */
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  /** Largest L2 norm of the whole gradient; Infinity for none. */
  readonly gradClip: number;
  /** Share of the old running statistics that a step keeps. */
  readonly statisticsMomentum: number;
  /** Clips follow one another in pairs (see trainingGraph); for causal networks and even batches. */
  readonly pairedClips?: boolean;
  /** Passes whose gradients make one step; 1 by default. */
  readonly gradAccum?: number;
  /** Keep a moving average of the parameters (state `ema`). */
  readonly ema?: boolean;
  /** Skip residual branches by the input `dropPath` [n, B] (0 or 1 / (1 - p)), n as `masksOf` says. */
  readonly dropPath?: boolean;
  /** Multiply each parameter's learning rate by the state `rates` [P]. */
  readonly layerRates?: boolean;
  /** Batch norms use their running statistics, which stay as they are. */
  readonly frozenStatistics?: boolean;
  /** Temperature at which the input `soft` [B, classes], a teacher's probabilities times their weight, is learnt as well. */
  readonly temperature?: number;
  /** What learns the teacher's answers instead of the classifier; `soft` is [B, outputs] then, and parameters are the head's too. */
  readonly teacherHead?: TeacherHead;
  /** Clips have several labels at once: binary cross-entropy, in which a true class weighs so many times a false one, [classes]. */
  readonly positiveWeights?: Float32Array;
}

/** The state of a training run, by name. */
export type StateName = 'parameters' | 'statistics' | 'expAvg' | 'expAvgSq' | 'ema' | 'gradients';

type StepOutput = 'loss' | 'logits' | 'gradientNorm';
export type StepGraph = Graph<StateName, StepOutput>;
type Updates = NonNullable<StepGraph['updates']>;

export const defaultStep: Omit<StepOptions, 'clips'> = {
  betas: [0.9, 0.999],
  epsilon: 1e-8,
  gradClip: Number.POSITIVE_INFINITY,
  statisticsMomentum: 0.9,
};

/**
 * Inputs: clips [T*B, 3, S, S], targets [B, classes] (rows sum to the clip's weight, usually 1), dropout [B, F] (0 or 1 / (1 - p)),
 * schedule [5] (see `scheduleValues`), what the options ask for, and the state: parameters, expAvg, expAvgSq [P], statistics [S].
 * Outputs: loss [], logits [B, classes], gradientNorm []. Updates: the state.
 */
export function trainingStep(config: NetworkConfig, options: StepOptions): StepGraph {
  const inventory = trainedInventory(config, options);
  const state = stateInputs(inventory);
  const { loss, logits, flat, statistics } = lossAndGradient(config, inventory, state, options);
  const { gradAccum = 1, gradClip } = options;
  const sum = gradAccum > 1 ? gradientSum(inventory) : undefined;
  const mean = sum ? mul(add(sum, flat), 1 / gradAccum) : flat;
  const norm = normOf(mean);
  const gradient = Number.isFinite(gradClip) ? mul(mean, clip(div(gradClip, add(norm, 1e-6)), 0, 1)) : mean;
  const moved = adamW(state, gradient, decayMask(inventory), options);
  return {
    outputs: { loss, logits, gradientNorm: norm },
    updates: { ...moved, ...statistics, ...(sum && { gradients: mul(sum, 0) }) },
  };
}

/** The passes before the last one of a step: as `trainingStep`, but the gradient is only added to the state `gradients` [P]. */
export function gradientMicroStep(config: NetworkConfig, options: StepOptions): StepGraph {
  const inventory = trainedInventory(config, options);
  const { loss, logits, flat, statistics } = lossAndGradient(config, inventory, stateInputs(inventory), options);
  return {
    outputs: { loss, logits, gradientNorm: normOf(flat) },
    updates: { gradients: add(gradientSum(inventory), flat), ...statistics },
  };
}

function trainedInventory(config: NetworkConfig, { teacherHead }: Pick<StepOptions, 'teacherHead'>): Inventory {
  const { parameters, statistics } = inventoryOf(config);
  return { parameters: [...parameters, ...(teacherHead ? headParameters(config, teacherHead) : [])], statistics };
}

const gradientSum = ({ parameters }: Inventory): Expr => input('gradients', [countValues(parameters)]);

const normOf = (flat: Expr): Expr => sqrt(sumAll(mul(flat, flat)));

function lossAndGradient(config: NetworkConfig, inventory: Inventory, state: State, options: StepOptions) {
  const { clips, statisticsMomentum: momentum, frozenStatistics = false, teacherHead } = options;
  const variables = new FlatVariables(state.parameters, state.statistics);
  const keep: Intermediates = new Map();
  const { logits, seen } = trainingGraph(config, variables, inventory.statistics, clips, {
    ...{ masks: maskInputs(config, options), pairedClips: options.pairedClips ?? false, frozenStatistics },
    ...(teacherHead && { keep, lastVector: true }),
  });
  const labelled = labelLoss(input('targets', [clips, config.classes]), logits, options);
  const taught = teacherLoss(config, options, { variables, logits, vector: keep.get(lastVector) });
  const loss = taught ? add(labelled, taught) : labelled;
  const flat = concat(gradients(loss, variables.parameters).map(flatten), 0);
  const running = () => add(mul(state.statistics, momentum), mul(concat(seen, 0), 1 - momentum));
  return { loss, logits, flat, statistics: frozenStatistics ? {} : { statistics: running() } };
}

const labelLoss = (targets: Expr, logits: Expr, { positiveWeights: positive }: StepOptions): Expr =>
  positive ? binaryCrossEntropy(targets, logits, constant(positive, [positive.length])) : crossEntropy(targets, logits);

function maskInputs(config: NetworkConfig, { clips, dropPath = false }: StepOptions): MaskInputs {
  const { dropouts, branches } = masksOf(config);
  return {
    ...(dropouts > 0 && { dropout: input('dropout', [clips, dropouts]) }),
    ...(dropPath && branches > 0 && { dropPath: input('dropPath', [branches, clips]) }),
  };
}

interface Forwarded {
  readonly variables: FlatVariables;
  readonly logits: Expr;
  readonly vector: Expr | undefined;
}

function teacherLoss(config: NetworkConfig, options: StepOptions, { variables, logits, vector }: Forwarded): Expr | undefined {
  const { clips, temperature, teacherHead: head } = options;
  if (temperature === undefined) return undefined;
  if (!(head && vector)) return softCrossEntropy(input('soft', [clips, config.classes]), logits, temperature);
  const [weight, bias] = headParameters(config, head).map((spec) => variables.parameter(spec)) as [Expr, Expr];
  return headLoss(head, vector, [weight, bias], input('soft', [clips, head.outputs]), temperature);
}

/**
 * Inputs: clips, and flat parameters of this name. Output: what every batch norm sees in this batch, in the order of the
 * statistics.
 */
export function statisticsGraph(
  config: NetworkConfig,
  clips: number,
  pairedClips = false,
  source: Weights = 'parameters',
  extra = 0,
): Graph<never, 'seen'> {
  return { outputs: { seen: concat(inTrainingMode(config, clips, { source, extra }, { pairedClips }).seen, 0) } };
}

/** Logits of clips under their own batch statistics, or the running ones where those are frozen; nothing is dropped. */
export function teachingGraph(
  config: NetworkConfig,
  clips: number,
  source: Weights,
  frozen = false,
  extra = 0,
): Graph<never, 'logits'> {
  return { outputs: { logits: inTrainingMode(config, clips, { source, extra }, { frozenStatistics: frozen }).logits } };
}

function inTrainingMode(
  config: NetworkConfig,
  clips: number,
  { source, extra }: { readonly source: Weights; readonly extra: number },
  options: TrainingForwardOptions,
) {
  const inventory = inventoryOf(config);
  const parameters = input(source, [countValues(inventory.parameters) + extra]);
  const variables = new FlatVariables(parameters, stateInputs(inventory).statistics);
  return trainingGraph(config, variables, inventory.statistics, clips, options);
}

/** The weights being trained, or their moving average. */
export type Weights = Extract<StateName, 'parameters' | 'ema'>;

type State = Readonly<Record<'parameters' | 'expAvg' | 'expAvgSq' | 'statistics', Expr>>;

function stateInputs(inventory: Inventory): State {
  const parameters = [countValues(inventory.parameters)];
  return {
    parameters: input('parameters', parameters),
    expAvg: input('expAvg', parameters),
    expAvgSq: input('expAvgSq', parameters),
    statistics: input('statistics', [countValues(inventory.statistics)]),
  };
}

/** 1 for parameters with weight decay, else 0. */
function decayMask({ parameters }: Inventory): Expr {
  const mask = new Float32Array(countValues(parameters));
  let at = 0;
  for (const { shape, decay } of parameters) {
    const end = at + sizeOf(shape);
    if (decay) mask.fill(1, at, end);
    at = end;
  }
  return constant(mask, [mask.length]);
}

/** p <- p - lr wd p - lr mhat / (sqrt(vhat) + eps), both moments bias-corrected (Loshchilov and Hutter 2019). */
function adamW(state: State, gradient: Expr, mask: Expr, options: StepOptions): Updates {
  const [beta1, beta2] = options.betas;
  const schedule = input('schedule', [5]);
  const [rate, decay, correct1, correct2, keep] = [0, 1, 2, 3, 4].map((i) => slice(schedule, 0, i, i + 1)) as Five;
  const rates = options.layerRates ? input('rates', state.parameters.shape) : undefined;
  const own = (value: Expr) => (rates ? mul(value, rates) : value);
  const expAvg = add(mul(state.expAvg, beta1), mul(gradient, 1 - beta1));
  const expAvgSq = add(mul(state.expAvgSq, beta2), mul(mul(gradient, gradient), 1 - beta2));
  const deviation = add(sqrt(mul(expAvgSq, correct2)), options.epsilon);
  const update = own(div(mul(expAvg, mul(rate, correct1)), deviation));
  const next = sub(mul(state.parameters, sub(1, own(mul(mask, decay)))), update);
  const ema = () => add(mul(input('ema', next.shape), keep), mul(next, sub(1, keep)));
  return {
    ...{ parameters: next, expAvg, expAvgSq },
    ...(options.ema && { ema: ema() }),
  };
}

type Five = [Expr, Expr, Expr, Expr, Expr];

/** The numbers of a step. */
export interface ScheduleEntry {
  /** Steps of AdamW, counted from 1. */
  readonly step: number;
  readonly rate: number;
  readonly weightDecay: number;
  readonly betas: readonly [number, number];
  /** Share of the old moving average of the weights that stays; 0 without one. */
  readonly keep?: number;
}

/** The five numbers of a step: rate, rate x decay, the corrections of both moments, and what the moving average keeps. */
export function scheduleValues({ step, rate, weightDecay, betas, keep = 0 }: ScheduleEntry): Float32Array {
  return Float32Array.of(rate, rate * weightDecay, 1 / (1 - betas[0] ** step), 1 / (1 - betas[1] ** step), keep);
}

/** Smoothed one-hot rows: (1 - s) on the label, s / classes everywhere. -> [B, classes] */
export function smoothedTargets(labels: Int32Array, classes: number, smoothing: number): Float32Array {
  const out = new Float32Array(labels.length * classes).fill(smoothing / classes);
  labels.forEach((label, i) => {
    out[i * classes + label] = (out[i * classes + label] ?? 0) + 1 - smoothing;
  });
  return out;
}
