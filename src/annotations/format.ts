/** What a reader and writer of one program's files offers. All formats are in formats.ts. */
import type { Annotations } from './annotations.js';

/** A file as it lies on the disk. */
export interface AnnotationFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What a file leaves open and only the user knows. */
export interface ReadChoices {
  /** Frames a second of the labelling grid, for formats in frames. */
  readonly fps?: number;
  /** Only these subjects (BORIS, ELAN's participants). */
  readonly subjects?: readonly string[];
  /** The tiers, attributes or controls that hold the labels, where a file has several. */
  readonly tiers?: readonly string[];
  /** The film, for files of one film that do not name it. */
  readonly film?: string;
  /** Seconds added to every time, for lists whose times are of a longer film than the one at hand. */
  readonly offsetSec?: number;
  /** The annotator, where a file has versions by several. */
  readonly annotator?: string;
  /** Names of classes by their id, for lists that hold ids only. */
  readonly classNames?: Readonly<Record<string, string>>;
  /** What happens to states that were begun and not ended: they last to the end of the film, or are dropped. Otherwise an error. */
  readonly unpaired?: 'end' | 'drop';
}

/** Whether a format can hold each kind of thing; what it cannot is counted and said before anything is written. */
export interface Holds {
  readonly points: boolean;
  readonly overlap: boolean;
  readonly manyFilms: boolean;
  readonly subject: boolean;
  readonly comment: boolean;
  readonly attributes: boolean;
  readonly score: boolean;
  /** Complete stretches without label. */
  readonly background: boolean;
  readonly split: boolean;
  /** Moments without start or end. */
  readonly open: boolean;
}

export interface WriteChoices {
  /** Frames a second of the grid, for formats in frames. */
  readonly fps?: number;
  /** Length given to points by formats that have none, seconds around them; without it points are left out, and that is said. */
  readonly aroundSec?: number;
}

/** Something that a format cannot hold. */
export interface Loss {
  readonly count: number;
  /** "points", "subjects". */
  readonly what: string;
  /** Whether whole moments are left out, not only something said of them. */
  readonly moments: boolean;
}

/** A file to be written; several where a format takes one a film. */
export interface WrittenFile {
  /** Below the output: "" is the output itself. */
  readonly name: string;
  readonly content: string | Uint8Array;
}

export interface Written {
  readonly files: readonly WrittenFile[];
  /** What this writer in particular could not keep, beyond `holds`: by count and kind. */
  readonly losses: readonly Loss[];
}

export interface AnnotationFormat {
  /** On the command line: "boris". */
  readonly name: string;
  /** In messages: "BORIS project". */
  readonly title: string;
  /** Rows are frames of the film itself, so that without `fps` the film's own rate is to be looked up. */
  readonly frames?: 'film';
  /** Whether a file is of this format, by its content first. */
  matches(file: AnnotationFile): boolean;
  /** Throws a DatasetError with file and place. */
  read?(file: AnnotationFile, choices: ReadChoices): Annotations;
  /** Present with `write`. */
  readonly holds?: Holds;
  /** The ending of its files with the dot, where `convert` may choose the format by it: ".vtt". */
  readonly ending?: string;
  /** Gets only what `holds` allows (reduce.ts takes the rest out and counts it), so that its losses are those beyond. */
  write?(annotations: Annotations, choices: WriteChoices): Written;
}
