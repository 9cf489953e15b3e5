/** Files written by earlier versions, brought up to date before they are checked. */

import { models } from '../models/registry.js';

/** A stored configuration as of today: those of the first network did not name their family. */
export function upgradedConfig(stored: unknown): unknown {
  if (typeof stored !== 'object' || stored === null || Array.isArray(stored) || 'family' in stored) return stored;
  return { family: models[0]?.family, ...stored };
}
