/** What labelling programs write for a film: paths of other machines, addresses, upload names and bare ids. */
import { baseName } from '../annotations/text.js';

/** A name as the path of a file: `file://` and percent codes undone, the storage path of Label Studio's local files. */
export function plainPath(film: string): string {
  const local = /[?&]d=([^&]+)/.exec(film)?.[1];
  if (local !== undefined) return decoded(local);
  const address = /^file:\/\/[^/]*(\/.*)$/i.exec(film)?.[1];
  if (address !== undefined) return decoded(address).replace(/^\/(?=[a-z]:[/\\])/i, '');
  if (/^[a-z][\w+.-]+:\/\//i.test(film)) return decoded(film.replace(/[?#].*$/, ''));
  return film;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** "day1/a.mp4", then "a.mp4": what may be left of a path in another folder, longest first. */
export function pathEnds(film: string): string[] {
  const parts = plainPath(film)
    .split(/[/\\]+/)
    .filter((part) => part !== '' && part !== '.' && part !== '..');
  return parts.map((_, i) => parts.slice(i).join('/'));
}

/** Names that the film's file may have, surest first; an id without ending stands for a file with any. */
export function fileNames(film: string): string[] {
  const name = baseName(plainPath(film));
  const uploaded = name.replace(/^[0-9a-f]{8}-(?=.)/i, '');
  return [...new Set([name, decoded(name), uploaded, decoded(uploaded)])];
}

/** As programs store an upload: blanks as underscores, other marks gone. */
export const storedName = (name: string): string => name.replaceAll(' ', '_').replace(/[^\p{L}\p{N}_.-]/gu, '');

/** Whether a stem is the film of an id: the id itself, with `v_` before it or without. */
export const isOfId = (stem: string, id: string): boolean => stem === id || stem === `v_${id}` || `v_${stem}` === id;

/** The seconds of a clip that was cut out of the film of this id, as "id_000012_000022"; undefined for another name. */
export function clipOfId(stem: string, id: string): { startSec: number; endSec: number } | undefined {
  const [, of, start, end] = /^(.+)_(\d{6})_(\d{6})$/.exec(stem) ?? [];
  return of === id || of === `v_${id}` ? { startSec: Number(start), endSec: Number(end) } : undefined;
}
