/**
 * Recipes: YAML files with network, preprocessing, training options, and a header of purpose, command, expected time and
 * accuracy, and the validation data they were chosen on.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { parse } from 'yaml';
import { type Preprocess, resizes } from '../../clip/preprocess.js';
import { ConfigError, systemCode } from '../../errors.js';
import { faultsOf, integer, number, text } from '../../schema.js';
import { type TrainChoices, trainOptions } from './options.js';
import { renamedPreprocess } from './renamed.js';

const recipeSchema = v.strictObject({
  about: v.strictObject({
    for: text,
    command: text,
    /** Measured results, and on which machine. */
    time: text,
    accuracy: text,
    /** The validation data of the choice, so that a tuned number is not taken for a test. */
    chosenOn: text,
  }),
  /** A name that `vmf info` lists; the data's classes replace its own. */
  model: v.optional(text),
  preprocess: v.optional(
    v.partial(
      v.strictObject({
        frames: integer(1),
        /** Pixel count as the edge of a square; the shape follows from the videos. */
        edge: integer(16),
        resize: v.picklist(resizes),
        startSec: number(0),
        flip: v.boolean(),
      }),
    ),
    {},
  ),
  options: v.optional(v.record(v.string(), v.unknown()), {}),
});

export interface Recipe {
  readonly name: string;
  readonly about: v.InferOutput<typeof recipeSchema>['about'];
  readonly model: string | undefined;
  readonly preprocess: Partial<Preprocess>;
  readonly edge: number | undefined;
  readonly options: TrainChoices;
}

/** Of the package, seen from dist/src/train/recipe/. */
const ownFolder = fileURLToPath(new URL('../../../../recipes', import.meta.url));

/** Names of the recipes that come with the program. */
export function recipeNames(): string[] {
  return readdirSync(ownFolder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => basename(name, '.yaml'))
    .sort();
}

/**
 * A recipe by its name, or from a file. ConfigError for a name that is none, a file that cannot be read, and any key it must not
 * have.
 */
export function readRecipe(nameOrPath: string): Recipe {
  const isPath = /[/\\.]/.test(nameOrPath);
  if (!isPath && !recipeNames().includes(nameOrPath)) {
    throw new ConfigError(`--recipe: unknown name "${nameOrPath}"; there are ${recipeNames().join(', ')}, or give a .yaml file`);
  }
  const path = isPath ? nameOrPath : join(ownFolder, `${nameOrPath}.yaml`);
  return parseRecipe(textOf(path), path);
}

/** Reads a recipe from its text; `where` names it in a ConfigError. */
export function parseRecipe(text: string, where: string): Recipe {
  const content = contentOf(text, where);
  const renamed = renamedPreprocess(content instanceof Object && 'preprocess' in content ? content.preprocess : undefined);
  if (renamed.length > 0) throw new ConfigError(`${where}: ${renamed.join('; ')}`);
  const parsed = v.safeParse(recipeSchema, content);
  if (!parsed.success) throw new ConfigError(`${where}: ${faultsOf(parsed.issues, 'recipe').join('; ')}`);
  const { about, model, options } = parsed.output;
  const { edge, ...preprocess } = parsed.output.preprocess;
  trainOptions(options, `${where}: options`);
  const name = basename(where, '.yaml');
  const given = Object.fromEntries(Object.entries(preprocess).filter(([, value]) => value !== undefined));
  return { name, about, model, edge, preprocess: given, options: options as TrainChoices };
}

function contentOf(text: string, where: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new ConfigError(
      `${where}: is no YAML: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`,
    );
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`cannot be read: ${systemCode(error) ?? String(error)}`, { path });
  }
}
