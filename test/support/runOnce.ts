/** Lowers a graph and runs it once. */

import * as ort from 'onnxruntime-node';
import { type Expr, topologicalOrder } from '../../src/graph/expr.js';
import { type Graph, inputName, modelOutputs, roleOf } from '../../src/graph/graph.js';
import { lower } from '../../src/graph/lowering/lower.js';
import { refuseOtherBlock } from '../../src/node/blockSize.js';

type Vectors = Record<string, Float32Array>;

/** The outputs of expressions without state. */
export const runOnce = async (outputs: Record<string, Expr>, inputs: ReadonlyMap<string, Float32Array>, block: number) =>
  (await runGraph({ outputs }, inputs, block)).outputs;

export async function runGraph(
  graph: Graph,
  inputs: ReadonlyMap<string, Float32Array>,
  block: number,
): Promise<{ readonly outputs: Vectors; readonly updates: Vectors }> {
  const model = lower(graph, { block });
  await refuseOtherBlock(model, 'test');
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const feeds: Record<string, ort.Tensor> = {};
  for (const { op, shape } of topologicalOrder(Object.values(modelOutputs(graph)))) {
    const name = inputName(op);
    if (name) feeds[name] = new ort.Tensor('float32', inputs.get(name) ?? new Float32Array(), shape);
  }
  const results = await session.run(feeds);
  await session.release();
  return byRole(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]));
}

/** What a model gave, under the names of the graph. */
export function byRole(values: readonly (readonly [string, Float32Array])[]): { outputs: Vectors; updates: Vectors } {
  const of = (wanted: string) =>
    Object.fromEntries(
      values.flatMap(([key, data]) => {
        const { role, name } = roleOf(key);
        return role === wanted ? [[name, data]] : [];
      }),
    );
  return { outputs: of('output'), updates: of('update') };
}
