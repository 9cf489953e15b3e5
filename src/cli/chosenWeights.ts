/** `--weights`, where it may be left out. */
import type { Command } from 'commander';
import { ConfigError } from '../errors.js';

export const addWeightsOption = (command: Command, what = 'weights that `vmf train` wrote'): Command =>
  command.option('--weights <file>', `${what}, or pretrained ones by name (default: the best that come with this version)`);

/** What was given, or the path of the best pretrained weights, with a line about them on stderr. ConfigError where there are none. */
export async function chosenWeights(given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  const [{ bestPretrained, pretrainedList }, { pretrainedPath }] = await Promise.all([
    import('../models/pretrained.js'),
    import('../weights/locateWeights.js'),
  ]);
  const best = bestPretrained();
  if (!best) throw new ConfigError(`required option '--weights <file>' not specified; pretrained weights: ${pretrainedList()}`);
  process.stderr.write(`vmf: with ${best.name}, which knows ${best.knows}; --weights takes others\n`);
  return pretrainedPath(best);
}
