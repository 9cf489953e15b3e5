/** Converts weights files of earlier versions before they are checked. */

import { models } from '../models/registry.js';

type Entries = Readonly<Record<string, unknown>>;

const isEntries = (value: unknown): value is Entries => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Frames were square, with one `size`. */
function withSides(stored: Entries): Entries {
  const { size, ...rest } = stored;
  return size === undefined ? stored : { height: size, width: size, ...rest };
}

/** A stored configuration as of today: those of the first network did not name their family. */
export function upgradedConfig(stored: unknown): unknown {
  if (!isEntries(stored)) return stored;
  return { ...(!('family' in stored) && { family: models[0]?.family }), ...withSides(stored) };
}

/** Stored preprocessing as of today: `resize` was `shape`, and `stretch` was `squeeze`. */
export function upgradedPreprocess(stored: unknown): unknown {
  if (!isEntries(stored)) return stored;
  const { shape, ...rest } = withSides(stored);
  return shape === undefined ? rest : { resize: shape === 'squeeze' ? 'stretch' : shape, ...rest };
}
