import { DatasetError } from '../errors.js';
import type { AnnotatedFilm } from './annotations.js';

type Split = NonNullable<AnnotatedFilm['split']>;

const spellings: Readonly<Record<Split, readonly string[]>> = {
  train: ['train', 'training'],
  val: ['val', 'valid', 'validation', 'validate', 'dev'],
  test: ['test', 'testing'],
};

const splits = new Map((Object.keys(spellings) as Split[]).flatMap((split) => spellings[split].map((name) => [name, split])));

/** The split that a folder or a cell names, in the spellings in use; undefined for anything else. */
export const splitNamed = (text: string): Split | undefined => splits.get(text.trim().toLowerCase());

/** As `splitNamed`, for a cell that may be empty; DatasetError for anything else. */
export function splitCell(cell: string | undefined, where: string): Split | undefined {
  const split = splitNamed(cell ?? '');
  if (split !== undefined || cell === undefined) return split;
  throw new DatasetError(`expected split train, val or test, got "${cell}"`, { path: where });
}
