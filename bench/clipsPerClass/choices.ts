import { UsageError } from '../errors.js';
import type { Count } from './draws.js';
import { kinds } from './resultsFile.js';

export interface ChoiceTexts {
  readonly counts: string;
  readonly only: string | undefined;
  readonly start: string;
  readonly split: string;
}

/** Options as texts. UsageError for one that means nothing. */
export function readChoices(texts: ChoiceTexts) {
  const { counts, only = kinds.join(), start, split } = texts;
  const known = <T extends string>(option: string, names: readonly T[], text: string): T => {
    const found = names.find((name) => name === text);
    if (found !== undefined) return found;
    throw new UsageError(`${option}: expected ${names.join(', ')}, got "${text}"`);
  };
  const countOf = (text: string): Count => {
    if (text === 'all' || /^[1-9]\d*$/.test(text)) return text === 'all' ? text : Number(text);
    throw new UsageError(`--counts: expected whole numbers from 1, or all, with commas between, got "${counts}"`);
  };
  const startSec = start.trim() === '' ? Number.NaN : Number(start);
  if (!(startSec >= 0 && startSec < Infinity)) throw new UsageError(`--start: expected seconds from 0, got "${start}"`);
  return {
    counts: counts.split(',').map(countOf),
    only: only.split(',').map((kind) => known('--only', kinds, kind)),
    split: known('--split', ['test', 'val'] as const, split),
    startSec,
  };
}
