import { type Command, InvalidArgumentError, Option } from 'commander';
import { ConfigError } from '../errors.js';
import type { TrainChoices } from '../train/recipe/options.js';
import { recipeNames } from '../train/recipe/recipe.js';

export const wholeNumber = (name: string) => (text: string) => numberOf(name, text, Number.isInteger);
export const decimal = (name: string) => (text: string) => numberOf(name, text, Number.isFinite);

function numberOf(name: string, text: string, fits: (value: number) => boolean): number {
  const value = Number(text);
  if (text.trim() === '' || !fits(value))
    throw new ConfigError(`--${name}: expected a ${fits === Number.isInteger ? 'whole ' : ''}number, got "${text}"`);
  return value;
}

function range(text: string): [number, number] {
  const [low, high, more] = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (low === undefined || high === undefined || more !== undefined || !(low <= high))
    throw new InvalidArgumentError('Expected two rising numbers with a comma between, such as 0.7,1.');
  return [low, high];
}

type Reader = (name: string) => (text: string) => unknown;
type Key = keyof TrainChoices | `augment.${keyof NonNullable<TrainChoices['augment']>}`;

/** Flag and argument, option key, parser, help text. */
const flags: readonly (readonly [flag: string, key: Key, read: Reader, what: string])[] = [
  ['epochs <n>', 'epochs', wholeNumber, 'passes over the training videos (default: by their number)'],
  ['batch <n>', 'batch', wholeNumber, 'clips a pass (default: 8, or 16 from 400 videos on)'],
  ['grad-accum <n>', 'gradAccum', wholeNumber, 'passes whose gradients make one step'],
  ['lr <x>', 'lr', decimal, 'peak learning rate'],
  ['weight-decay <x>', 'weightDecay', decimal, 'of convolution and linear weights'],
  ['warmup-epochs <n>', 'warmupEpochs', decimal, 'epochs of rising learning rate'],
  ['label-smoothing <x>', 'labelSmoothing', decimal, 'label smoothing'],
  ['mixup <a>', 'mixup', decimal, 'shape of the Beta distribution that blends clips, 0 for none'],
  ['cutmix <a>', 'cutmix', decimal, 'the same for boxes put into other clips'],
  ['mix-prob <p>', 'mixProb', decimal, 'share of batches that are mixed'],
  ['grad-clip <x>', 'gradClip', decimal, 'largest gradient norm, 0 for none'],
  ['dropout <x>', 'dropout', decimal, 'before the last layer'],
  ['drop-path <x>', 'dropPath', decimal, 'chance that the last residual branch is skipped, earlier ones less'],
  ['ema <x>', 'ema', decimal, 'decay a step of a moving average of the weights, which is then used; 0 for none'],
  ['repeated-aug <n>', 'repeatedAug', wholeNumber, 'different clips of each video side by side'],
  ['layer-decay <x>', 'layerDecay', decimal, 'factor of the rate from each layer to the one below, for fine-tuning'],
  ['unfreeze-epochs <n>', 'unfreezeEpochs', wholeNumber, 'epochs in which layers join one by one, from the head down'],
  ['precise-bn <n>', 'preciseBn', wholeNumber, 'batches for batch-norm statistics before validating, 0 keeps running ones'],
  ['validate-every <n>', 'validateEvery', wholeNumber, 'epochs between validations'],
  ['patience <n>', 'patience', wholeNumber, 'stop after so many validations without a better one, 0 for never'],
  ['unlabelled-ratio <share>', 'unlabelledRatio', decimal, 'share of a pass that has no labels, with --unlabelled'],
  ['pseudo-threshold <p>', 'pseudoThreshold', decimal, 'how sure the teacher must be of a label'],
  ['pseudo-weight <x>', 'pseudoWeight', decimal, 'weight of what the teacher says'],
  ['ramp-up <share>', 'rampUp', decimal, 'share of the run over which that weight rises'],
  ['token-mix <share>', 'tokenMix', decimal, 'share of passes whose unlabelled clips are mixed by tubes'],
  ['distill-alpha <share>', 'distillAlpha', decimal, "the teacher's part of the loss, with --teacher"],
  ['distill-temperature <t>', 'distillTemperature', decimal, 'how much its answers are softened'],
  ['seed <n>', 'seed', wholeNumber, 'of everything random (default: 0)'],
  ['max-bad <share>', 'maxBadShare', decimal, 'stop when more training videos than this share cannot be read'],
  ['crop-scale <low,high>', 'augment.scale', () => range, 'area of random crops'],
  ['crop-aspect <low,high>', 'augment.aspect', () => range, 'aspect of random crops'],
  ['max-crop-offset <x>', 'augment.maxCropOffset', decimal, 'how far from the centre crops may lie, 0 to 1'],
  ['temporal-scale <low,high>', 'augment.temporalScale', () => range, 'share of the video that a clip spans: speed'],
  ['jitter <x>', 'augment.jitter', decimal, 'how far frames are moved in time, 0 to 1'],
  ['brightness <x>', 'augment.brightness', decimal, 'largest change, as contrast and saturation'],
  ['contrast <x>', 'augment.contrast', decimal, ''],
  ['saturation <x>', 'augment.saturation', decimal, ''],
  ['rand-augment <n>', 'augment.operations', wholeNumber, 'operations of RandAugment, alike on all frames'],
  ['magnitude <x>', 'augment.magnitude', decimal, 'strength of RandAugment, 0 to 1'],
  ['random-erasing <share>', 'augment.randomErasing', decimal, 'share of clips with a box erased'],
  ['temporal-warp <share>', 'augment.temporalWarp', decimal, 'share of clips of which 2 or 4 frames are held'],
];

