import type { Expr } from '../graph/expr.js';
import { add, div, mul, sub } from '../graph/operators/arithmetic.js';
import { linear } from '../graph/operators/matmul.js';
import { sum, sumAll } from '../graph/operators/reduction.js';
import { logSoftmax } from '../graph/operators/softmax.js';
import { softplus, sqrt } from '../graph/operators/unary.js';
import type { NetworkConfig } from '../models/config.js';
import { type Intermediates, lastVector, outline } from '../models/network.js';
import type { VariableSpec } from '../models/variables.js';

/**
 * A linear layer on the student's last vector that learns what a teacher says of other classes, or its features. It is trained
 * with the student and is no part of the stored weights: its parameters lie behind the student's in the flat vectors.
 */
export interface TeacherHead {
  readonly learns: 'classes' | 'features';
  /** Values a clip. */
  readonly outputs: number;
}

/** Its parameters: weight [outputs, D] and bias. */
export function headParameters(config: NetworkConfig, { outputs }: TeacherHead): VariableSpec[] {
  const keep: Intermediates = new Map();
  outline(config, { keep, lastVector: true });
  const width = keep.get(lastVector)?.shape[1] ?? 0;
  return [
    { name: 'teacherHead.weight', shape: [outputs, width], init: { normal: 0.01 }, decay: true },
    { name: 'teacherHead.bias', shape: [outputs], init: { value: 0 }, decay: false },
  ];
}

/**
 * Loss of a student's readout vector [B, D], a mean over clips. `soft` [B, outputs] is the teacher's: probabilities, learnt by
 * cross-entropy times T^2 at temperature T, or features of length 1, learnt by one less the cosine; both times the clip's weight.
 */
export function headLoss(
  head: TeacherHead,
  vector: Expr,
  [weight, bias]: readonly [Expr, Expr],
  soft: Expr,
  temperature: number,
): Expr {
  const answers = linear(vector, weight, bias);
  return head.learns === 'classes' ? softCrossEntropy(soft, answers, temperature) : cosineLoss(soft, answers);
}

/** Of logits [B, K] with weighted probabilities; a mean over clips. */
export const crossEntropy = (targets: Expr, logits: Expr): Expr =>
  mul(sumAll(mul(targets, logSoftmax(logits))), -1 / (logits.shape[0] ?? 1));

/**
 * Of logits [B, K] with targets 0 to 1, a decision a class; a mean over clips and classes. A true class weighs `positive` [K] times as much
 * (PyTorch's BCEWithLogitsLoss with pos_weight).
 */
export function binaryCrossEntropy(targets: Expr, logits: Expr, positive: Expr): Expr {
  const [clips = 1, classes = 1] = logits.shape;
  const weighted = mul(targets, positive);
  const each = sub(mul(softplus(logits), add(sub(weighted, targets), 1)), mul(weighted, logits));
  return mul(sumAll(each), 1 / (clips * classes));
}

/** The same at a temperature, times its square, so that gradients keep their size (Hinton et al. 2015). */
export const softCrossEntropy = (soft: Expr, logits: Expr, temperature: number): Expr =>
  mul(crossEntropy(soft, mul(logits, 1 / temperature)), temperature ** 2);

function cosineLoss(soft: Expr, answers: Expr): Expr {
  const [clips = 1] = answers.shape;
  const length = (x: Expr) => sqrt(add(sum(mul(x, x), [1]), 1e-12)); // [B, 1]
  const direction = div(answers, length(answers));
  return mul(sub(sumAll(length(soft)), sumAll(mul(soft, direction))), 1 / clips);
}
