/** The film of an ELAN document, and where the document's time begins in it. */
import { DatasetError } from '../../errors.js';
import { onlyFilm } from '../films.js';
import { baseName } from '../text.js';
import type { XmlElement } from '../xml.js';

export interface ElanMedia {
  readonly film: string;
  /** Film time = time of the document + this. */
  readonly originSec: number;
  readonly notes: readonly string[];
}

const videoName = /\.(?:mp4|m4v|mov|webm|mkv|avi|mpe?g|ogv|wmv|flv|mts|m2ts|ts|3gp)$/i;

interface Descriptor {
  readonly film: string;
  readonly originSec: number;
}

/** Several videos are views of one time: the first, or the one that the user names. DatasetError where no video is known. */
export function mediaOf(root: XmlElement, film: string | undefined, path: string): ElanMedia {
  const videos = (root.first('HEADER')?.all('MEDIA_DESCRIPTOR') ?? []).filter(isVideo).map(descriptorOf);
  const [first] = videos;
  if (first === undefined) return { film: onlyFilm(path, film, 'ELAN document'), originSec: 0, notes: [] };
  if (film === undefined) return { ...first, notes: viewsNote(videos) };
  const named = videos.find((video) => baseName(video.film) === baseName(film));
  if (named === undefined && videos.length > 1) {
    throw new DatasetError(`has no video called ${film}; expected one of ${filmsOf(videos)}`, { path });
  }
  return { film, originSec: (named ?? first).originSec, notes: [] };
}

function viewsNote(videos: readonly Descriptor[]): string[] {
  const [first] = videos;
  return videos.length < 2
    ? []
    : [`${videos.length} videos are views of one time; the first, ${first?.film}, is used (--film for another)`];
}

const filmsOf = (videos: readonly Descriptor[]): string => videos.map((video) => baseName(video.film)).join(', ');

/** A sound that was extracted from a film is none. */
function isVideo(media: XmlElement): boolean {
  if (media.attribute('EXTRACTED_FROM')) return false;
  const type = media.attribute('MIME_TYPE') ?? '';
  return type.startsWith('video/') || (!type.startsWith('audio/') && videoName.test(media.attribute('MEDIA_URL') ?? ''));
}

function descriptorOf(media: XmlElement): Descriptor {
  const relative = media.attribute('RELATIVE_MEDIA_URL');
  const origin = Number(media.attribute('TIME_ORIGIN') ?? 0);
  if (!Number.isFinite(origin)) media.fail(`has TIME_ORIGIN="${media.attribute('TIME_ORIGIN')}", expected milliseconds`);
  const film = relative ? relative.replace(/^\.\//, '') : pathOf(media.required('MEDIA_URL'));
  return { film: film === '' ? media.fail('names no file') : film, originSec: origin / 1000 };
}

/** "file:///C:/my%20films/a.mp4" is "C:/my films/a.mp4"; names that are no address stay as they are. */
function pathOf(address: string): string {
  if (!/^file:/i.test(address)) return address;
  const path = address.replace(/^file:\/*(?=[a-z]:)/i, '').replace(/^file:\/*/i, '/');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
