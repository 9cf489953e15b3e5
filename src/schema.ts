/** What the schemas of files and options share, on top of valibot: bounded numbers, and faults as text. */
import * as v from 'valibot';

const tooSmall = (least: number) => (issue: v.MinValueIssue<number, number>) =>
  `expected at least ${least}, got ${issue.received}`;
const tooLarge = (most: number) => (issue: v.MaxValueIssue<number, number>) => `expected at most ${most}, got ${issue.received}`;

/** A finite number, both bounds included. */
export const number = (least = -Infinity, most = Infinity) =>
  v.pipe(v.number(), v.finite(), v.minValue(least, tooSmall(least)), v.maxValue(most, tooLarge(most)));

/** An integer, both bounds included. */
export const integer = (least = Number.MIN_SAFE_INTEGER, most = Number.MAX_SAFE_INTEGER) =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(least, tooSmall(least)), v.maxValue(most, tooLarge(most)));

/** A number from 0 to 1. */
export const share = number(0, 1);

/** A finite number above 0. */
export const positive = v.pipe(
  number(),
  v.gtValue(0, ({ received }) => `expected more than 0, got ${received}`),
);

/** At least one character. */
export const text = v.pipe(v.string(), v.minLength(1));

/** The value as its schema hands it on; undefined where it does not match. */
export function matching<Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> | undefined {
  const parsed = v.safeParse(schema, value);
  return parsed.success ? parsed.output : undefined;
}

/** Every fault as `path: message`; `root` stands for the path of the value itself. */
export function faultsOf(issues: readonly v.BaseIssue<unknown>[], root = 'value'): string[] {
  return issues.map((issue) => {
    const path = issue.path?.map(({ key }) => String(key)) ?? [];
    const unknownKey = issue.type === 'strict_object' && issue.expected === 'never' ? path.pop() : undefined;
    const said = unknownKey === undefined ? issue.message : `Unrecognized key: "${unknownKey}"`;
    return `${path.join('.') || root}: ${said}`;
  });
}
