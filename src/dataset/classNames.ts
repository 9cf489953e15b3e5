import { textOf } from '../annotations/text.js';
import { DatasetError } from '../errors.js';
import { annotationFile } from './annotationFiles.js';

/** Names of classes by id: lines such as "c001 Holding some clothes" or "3,run"; or a name a line, whose ids count from 0. */
export function readClassNames(path: string): Record<string, string> {
  const lines = textOf(annotationFile(path))
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim());
  const names = lines.filter((line) => line !== '');
  if (names.length === 0) throw new DatasetError('no names of classes', { path });
  const pairs = names.map((line) => /^([a-z]?\d+)[\s,;:]+(.+)$/i.exec(line));
  if (pairs.some((pair) => pair === null)) return Object.fromEntries(names.map((name, i) => [String(i), name]));
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] as string, pair?.[2] as string]));
}
