import { type Command, InvalidArgumentError, Option } from 'commander';
import type { FrameShape } from '../clip/clipShape.js';
import type { Views } from '../clip/clipView.js';
import { parseRowFilters, type RowFilter } from '../dataset/rowFilter.js';
import type { RecogniserOptions } from '../inference/fileRecogniser.js';
import type { DecoderChoice } from '../video/types.js';

/** A whole number from `least` on. */
export const whole =
  (least: number) =>
  (text: string): number => {
    if (!/^\d+$/.test(text) || Number(text) < least) throw new InvalidArgumentError(`Expected a whole number from ${least}.`);
    return Number(text);
  };

/** Height and width in pixels, such as 112x192; one number is a square. */
export function frameSize(text: string): FrameShape {
  const [, height, width = height] = /^([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?$/.exec(text) ?? [];
  if (height === undefined)
    throw new InvalidArgumentError('Expected HEIGHTxWIDTH in pixels, such as 112x192, or one number for a square.');
  return { height: Number(height), width: Number(width) };
}

/** Seconds above 0. */
export function seconds(text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0)) throw new InvalidArgumentError('Expected seconds above 0, such as 2 or 0.5.');
  return value;
}

/** A share or a score from 0 to 1. */
export function share(text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError('Expected a number from 0 to 1, such as 0.9.');
  return value;
}

/** Views of each video, such as 4x3: clips in time and crops in space. */
export function viewsOption(text: string): Views {
  const [, clips, crops] = /^([1-9]\d?)x([13])$/.exec(text) ?? [];
  if (clips === undefined)
    throw new InvalidArgumentError('Expected CLIPSxCROPS with 1 to 99 clips and 1 or 3 crops, such as 4x3.');
  return { clips: Number(clips), crops: crops === '3' ? 3 : 1 };
}

/** `--filter COLUMN=VALUE[,VALUE]`, any number of times. */
export function filterOption(): Option {
  const texts: string[] = [];
  return new Option(
    '--filter <column=value[,value]>',
    'only the rows of the list with one of these values; may be given for several columns',
  ).argParser((text): RowFilter[] => {
    texts.push(text);
    return parseRowFilters(texts);
  });
}

/** `--threshold SCORE`, for weights of several labels at once. */
export const thresholdOption = (): Option =>
  new Option(
    '--threshold <score>',
    'with several labels at once: those of at least this score are there (default: a threshold a class, as stored with the weights)',
  ).argParser(share);

/** The thresholds that were given. */
export const thresholdsGiven = ({
  rejectThreshold,
  threshold,
}: {
  readonly rejectThreshold?: number;
  readonly threshold?: number;
}): Pick<RecogniserOptions, 'rejectThreshold' | 'threshold'> => ({
  ...(rejectThreshold !== undefined && { rejectThreshold }),
  ...(threshold !== undefined && { threshold }),
});

/** Threads and workers of recognition. */
export interface MachineFlags {
  readonly decoder: DecoderChoice;
  readonly threads?: number;
  readonly workers?: number;
}

export function addMachineOptions(command: Command): Command {
  return command
    .addOption(new Option('--decoder <name>', 'what reads the videos').choices(['auto', 'node-av', 'ffmpeg']).default('auto'))
    .option('--threads <n>', 'threads of the network (default: all cores)', whole(1))
    .option('--workers <n>', 'videos decoded at once (default: one a core, at most 32)', whole(1));
}

/** For several videos; verbs for a single one word it themselves. */
export function recogniserOptions({ decoder, threads, workers }: MachineFlags): RecogniserOptions {
  return { decoder, mode: 'throughput', ...(threads !== undefined && { threads }), ...(workers !== undefined && { workers }) };
}
