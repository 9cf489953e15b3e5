import { DatasetError } from '../errors.js';
import type { AnnotatedFilm } from './annotations.js';

type Stretches = NonNullable<AnnotatedFilm['complete']>;

/** "0-12.5|20-30": stretches of a film in a cell, "none" for none; undefined for an empty cell. */
export function stretchesOf(cell: string | undefined, where: string): Stretches | undefined {
  if (cell === undefined) return undefined;
  if (cell === 'none') return [];
  return cell.split('|').map((part) => {
    const [, start, end] = /^([\d.e-]+?)-([\d.e-]+)$/.exec(part) ?? [];
    const stretch = { startSec: Number(start ?? Number.NaN), endSec: Number(end ?? Number.NaN) };
    if (stretch.endSec >= stretch.startSec) return stretch;
    throw new DatasetError(`complete: expected stretches in seconds such as 0-12.5|20-30, got "${cell}"`, { path: where });
  });
}

/** The reverse. */
export const stretchesText = (stretches: Stretches): string =>
  stretches.map(({ startSec, endSec }) => `${startSec}-${endSec}`).join('|') || 'none';
