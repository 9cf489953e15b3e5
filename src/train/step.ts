/**
 * The training step as one graph: forward in training mode, loss, gradients, clipping, and AdamW on one flat parameter vector.
 * Pure: it needs neither Node nor a machine; how the graph is run is the caller's business.
 */

import { concat, flatten, slice, sumAll } from '../graph/arrange.js';
import { add, clip, div, mul, sqrt, sub } from '../graph/elementwise.js';
import { constant, type Expr, input } from '../graph/expr.js';
import { gradients } from '../graph/gradients.js';
import { logSoftmax } from '../graph/linear.js';
import { sizeOf } from '../graph/shape.js';
import type { NetworkConfig } from '../models/config.js';
import { FlatVariables, inventoryOf, trainingGraph } from '../models/network.js';
import { countValues, type Inventory } from '../models/variables.js';

export interface StepOptions {
  /** Clips a batch. */
  readonly clips: number;
  /** AdamW's decay of first and second moments. */
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  /** Largest L2 norm of the whole gradient; Infinity for none. */
  readonly maxGradientNorm: number;
  /** How much of the old running statistics a step keeps. */
  readonly statisticsMomentum: number;
  /** Clips follow one another in pairs (see trainingGraph); for causal networks and even batches. */
  readonly chained?: boolean;
}

export const defaultStep: Omit<StepOptions, 'clips'> = {
  betas: [0.9, 0.999],
  epsilon: 1e-8,
  maxGradientNorm: Number.POSITIVE_INFINITY,
  statisticsMomentum: 0.9,
};

/**
 * Inputs: clips [T*B, 3, S, S], targets [B, classes] (rows sum to 1), dropout [B, F] (0 or 1 / (1 - p)), schedule [4] (see
 * `scheduleValues`), and the state: parameters, first, second [P], statistics [S].
 * Outputs: loss [], logits [B, classes], gradientNorm [], and the state under its names with `.next`.
 */
export function trainingStep(config: NetworkConfig, options: StepOptions): Record<string, Expr> {
  const { clips } = options;
  const inventory = inventoryOf(config);
  const state = stateInputs(inventory);
  const schedule = input('schedule', [4]);
  const targets = input('targets', [clips, config.classes]);
  const dropout = input('dropout', [clips, config.head]);
  const variables = new FlatVariables(state.parameters, state.statistics);
  const { logits, seen } = trainingGraph(config, variables, inventory.statistics, clips, {
    dropout,
    chained: options.chained ?? false,
  });
  const loss = mul(sumAll(mul(targets, logSoftmax(logits))), -1 / clips);
  const flat = concat(gradients(loss, variables.parameters).map(flatten), 0);
  const norm = sqrt(sumAll(mul(flat, flat)));
  const { maxGradientNorm } = options;
  const gradient = Number.isFinite(maxGradientNorm) ? mul(flat, clip(div(maxGradientNorm, add(norm, 1e-6)), 0, 1)) : flat;
  const momentum = options.statisticsMomentum;
  return {
    loss,
    logits,
    gradientNorm: norm,
    ...adamW(state, gradient, schedule, decayMask(inventory), options),
    'statistics.next': add(mul(state.statistics, momentum), mul(concat(seen, 0), 1 - momentum)),
  };
}

/** Inputs: clips, and flat parameters. Output: what every batch norm sees in this batch, in the order of the statistics. */
export function statisticsGraph(config: NetworkConfig, clips: number, chained = false): Record<string, Expr> {
  const inventory = inventoryOf(config);
  const { parameters, statistics } = stateInputs(inventory);
  const variables = new FlatVariables(parameters, statistics);
  const { seen } = trainingGraph(config, variables, inventory.statistics, clips, { chained });
  return { statistics: concat(seen, 0) };
}

interface State {
  readonly parameters: Expr;
  readonly first: Expr;
  readonly second: Expr;
  readonly statistics: Expr;
}

function stateInputs(inventory: Inventory): State {
  const parameters = [countValues(inventory.parameters)];
  return {
    parameters: input('parameters', parameters),
    first: input('first', parameters),
    second: input('second', parameters),
    statistics: input('statistics', [countValues(inventory.statistics)]),
  };
}

/** 1 for values that decay, 0 for the others. */
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
function adamW(state: State, gradient: Expr, schedule: Expr, mask: Expr, options: StepOptions): Record<string, Expr> {
  const [beta1, beta2] = options.betas;
  const [rate, decay, correct1, correct2] = [0, 1, 2, 3].map((i) => slice(schedule, 0, i, i + 1)) as [Expr, Expr, Expr, Expr];
  const first = add(mul(state.first, beta1), mul(gradient, 1 - beta1));
  const second = add(mul(state.second, beta2), mul(mul(gradient, gradient), 1 - beta2));
  const deviation = add(sqrt(mul(second, correct2)), options.epsilon);
  const update = div(mul(first, mul(rate, correct1)), deviation);
  const kept = mul(state.parameters, sub(1, mul(mask, decay)));
  return { 'parameters.next': sub(kept, update), 'first.next': first, 'second.next': second };
}

/** The four numbers a step needs: learning rate, rate x decay, and the corrections of both moments for step 1, 2, ... */
export function scheduleValues(step: number, rate: number, weightDecay: number, betas: readonly [number, number]): Float32Array {
  return Float32Array.of(rate, rate * weightDecay, 1 / (1 - betas[0] ** step), 1 / (1 - betas[1] ** step));
}

/** Smoothed one-hot rows: (1 - s) on the label, s / classes everywhere. -> [B, classes] */
export function smoothedTargets(labels: Int32Array, classes: number, smoothing: number): Float32Array {
  const out = new Float32Array(labels.length * classes).fill(smoothing / classes);
  labels.forEach((label, i) => {
    out[i * classes + label] = (out[i * classes + label] ?? 0) + 1 - smoothing;
  });
  return out;
}
