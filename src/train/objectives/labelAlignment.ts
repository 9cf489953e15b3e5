import type { ClipTensor } from '../../clip/clipTensor.js';
import type { Preprocess } from '../../clip/preprocess.js';
import { WeightsError } from '../../errors.js';

/** Whom a teacher is for: the clips are of its form, the answers about its labels. */
export interface Student {
  readonly preprocess: Preprocess;
  readonly labels: readonly string[];
  /** Root and split of the student's videos, as stored with weights. */
  readonly data?: { readonly root: string; readonly splitBy: string };
}

export interface TeacherNetwork {
  readonly name: string;
  /** Multiply-adds of one clip, where they are known. */
  readonly macs: number | undefined;
  /** One a logit; undefined when the file does not tell. */
  readonly labels: readonly string[] | undefined;
  readonly outputs: number;
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  /** Clips of the student (kept) -> [B][outputs]. */
  logits(clips: ClipTensor): Promise<Float32Array[]>;
  close(): Promise<void>;
}

type Answers = Pick<TeacherNetwork, 'labels' | 'outputs'>;

/** For each label of the student the place of its logit, and what was concluded. WeightsError where one is missing. */
export function alignLabels(
  { labels, outputs }: Answers,
  wanted: readonly string[],
  where: string,
): { readonly places: readonly number[]; readonly note?: string } {
  if (labels === undefined) return inGivenOrder(outputs, wanted, where);
  if (labels.length !== outputs) throw new WeightsError(`names ${labels.length} labels for ${outputs} outputs`, { path: where });
  const places = wanted.map((label) => labels.indexOf(label));
  const lacking = wanted.filter((_, i) => places[i] === -1);
  if (lacking.length > 0) {
    const known = `it knows ${listed(labels)}`;
    throw new WeightsError(`a teacher must know every class of the data; it lacks ${listed(lacking)} (${known})`, {
      path: where,
    });
  }
  const others = labels.filter((label) => !wanted.includes(label));
  return others.length === 0 ? { places } : { places, note: `what it says of ${listed(others)} is left aside` };
}

/** A model without labels is accepted when it has as many outputs as there are classes. */
function inGivenOrder(outputs: number, wanted: readonly string[], where: string) {
  if (outputs !== wanted.length)
    throw new WeightsError(
      `has ${outputs} outputs for ${wanted.length} classes and does not say which is which; expected metadata "labels", a JSON list of their names, or as many outputs as classes`,
      { path: where },
    );
  return {
    places: wanted.map((_, i) => i),
    note: `it names no classes: its outputs are taken for ${listed(wanted)}, in this order`,
  };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => `"${name}"`);
  return names.length > 8 ? `${shown.join(', ')} and ${names.length - 8} more` : shown.join(', ');
}
