/** Options of every verb that reads annotations of labelling programs. */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AnnotationChoices } from '../dataset/annotationFiles.js';
import { readClassNames } from '../dataset/classNames.js';
import type { DatasetOptions } from '../dataset/dataset.js';
import { seconds } from './arguments.js';

export interface AnnotationFlags {
  readonly from?: string;
  readonly videos?: string;
  readonly fps?: number;
  readonly around?: number;
  readonly offset?: number;
  readonly subject?: readonly string[];
  readonly tier?: readonly string[];
  readonly film?: string;
  readonly annotator?: string;
  readonly classNames?: string;
  readonly unpaired?: 'end' | 'drop';
}

/** Any number of times. */
const listOption = (flags: string, what: string): Option => {
  const given: string[] = [];
  return new Option(flags, what).argParser((text: string): readonly string[] => {
    given.push(text);
    return given;
  });
};

export function addAnnotationOptions(command: Command): Command {
  return command
    .option('--from <format>', 'format of the annotations (default: found by their content)')
    .option('--videos <folder>', 'where the films of the annotations are: found by path, then by name')
    .option('--fps <n>', 'frames a second of annotations in frames', framesPerSecond)
    .option('--around <sec>', 'seconds around points in time; without it they are left out, and counted', seconds)
    .option(
      '--offset <sec>',
      'seconds added to the times of AVA lists, such as -900 for a copy that begins at 15:00',
      offsetSeconds,
    )
    .addOption(listOption('--subject <name>', 'only moments of this subject; may be given several times'))
    .addOption(listOption('--tier <name>', 'the tier, column or control that holds the labels; may be given several times'))
    .option('--film <file>', 'the film of annotations that do not name it')
    .option('--annotator <name>', 'only the annotations of this annotator (BORIS: of this observation)')
    .option('--class-names <file>', 'names of classes for lists of ids: lines of an id and its name')
    .addOption(new Option('--unpaired <how>', 'states without end: to the end of the film, or dropped').choices(['end', 'drop']));
}

function offsetSeconds(text: string): number {
  if (!/^[+-]?\d+(?:\.\d+)?$/.test(text)) throw new InvalidArgumentError('Expected seconds, such as -900.');
  return Number(text);
}

function framesPerSecond(text: string): number {
  const [, over, under = '1'] = /^(\d+(?:\.\d+)?)(?:\/(\d+))?$/.exec(text) ?? [];
  const value = Number(over) / Number(under);
  if (!(value > 0 && value < Infinity))
    throw new InvalidArgumentError('Expected frames a second, such as 25, 29.97 or 30000/1001.');
  return value;
}

/** What the options say, as the library takes it. Reads the file of class names. */
export function annotationChoices(flags: AnnotationFlags): AnnotationChoices {
  const { from, videos, fps, subject: subjects, tier: tiers, film, annotator, classNames, unpaired, offset: offsetSec } = flags;
  return {
    ...(from !== undefined && { from }),
    ...(videos !== undefined && { videos }),
    ...(fps !== undefined && { fps }),
    ...(subjects && { subjects }),
    ...(tiers && { tiers }),
    ...(film !== undefined && { film }),
    ...(annotator !== undefined && { annotator }),
    ...(classNames !== undefined && { classNames: readClassNames(classNames) }),
    ...(unpaired && { unpaired }),
    ...(offsetSec !== undefined && { offsetSec }),
  };
}

/** For data sets; nothing where no option is given. Folders are made absolute, since a run keeps them. */
export function annotationOptions({ around, ...flags }: AnnotationFlags): Pick<DatasetOptions, 'annotations'> {
  const choices = annotationChoices(flags);
  const videos = choices.videos === undefined ? {} : { videos: resolve(choices.videos) };
  const annotations = { ...choices, ...videos, ...(around !== undefined && { aroundSec: around }) };
  return Object.keys(annotations).length === 0 ? {} : { annotations };
}
