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
  readonly says: 'logits' | 'features';
  /** One a logit; undefined when the file does not tell. */
  readonly labels: readonly string[] | undefined;
  /** Values a clip. */
  readonly outputs: number;
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  /** Clips of the student (kept) -> [B][outputs]. */
  rows(clips: ClipTensor): Promise<Float32Array[]>;
  close(): Promise<void>;
}

type Answers = Pick<TeacherNetwork, 'labels' | 'outputs'>;

export interface Alignment {
  /** For each label of the student the place of its logit; undefined when the teacher answers of other classes. */
  readonly places: readonly number[] | undefined;
  /** What was concluded. */
  readonly note?: string;
}

/** What becomes of answers that the student has no logits for. */
export const headNote = 'a head of the student learns them and falls away at the end';

/** WeightsError where labels and outputs do not fit each other. */
export function alignLabels({ labels, outputs }: Answers, wanted: readonly string[], where: string): Alignment {
  if (labels === undefined) return inGivenOrder(outputs, wanted);
  if (labels.length !== outputs) throw new WeightsError(`names ${labels.length} labels for ${outputs} outputs`, { path: where });
  const places = wanted.map((label) => labels.indexOf(label));
  const lacking = wanted.filter((_, i) => places[i] === -1);
  if (lacking.length > 0)
    return { places: undefined, note: `it knows ${listed(labels)}, but not ${listed(lacking)}: ${headNote}` };
  const others = labels.filter((label) => !wanted.includes(label));
  return others.length === 0 ? { places } : { places, note: `what it says of ${listed(others)} is left aside` };
}

function inGivenOrder(outputs: number, wanted: readonly string[]): Alignment {
  if (outputs !== wanted.length)
    return { places: undefined, note: `its ${outputs} outputs are not the data's ${wanted.length} classes: ${headNote}` };
  return {
    places: wanted.map((_, i) => i),
    note: `it names no classes: its outputs are taken for ${listed(wanted)}, in this order`,
  };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => `"${name}"`);
  return names.length > 8 ? `${shown.join(', ')} and ${names.length - 8} more` : shown.join(', ');
}
