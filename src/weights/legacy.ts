/** Converts weights files of earlier versions before they are checked. */

import { models } from '../models/registry.js';

type Entries = Readonly<Record<string, unknown>>;

const isEntries = (value: unknown): value is Entries => typeof value === 'object' && value !== null && !Array.isArray(value);

function withName(stored: Entries, old: string, now: string): Entries {
  const { [old]: value, ...rest } = stored;
  return value === undefined ? stored : { [now]: value, ...rest };
}

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

/** Stored preprocessing as of today: `resize` was `shape`, `stretch` was `squeeze`, `startSec` was `fromSec`. */
export function upgradedPreprocess(stored: unknown): unknown {
  if (!isEntries(stored)) return stored;
  const { shape, ...rest } = withSides(withName(stored, 'fromSec', 'startSec'));
  return shape === undefined ? rest : { resize: shape === 'squeeze' ? 'stretch' : shape, ...rest };
}

/** Stored calibration as of today: `rejectThreshold` was `unknownBelow`. */
export function upgradedCalibration(stored: unknown): unknown {
  return isEntries(stored) ? withName(stored, 'unknownBelow', 'rejectThreshold') : stored;
}
