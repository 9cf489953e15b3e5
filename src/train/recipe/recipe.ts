/**
 * Recipes: YAML files with a network, preprocessing and training options, and a header that says what they are for, the command, the
 * time and accuracy to expect, and on which validation data they were chosen. Those that come with the program are in recipes/.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Preprocess, resizes } from '../../clip/preprocess.js';
import { ConfigError, systemCode } from '../../errors.js';
import { type TrainChoices, trainOptions } from './options.js';
import { renamedPreprocess } from './renamed.js';

const line = z.string().min(1);

const recipeSchema = z.strictObject({
  about: z.strictObject({
    /** For which data. */
    for: line,
    command: line,
    /** What to expect, measured, and on which machine. */
    time: line,
    accuracy: line,
    /** Which validation data decided, so that nobody takes a tuned number for a test. */
    chosenOn: line,
  }),
  /** A name that `vmf info` lists; the data's classes replace its own. */
  model: line.optional(),
  preprocess: z
    .strictObject({
      frames: z.int().min(1),
      /** As many pixels as a square of this edge has, in the shape that suits the videos. */
      edge: z.int().min(16),
      resize: z.enum(resizes),
      startSec: z.number().min(0),
      flip: z.boolean(),
    })
    .partial()
    .default({}),
  options: z.record(z.string(), z.unknown()).default({}),
});

export interface Recipe {
  readonly name: string;
  readonly about: z.infer<typeof recipeSchema>['about'];
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

/** A recipe by its name, or from a file. ConfigError for a name that is none, a file that cannot be read, and any key it must not have. */
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
  const parsed = recipeSchema.safeParse(content);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'recipe'}: ${issue.message}`);
    throw new ConfigError(`${where}: ${faults.join('; ')}`);
  }
  const { about, model, options } = parsed.data;
  const { edge, ...preprocess } = parsed.data.preprocess;
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
