import { statSync } from 'node:fs';
import { partKey } from '../dataset/videoPart.js';
import type { EvaluatedVideo } from '../inference/evaluate.js';
import { holmAdjusted, mcnemarExact } from '../metrics/mcnemar.js';
import { networkCost } from '../models/cost.js';
import { modelOf } from '../models/registry.js';
import type { ReportFact, ReportOption } from './reportData.js';
import { grouped, scaled } from './reportText.js';
import type { RunResult } from './runEvaluation.js';
import type { RunFiles } from './runFiles.js';
import { recipeOf } from './runRecipe.js';

export interface ComparedRun {
  /** Unique on the page. */
  readonly name: string;
  readonly run: RunFiles;
  readonly result: RunResult;
}

/** Names for runs: the folder's, or the path where several folders are called the same. */
export function comparedRuns(runs: readonly { run: RunFiles; result: RunResult }[]): ComparedRun[] {
  const names = runs.map(({ run }) => run.name);
  const isUnique = new Set(names).size === names.length;
  return runs.map(({ run, result }) => ({ name: isUnique ? run.name : run.path, run, result }));
}

/** A property in which runs differ; a value for each run. */
export interface Difference {
  readonly name: string;
  readonly values: readonly string[];
}

/** Recorded properties in which at least two runs differ. Unrecorded ones count as default. */
export function differencesOf(compared: readonly ComparedRun[]): Difference[] {
  const all = compared.map(({ run, result }) => new Map([...recipeProperties(run), ...propertiesOf(run, result)]));
  const names = [...new Set(all.flatMap((properties) => [...properties.keys()]))];
  return names.flatMap((name) => {
    const properties = all.map((each) => each.get(name));
    const stated = properties.flatMap((property) => property ?? []);
    const differ = new Set(stated.map(({ value }) => value)).size > 1;
    const isNew = stated.length < all.length && stated.some(({ byDefault }) => byDefault !== undefined);
    return differ || isNew ? [{ name, values: properties.map((property) => property?.value ?? '–') }] : [];
  });
}

function recipeProperties(run: RunFiles): [string, ReportOption][] {
  return recipeOf(run).flatMap(({ options }) => options.map((option): [string, ReportOption] => [option.name, option]));
}

function propertiesOf(run: RunFiles, result: RunResult): [string, ReportOption][] {
  const { best, record, digest } = run;
  const { parameters, macs } = networkCost(best.config);
  const session = record?.sessions.at(-1);
  const facts: ReportFact[] = [
    ...Object.entries(modelOf(best.config).traits(best.config)),
    ['parameters', grouped(parameters)],
    ['multiply-adds of a view', scaled(macs)],
    ['classes', best.labels.length],
    ['data', result.dataPath],
    ['data fingerprint', digest?.slice(0, 16)],
    ['version', session?.version],
    ['processor', session?.machine.processor],
  ];
  return facts.flatMap(([name, value]): [string, ReportOption][] =>
    value === undefined ? [] : [[name, { name, value: String(value) }]],
  );
}

