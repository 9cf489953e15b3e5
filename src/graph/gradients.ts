import { ShapeError } from '../errors.js';
import { type Expr, filled, topologicalOrder } from './expr.js';
import { add } from './operators/arithmetic.js';
import { channelAffine } from './operators/channelAffine.js';
import { sameShape, showShape, sizeOf } from './shape.js';

/**
 * The gradient of `loss` (one element) with respect to each of `targets`, as expressions of the targets' shapes. Throws a
 * ShapeError for a target that the loss does not depend on: a parameter that is never trained is a mistake in the model.
 */
export function gradients(loss: Expr, targets: readonly Expr[]): Expr[] {
  if (sizeOf(loss.shape) !== 1) throw new ShapeError(`gradients: the loss must be one number, got ${showShape(loss.shape)}`);
  const order = topologicalOrder([loss]);
  const wanted = new Set(targets);
  const onPath = new Set<Expr>();
  for (const node of order) if (wanted.has(node) || node.inputs.some((operand) => onPath.has(operand))) onPath.add(node);

  const flowsInto = new Map<Expr, Expr[]>([[loss, [filled(1, loss.shape)]]]);
  const total = (node: Expr): Expr | undefined => addFlows(flowsInto.get(node) ?? []);
  for (const node of order.reverse()) {
    if (wanted.has(node) || !onPath.has(node)) continue;
    const dy = total(node);
    if (!dy) continue;
    const flows = node.gradient(dy);
    node.inputs.forEach((operand, i) => {
      const flow = flows[i];
      if (!flow || !onPath.has(operand)) return;
      if (!sameShape(flow.shape, operand.shape)) {
        throw new ShapeError(
          `gradients: ${node.op.kind} gives ${showShape(flow.shape)} for an operand of ${showShape(operand.shape)}`,
        );
      }
      flowsInto.set(operand, [...(flowsInto.get(operand) ?? []), flow]);
    });
  }
  return targets.map((target, i) => {
    const sum = total(target);
    if (!sum) throw new ShapeError(`gradients: the loss does not depend on target ${i} of ${showShape(target.shape)}`);
    return sum;
  });
}

/** Sums the incoming gradients; scaled copies of one map become one. */
function addFlows(flows: readonly Expr[]): Expr | undefined {
  const scaled = new Map<Expr, Expr>();
  const rest: Expr[] = [];
  for (const flow of flows) {
    const [source] = flow.inputs;
    if (flow.op.kind !== 'channelAffine' || !source) rest.push(flow);
    else {
      const known = scaled.get(source);
      scaled.set(source, known ? addScaled(known, flow) : flow);
    }
  }
  const all = [...rest, ...scaled.values()];
  return all.length === 0 ? undefined : all.reduce((a, b) => add(a, b));
}

function addScaled(a: Expr, b: Expr): Expr {
  const [x, scaleA, shiftA] = a.inputs;
  const [, scaleB, shiftB] = b.inputs;
  return x && scaleA && shiftA && scaleB && shiftB ? channelAffine(x, add(scaleA, scaleB), add(shiftA, shiftB)) : add(a, b);
}
