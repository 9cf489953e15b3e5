import type { Expr, Op } from './expr.js';

type Values<Name extends string> = Readonly<Partial<Record<Name, Expr>>>;

export interface Graph<State extends string = string, Output extends string = string> {
  /** Results of a run. */
  readonly outputs: Values<Output>;
  /** State that a run replaces, by the name under which the graph reads it as an input. */
  readonly updates?: Values<State>;
  /** State to whose end a run appends; an input of that name sees its last values, as many as its shape holds. */
  readonly appends?: Values<State>;
}

/** Use of a model's output. */
export type OutputRole = { readonly role: 'output' | 'update' | 'append'; readonly name: string };

const updateSuffix = '.next';
const appendSuffix = '.push';
const previousSuffix = '.before';

/** The input that sees what a state was one run earlier. */
export const previousOf = (state: string): string => `${state}${previousSuffix}`;

/** The state that an input reads, be it its value or the one before. */
export const stateRead = (input: string): string =>
  input.endsWith(previousSuffix) ? input.slice(0, -previousSuffix.length) : input;

/** The input of the model file that an expression is; undefined where it is none. */
export function inputName(op: Op): string | undefined {
  if (op.kind === 'state') return op.previous ? previousOf(op.name) : op.name;
  return op.kind === 'input' ? op.name : undefined;
}

/** All that a model of this graph computes, under the names that its outputs have. */
export function modelOutputs({ outputs, updates = {}, appends = {} }: Graph): Record<string, Expr> {
  const named = (values: Values<string>, suffix: string) =>
    Object.entries(values).flatMap(([name, value]) => (value ? [[name + suffix, value] as const] : []));
  return Object.fromEntries([...named(outputs, ''), ...named(updates, updateSuffix), ...named(appends, appendSuffix)]);
}

/** The other direction: what an output of a model is. */
export function roleOf(output: string): OutputRole {
  if (output.endsWith(updateSuffix)) return { role: 'update', name: output.slice(0, -updateSuffix.length) };
  if (output.endsWith(appendSuffix)) return { role: 'append', name: output.slice(0, -appendSuffix.length) };
  return { role: 'output', name: output };
}