/** Runs that differ in nothing but their seed: how far luck alone moves the result. */
export interface SeedGroup {
  /** Places among the compared runs. */
  readonly members: readonly number[];
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

/** Not part of recipe, network or data. */
const beside = new Set(['seed', 'data', 'version', 'processor']);

/** Groups of at least two tested runs with one recipe, the same data and other seeds, as far as recorded; of one seed the first. */
export function seedGroups(compared: readonly ComparedRun[]): SeedGroup[] {
  const groups = new Map<string, Map<unknown, number>>();
  compared.forEach(({ run, result }, i) => {
    if (!result.evaluation || !run.recipe || run.digest === undefined) return;
    const properties = [...recipeProperties(run), ...propertiesOf(run, result)].filter(([name]) => !beside.has(name));
    const key = JSON.stringify(properties.map(([name, { value }]) => [name, value]));
    const group = groups.get(key) ?? new Map<unknown, number>();
    const seed = run.recipe['seed'];
    groups.set(key, group.has(seed) ? group : group.set(seed, i));
  });
  return [...groups.values()].flatMap((group) => {
    const members = [...group.values()];
    if (members.length < 2) return [];
    const shares = members.map((i) => compared[i]?.result.evaluation?.metrics.top1 ?? Number.NaN);
    const mean = shares.reduce((a, b) => a + b, 0) / shares.length;
    return [{ members, mean, least: Math.min(...shares), most: Math.max(...shares) }];
  });
}

/** Two runs on the same videos. */
export interface PairTest {
  /** Places among the compared runs. */
  readonly first: number;
  readonly second: number;
  /** Videos, those that only the first got right, and those that only the second did. */
  readonly videos: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** McNemar's exact two-sided test; adjusted for the number of pairs after Holm. */
  readonly p: number;
  readonly adjusted: number;
}

/** All pairs that were tested on the same videos, and the pairs that were not. */
export function pairTests(compared: readonly ComparedRun[]): { tests: PairTest[]; untested: [number, number][] } {
  const untested: [number, number][] = [];
  const tests: PairTest[] = [];
  compared.forEach((first, i) => {
    compared.slice(i + 1).forEach((second, k) => {
      const test = pairTest(first.result, second.result);
      if (test) tests.push({ first: i, second: i + 1 + k, adjusted: 1, ...test });
      else untested.push([i, i + 1 + k]);
    });
  });
  const adjusted = holmAdjusted(tests.map(({ p }) => p));
  return { tests: tests.map((test, i) => ({ ...test, adjusted: adjusted[i] ?? 1 })), untested };
}

function pairTest(first: RunResult, second: RunResult): Pick<PairTest, 'videos' | 'onlyFirst' | 'onlySecond' | 'p'> | undefined {
  const [a, rows] = [first.evaluation?.rows, second.evaluation?.rows];
  const b = a && rows && aligned(a, rows);
  if (!a || !b) return undefined;
  const only = (these: readonly EvaluatedVideo[], those: readonly EvaluatedVideo[]) =>
    these.filter(({ correct }, i) => correct && !those[i]?.correct).length;
  const [onlyFirst, onlySecond] = [only(a, b), only(b, a)];
  return { videos: a.length, onlyFirst, onlySecond, p: mcnemarExact(onlyFirst, onlySecond) };
}

/**
 * The rows of `b` in the order of `a`, when they are of the same videos with the same labels: the same files, or files elsewhere of the
 * same name and size. Otherwise undefined.
 */
export function aligned(a: readonly EvaluatedVideo[], b: readonly EvaluatedVideo[]): EvaluatedVideo[] | undefined {
  const byPart = new Map(b.map((row) => [partKey(row), row]));
  const byName = new Map(b.map((row) => [row.name, row]));
  const partners = a.flatMap((row) => {
    const other = byPart.get(partKey(row)) ?? byName.get(row.name);
    const isSame = other && other.label === row.label && (other.path === row.path || bytesOf(other.path) === bytesOf(row.path));
    return isSame ? [other] : [];
  });
  return partners.length === a.length && new Set(partners).size === b.length ? partners : undefined;
}

function bytesOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

/** A video on which the runs disagree, with each run's prediction. */
export interface Disagreement {
  readonly video: EvaluatedVideo;
  readonly answers: readonly EvaluatedVideo[];
}

/** Videos that some runs got right and others wrong, the surest mistakes first; none when the runs saw other videos. */
export function disagreements(compared: readonly ComparedRun[]): Disagreement[] {
  const [first = [], ...rest] = compared.map(({ result }) => result.evaluation?.rows ?? []);
  const others = rest.flatMap((rows) => [aligned(first, rows) ?? []]);
  if (others.some((rows) => rows.length === 0)) return [];
  const found = first.flatMap((video, i): Disagreement[] => {
    const answers = [video, ...others.flatMap((rows) => rows[i] ?? [])];
    return new Set(answers.map(({ correct }) => correct)).size > 1 ? [{ video, answers }] : [];
  });
  const surest = ({ answers }: Disagreement) => Math.max(...answers.filter(({ correct }) => !correct).map(({ score }) => score));
  return found.sort((a, b) => surest(b) - surest(a));
}
