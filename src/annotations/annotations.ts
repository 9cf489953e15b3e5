/**
 * Moments of films and their labels, independent of any program's file: what readers give and writers take. Films only: times on
 * a labelling grid, of an observation or a clock are resolved before they get here.
 */

/** Seconds of the film as a player shows them: 0 is where the container starts. Start inclusive, end exclusive. */
export interface Moment {
  /** Undefined: from the beginning of the film. */
  readonly startSec?: number;
  /** Undefined: to its end. Equal to the start: a point in time. */
  readonly endSec?: number;
  /** At least one; several are true at once. */
  readonly labels: readonly string[];
  /** Who did it. */
  readonly subject?: string;
  readonly comment?: string;
  /** Modifiers and whatever else a program says of a moment, by name. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Confidence, 0 to 1, of a prediction. */
  readonly score?: number;
  /** Where in the file it stands, for messages: "list.csv:3". */
  readonly where: string;
}

/** One film with its moments, in the file's order. */
export interface AnnotatedFilm {
  /** As the file names it: a path of some machine, an address or an id. */
  readonly film: string;
  /** As the file states it. */
  readonly durationSec?: number;
  /** Frames a second, as the file states it. */
  readonly fps?: number;
  readonly split?: 'train' | 'val' | 'test';
  readonly moments: readonly Moment[];
  /** Stretches whose labels are complete: what has no label there is background. Undefined: unknown, as in most formats. */
  readonly complete?: readonly { readonly startSec: number; readonly endSec: number }[];
  /** For messages. */
  readonly where: string;
}

export interface Annotations {
  readonly films: readonly AnnotatedFilm[];
  /** Classes in the file's order, where it lists them; some may have no moment. */
  readonly labels?: readonly string[];
  /** For the user: what was left out or decided, by count and kind. */
  readonly notes: readonly string[];
}
