import type { Expr } from '../graph/expr.js';
import type { NetworkConfig } from './config.js';
import type { Part } from './model.js';
import type { Intermediates } from './network.js';
import { modelOf } from './registry.js';

/** The part that a name begins with; else the head, which is the last part. */
export function partNamed(parts: readonly Part[], name: string): string {
  const found = parts.find((part) => name === part.name || name.startsWith(`${part.name}.`)) ?? parts.at(-1);
  return found?.name ?? '';
}

/** Each expression's part: the first whose intermediate needs it. */
export function partsOf(config: NetworkConfig, keep: Intermediates): Map<Expr, string> {
  const parts = modelOf(config).parts(config);
  const found = new Map<Expr, string>();
  for (const [name, result] of keep) {
    const part = partNamed(parts, name);
    const open = [result];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (found.has(node)) continue;
      found.set(node, part);
      open.push(...node.inputs);
    }
  }
  return found;
}
