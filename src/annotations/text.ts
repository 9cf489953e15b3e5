/** Text and JSON of annotation files, decoded as the programs that write them encode it. */
import { DatasetError, messageOf } from '../errors.js';
import type { AnnotationFile } from './format.js';

const texts = new WeakMap<Uint8Array, string>();

/**
 * The file as text without byte order mark: UTF-8, UTF-16 with its mark, or Windows-1252 where the bytes are not UTF-8. Kept with
 * the bytes, since every format asks.
 */
export function textOf({ bytes }: AnnotationFile): string {
  const known = texts.get(bytes);
  if (known !== undefined) return known;
  const text = decode(bytes);
  texts.set(bytes, text);
  return text;
}

function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

export const fileOfText = (path: string, text: string): AnnotationFile => ({ path, bytes: new TextEncoder().encode(text) });

/** The name without folders: of POSIX and Windows paths and addresses. */
export const baseName = (path: string): string => path.slice(path.search(/[^/\\]*$/));

/** The name without folders and its last ending. */
export const stemOf = (path: string): string => baseName(path).replace(/(?<=.)\.[^.]*$/, '');

const values = new WeakMap<Uint8Array, { readonly value: unknown }>();

/** The value of a JSON file. Bare NaN, which some programs write, is null. DatasetError with line and column. */
export function jsonOf(file: AnnotationFile): unknown {
  const known = values.get(file.bytes);
  if (known !== undefined) return known.value;
  const value = parseJson(textOf(file), file.path);
  values.set(file.bytes, { value });
  return value;
}

/** As `jsonOf`, but undefined for what is not a JSON object or array: for telling formats apart. */
export function jsonOrNothing(file: AnnotationFile): object | undefined {
  if (!/^\s*[[{]/.test(textOf(file))) return undefined;
  try {
    const value = jsonOf(file);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The value of JSON text; `path` is for messages. */
export function parseJson(text: string, path: string): unknown {
  if (isTooDeep(text)) throw new DatasetError(`more than ${maxDepth} lists and objects inside each other`, { path });
  try {
    return JSON.parse(text);
  } catch (error) {
    const repaired = withoutNaN(text);
    if (repaired !== text) return parseJson(repaired, path);
    throw new DatasetError(`not JSON${placeOf(error, text)}`, { path, cause: error });
  }
}

const maxDepth = 100;

/** Whether lists and objects lie inside each other so deep that walking over them would end the stack. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') inString = !inString;
    else if (inString) i += character === '\\' ? 1 : 0;
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    if (depth > maxDepth) return true;
  }
  return false;
}

/** NaN and Infinity outside of strings become null. */
const withoutNaN = (text: string): string =>
  text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (found) => (found.startsWith('"') ? found : 'null'));

function placeOf(error: unknown, text: string): string {
  const said = messageOf(error);
  const reason = said.split(/ in JSON|, "|, \.\.\.| \(line/)[0] ?? said;
  const position = said.includes('end of JSON') ? text.length : /at position (\d+)/.exec(said)?.[1];
  if (position === undefined) return `: ${reason}`;
  const lines = text.slice(0, Number(position)).split('\n');
  return ` at line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}: ${reason}`;
}