export interface RecipeFlags {
  readonly recipe?: string;
  readonly classBalanced?: boolean;
  readonly probe?: boolean;
  readonly batchNorm?: 'batch' | 'frozen';
}

/** Adds all of them, as their own part of the help. */
export function addRecipeOptions(command: Command): Command {
  command.optionsGroup('Recipe (defaults: those of the recipe):');
  command.option('--recipe <name>', `${recipeNames().join(', ')}, a .yaml file, or none (default: by the size of the data)`);
  for (const [flag, , read, what] of flags) command.option(`--${flag}`, what, read(nameOf(flag)));
  command.option('--class-balanced', 'show small classes as often as the largest (default: when classes are uneven)');
  command.option('--no-class-balanced', 'show every video once');
  command.option(
    '--probe',
    'start from a linear probe of the initial weights and never end below it (default with trained weights)',
  );
  command.option('--no-probe', 'start from the initial weights with a random classifier');
  command.addOption(new Option('--batch-norm <how>', 'frozen: keep the statistics of --init').choices(['batch', 'frozen']));
  return command.optionsGroup('Options:');
}

const nameOf = (flag: string): string => flag.split(' ')[0] ?? '';

/** The options that were given; undefined for none. */
export function recipeChoices(given: Readonly<Record<string, unknown>> & RecipeFlags): TrainChoices | undefined {
  const entries = flags.flatMap(([flag, key]) => {
    const value = given[nameOf(flag).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
    return value === undefined ? [] : [[key, value] as const];
  });
  const augment = entries.flatMap(([key, value]) => (key.startsWith('augment.') ? [[key.slice('augment.'.length), value]] : []));
  const plain = entries.filter(([key]) => !key.startsWith('augment.'));
  const { classBalanced, batchNorm, probe } = given;
  const choices = {
    ...Object.fromEntries(plain),
    ...(classBalanced !== undefined && { classBalanced }),
    ...(probe !== undefined && { probe }),
    ...(batchNorm && { batchNorm }),
    ...(augment.length > 0 && { augment: Object.fromEntries(augment) }),
  };
  return Object.keys(choices).length === 0 ? undefined : choices;
}
