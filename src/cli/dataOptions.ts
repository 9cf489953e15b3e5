/** What data sets of segments leave open, for all verbs that read one. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { DatasetOptions } from '../dataset/dataset.js';
import type { LabelChoice } from '../dataset/labelSets.js';
import { type AnnotationFlags, addAnnotationOptions, annotationOptions } from './annotationFlags.js';

export interface DataFlags extends AnnotationFlags {
  readonly labels?: LabelChoice;
  readonly background?: string | boolean;
  readonly backgroundShare?: number;
  readonly backgroundMargin?: number;
}

export function addDataOptions(command: Command): Command {
  return addAnnotationOptions(command)
    .addOption(
      new Option(
        '--labels <one|many>',
        'whether one label is true at a time or any number (default: many with a column labels, or where segments overlap)',
      ).choices(['one', 'many']),
    )
    .option(
      '--background [class]',
      'the list is complete: what it does not label in its films is a class of its own (default: "background", where the labels say so)',
    )
    .option('--no-background', 'stretches without label stay unused')
    .option(
      '--background-share <share>',
      'share of all samples that it becomes (default: as many as the mean class)',
      backgroundShare,
    )
    .option('--background-margin <sec>', 'seconds around labelled moments that stay unused (default: 0.5)', margin);
}

/** The options given. */
export function dataChoices({ labels, background, backgroundShare, backgroundMargin, ...flags }: DataFlags): DatasetOptions {
  return {
    ...annotationOptions(flags),
    ...(labels && { labels }),
    ...(background !== undefined && { background: background === true ? 'background' : background }),
    ...(backgroundShare !== undefined && { backgroundShare }),
    ...(backgroundMargin !== undefined && { backgroundMarginSec: backgroundMargin }),
  };
}

function backgroundShare(text: string): number {
  const value = decimal(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError('Expected a share above 0 and below 1, such as 0.2.');
  return value;
}

function margin(text: string): number {
  const value = decimal(text);
  if (!(value >= 0)) throw new InvalidArgumentError('Expected seconds from 0, such as 0.5.');
  return value;
}

const decimal = (text: string): number => (/^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN);
