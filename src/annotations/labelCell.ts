import { DatasetError } from '../errors.js';
import { parseJson } from './text.js';

/** The labels of a cell that may hold several: a JSON array, or "run|wave". DatasetError for anything else. */
export function labelCell(cell: string, where: string): string[] {
  if (!cell.startsWith('[')) return cell.split('|').flatMap((label) => label.trim() || []);
  const labels = parseJson(cell, where);
  if (Array.isArray(labels) && labels.every((label) => typeof label === 'string' || typeof label === 'number'))
    return labels.map(String);
  throw new DatasetError(`labels: expected a JSON array of texts, or texts with | between, got ${cell}`, { path: where });
}

/** The reverse. */
export function labelsText(labels: readonly string[]): string {
  const plain = labels.every((label) => !label.includes('|') && !label.startsWith('[') && label.trim() === label);
  return plain ? labels.join('|') : JSON.stringify(labels);
}
