/** What the verbs that use weights share: their options, and how numbers on the command line are read. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RecogniserOptions } from '../recognise/recogniser.js';
import type { DecoderChoice } from '../video/types.js';

/** A whole number from `least` on. */
export const whole =
  (least: number) =>
  (text: string): number => {
    if (!/^\d+$/.test(text) || Number(text) < least) throw new InvalidArgumentError(`Expected a whole number from ${least}.`);
    return Number(text);
  };

/** Seconds above 0. */
export function seconds(text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0)) throw new InvalidArgumentError('Expected seconds above 0, such as 2 or 0.5.');
  return value;
}

/** How the machine is used for recognising. */
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

/** For many videos; a verb that is asked about one says so itself. */
export function recogniserOptions({ decoder, threads, workers }: MachineFlags): RecogniserOptions {
  return { decoder, use: 'throughput', ...(threads !== undefined && { threads }), ...(workers !== undefined && { workers }) };
}
