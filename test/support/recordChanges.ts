/** Compares outputs of verbs with the record, apart from intended changes (test/fixtures/record/changes.json). */

type Leaf = string | number | boolean | null;
type Values = Readonly<Record<string, Leaf>>;

export interface RecordedChanges {
  /** Keys that have other names: wherever they stand, or as `parent.key` in that object only. */
  readonly renamed: Readonly<Record<string, string>>;
  /** By verb: keys that are new, are gone, or whose values differ on purpose, each with the reason. */
  readonly added: Readonly<Record<string, string>>;
  readonly removed: Readonly<Record<string, string>>;
  readonly other: Readonly<Record<string, string>>;
  /** The weights that the recorded training ends with, since when and why. */
  readonly hash?: { readonly now: string; readonly reason: string };
}

/** Training results are reproducible on one machine only. */
const learnt = new Set(['train', 'report']);
const textOfSeconds = /sec|seconds|perSec|time|speed|bytes|memory/i;

/** `a[3].b` -> `a[].b` */
const general = (at: string): string => at.replace(/\[\d+\]/g, '[]');

const close = (a: number, b: number, within: number): boolean =>
  Math.abs(a - b) <= within * Math.max(1, Math.abs(a), Math.abs(b));

/** The unintended differences. */
export function unmeant(verb: string, recorded: Values, now: Values, changes: RecordedChanges, sameMachine: boolean) {
  const rename = (at: string) =>
    at
      .split('.')
      .map(
        (key, i, all) =>
          changes.renamed[`${all[i - 1]}.${key}`] ?? key.replace(/[\w-]+/, (word) => changes.renamed[word] ?? word),
      )
      .join('.');
  const allowed = (list: Readonly<Record<string, string>>, at: string) =>
    Object.keys(list).some((key) => key === `${verb}: ${general(at)}` || key === `*: ${general(at)}`);
  const values = new Map(Object.entries(recorded).map(([at, value]) => [rename(at), value]));
  const faults: string[] = [];
  for (const [at, value] of values) {
    if (!(at in now) && !allowed(changes.removed, at)) faults.push(`${at} is gone`);
    const got = now[at];
    if (got === undefined || value === null || allowed(changes.other, at)) continue;
    if (typeof value === 'number' && typeof got === 'number') {
      const within = learnt.has(verb) && !sameMachine ? Number.POSITIVE_INFINITY : verb === 'quantize' ? 1e-2 : 1e-5;
      if (!close(value, got, within)) faults.push(`${at}: ${got}, was ${value}`);
    } else if (got !== value && !textOfSeconds.test(at))
      faults.push(`${at}: ${JSON.stringify(got)}, was ${JSON.stringify(value)}`);
  }
  for (const at of Object.keys(now)) if (!values.has(at) && !allowed(changes.added, at)) faults.push(`${at} is new`);
  return faults;
}
