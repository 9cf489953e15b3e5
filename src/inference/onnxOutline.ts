import { ConfigError, WeightsError } from '../errors.js';
import { type OnnxGraphFacts, type OnnxNodeFacts, readOnnxGraph, withOutputs } from '../graph/onnxGraph.js';
import { sizeOf } from '../graph/shape.js';
import type { GraphRuntime, SessionFacts } from '../platform/graphRuntime.js';
import { type InputForm, takesPictures } from './onnxNetwork.js';

const answering = /logit|prob|score|softmax|class|label|box|heatmap|center|mask/i;
/** Names of pooled or last features, the most telling first. */
const telling = [
  /^frames$/i,
  /^features$/i,
  /^(image_|video_|clip_)?embed(ding)?s?$/i,
  /^pooler_output$/i,
  /^last_hidden_state$/i,
];

/** Whether an output's name says that it holds features. */
export const namesFeatures = (name: string): boolean => telling.some((each) => each.test(name));

export interface ChosenValue {
  readonly output: string;
  /** Why this one. */
  readonly reason: string;
}

/**
 * The value whose numbers are the features: the output or intermediate value asked for; else an output by name; else the last
 * output that is no answer; else what the classifier reads; else the answers themselves.
 */
export function featuresValue(
  graph: OnnxGraphFacts,
  { outputs }: SessionFacts,
  asked: string | undefined,
  where: string,
): ChosenValue {
  const usable = outputs.filter(({ type }) => type === 'float32');
  const shown = outputs.map(({ name }) => `"${name}"`).join(', ');
  if (asked !== undefined) {
    const known = usable.some(({ name }) => name === asked) || graph.nodes.some((node) => node.outputs.includes(asked));
    if (known) return { output: asked, reason: 'as asked' };
    throw new ConfigError(`--features: ${where} has no value "${asked}"; its outputs are ${shown}`);
  }
  const named = telling.map((name) => usable.find((output) => name.test(output.name))).find((found) => found);
  const chosen = named ?? (usable.length > 1 ? usable.findLast(({ name }) => !answering.test(name)) : undefined);
  if (chosen) return { output: chosen.name, reason: `of its outputs ${shown}` };
  const [answers] = usable;
  if (!answers) throw new WeightsError(`has no float32 output to read features from, got ${shown}`, { path: where });
  const before = beforeClassifier(graph, answers.name);
  if (before !== undefined) return { output: before, reason: `which its last layer reads, before ${shown}` };
  return { output: answers.name, reason: 'its only answer' };
}

const passing = new Set([
  'Identity',
  'Softmax',
  'LogSoftmax',
  'Flatten',
  'Reshape',
  'Squeeze',
  'Cast',
  'Add',
  'Sigmoid',
  'Mul',
  'Div',
]);

function beforeClassifier(graph: OnnxGraphFacts, answers: string): string | undefined {
  const makers = makersOf(graph);
  for (let name: string | undefined = answers, steps = 0; name !== undefined && steps < 8; steps++) {
    const node = makers.get(name);
    if (!node) return undefined;
    if (weighted.has(node.type) && weightShape(graph, makers, node)) return node.inputs[0];
    name = passing.has(node.type) ? node.inputs[0] : undefined;
  }
  return undefined;
}

const makersOf = ({ nodes }: OnnxGraphFacts): ReadonlyMap<string, OnnxNodeFacts> =>
  new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));

const weighted = new Set(['Conv', 'Gemm', 'MatMul']);

/** Also of weights that are stored smaller and cast. */
function weightShape({ weights }: OnnxGraphFacts, makers: ReadonlyMap<string, OnnxNodeFacts>, { inputs }: OnnxNodeFacts) {
  for (let name = inputs[1]; name !== undefined; ) {
    const found = weights.get(name);
    if (found) return found;
    const maker = makers.get(name);
    name = maker && ['Cast', 'Identity', 'DequantizeLinear', 'Transpose'].includes(maker.type) ? maker.inputs[0] : undefined;
  }
  return undefined;
}

/**
 * Weights of the file, and multiply-adds of one clip: products of values with weights, by the shapes that a run on a blank clip
 * shows. What attention multiplies of values by values is not counted.
 */
export async function onnxCost(
  engine: GraphRuntime,
  model: Uint8Array,
  form: InputForm,
  shape: readonly number[],
): Promise<{ readonly parameters: number; readonly macs: number }> {
  const graph = readOnnxGraph(model);
  const makers = makersOf(graph);
  const counted = graph.nodes.flatMap((node) => {
    const own = weighted.has(node.type) ? weightShape(graph, makers, node) : undefined;
    return own ? [{ output: node.outputs[0] ?? '', type: node.type, size: sizeOf(own), first: own[0] ?? 1 }] : [];
  });
  const hidden = counted.map(({ output }) => output).filter((output) => !graph.outputs.includes(output));
  const session = await engine.load(withOutputs(model, hidden), 'multiply-adds', 'inference');
  const results = await session.run({ [form.input]: { shape, data: new Float32Array(sizeOf(shape)) } });
  await session.release();
  const macs = counted.reduce((sum, { output, type, size, first }) => {
    const made = results[output]?.shape ?? [];
    const outputs = type === 'Conv' ? first : (made.at(-1) ?? 1);
    return sum + (sizeOf(made) * size) / outputs;
  }, 0);
  const items = (takesPictures(form) ? form.frames : 1) / (shape[0] ?? 1);
  const parameters = [...graph.weights.values()].reduce((sum, each) => sum + sizeOf(each), 0);
  return { parameters, macs: Math.round(macs * items) };
}
