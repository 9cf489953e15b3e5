import { makePreprocess } from '../clip/preprocess.js';
import { trainOptions } from '../train/recipe/options.js';
import type { ReportOption, ReportOptions } from './reportData.js';
import type { RunFiles } from './runFiles.js';

/** All options as flat names and texts: training, preprocessing. */
export function recipeOf({ recipe, best, record }: RunFiles): ReportOptions[] {
  const { frames, height, width } = best.config;
  const groups: ReportOptions[] = [];
  if (recipe) groups.push({ heading: 'Training', options: optionsOf(recipe, trainOptions({})) });
  const { windowSec: _, ...preprocess } = best.preprocess;
  groups.push({ heading: 'Preprocessing', options: optionsOf(preprocess, makePreprocess({ frames, height, width })) });
  const start: ReportOption[] = [
    { name: 'model', value: best.config.name },
    ...(record ? [{ name: 'initial weights', value: record.init ?? 'random' }] : []),
  ];
  return [...groups, { heading: 'Network', options: start }];
}

/** Omits options newer than the run. */
function optionsOf(values: object, defaults: object): ReportOption[] {
  const usual = new Map(flattened(defaults));
  return flattened(values).map(([name, value]) => {
    const byDefault = usual.get(name) ?? 'not set';
    return { name, value, ...(byDefault !== value && { byDefault }) };
  });
}

/** { a: { b: 1 } } -> a.b: 1. */
export function flattened(value: object, prefix = ''): [string, string][] {
  return Object.entries(value).flatMap(([key, each]): [string, string][] => {
    const name = `${prefix}${key}`;
    if (each === undefined) return [];
    if (typeof each === 'object' && each !== null && !Array.isArray(each)) return flattened(each, `${name}.`);
    return [[name, optionText(each)]];
  });
}

function optionText(value: unknown): string {
  if (Array.isArray(value)) {
    const isRange = value.length === 2 && value.every((each) => typeof each === 'number');
    return value.length === 0 ? 'none' : value.map(optionText).join(isRange ? ' to ' : ', ');
  }
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
