import { ConfigError } from '../errors.js';
import { type ActionClass, actionClasses } from './actions.js';

export const splitNames = ['train', 'val', 'test'] as const;
export type SplitName = (typeof splitNames)[number];

/** Bumped whenever a seed gives different pictures. */
export const generatorVersion = 1;

/** All that decides the bytes of a set. */
export interface SynthOptions {
  readonly seed: number;
  /** Clips in each split, over all classes. */
  readonly counts: Readonly<Record<SplitName, number>>;
  readonly classes: readonly ActionClass[];
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly codec: 'h264' | 'vp9';
  /** 0: one person, one view, no occlusion; 0.5: moderate; 1: most varied. */
  readonly difficulty: number;
}

export const defaultSynthOptions: SynthOptions = {
  seed: 0,
  counts: { train: 960, val: 40, test: 240 },
  classes: actionClasses,
  width: 160,
  height: 128,
  frameRate: 16,
  codec: 'h264',
  difficulty: 0.5,
};

/** Shares of train, val and test in a set of a given size, rounded so that they add up. */
export function countsOf(clips: number, shares: readonly [number, number, number]): Record<SplitName, number> {
  const total = shares[0] + shares[1] + shares[2];
  const val = Math.round((clips * shares[1]) / total);
  const test = Math.round((clips * shares[2]) / total);
  return { train: clips - val - test, val, test };
}

/** Throws ConfigError for anything that cannot be generated. */
export const checkSynthOptions = (options: SynthOptions): void => checkPictures(options, 'clips');

/** What clips and films have in common; `things` is their name in messages. */
export function checkPictures(options: SynthOptions, things: string): void {
  const { seed, counts, classes, width, height, frameRate, codec, difficulty } = options;
  const whole = (name: string, value: number, low: number, high: number) => {
    if (!Number.isInteger(value) || value < low || value > high) {
      throw new ConfigError(`synth: ${name} must be a whole number from ${low} to ${high}, got ${value}`);
    }
  };
  whole('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  whole('width', width, 32, 4096);
  whole('height', height, 32, 4096);
  for (const split of splitNames) whole(`the number of ${split} ${things}`, counts[split], 0, 1_000_000);
  if (splitNames.every((split) => counts[split] === 0)) throw new ConfigError(`synth: no ${things} asked for`);
  if (codec !== 'h264' && codec !== 'vp9') throw new ConfigError(`synth: codec must be h264 or vp9, got ${String(codec)}`);
  if (codec === 'h264' && (width % 2 === 1 || height % 2 === 1)) {
    throw new ConfigError(`synth: H.264 needs an even size, got ${width}x${height}`);
  }
  if (!(frameRate >= 4 && frameRate <= 120)) throw new ConfigError(`synth: fps must be from 4 to 120, got ${frameRate}`);
  if (!(difficulty >= 0 && difficulty <= 1)) throw new ConfigError(`synth: difficulty must be from 0 to 1, got ${difficulty}`);
  if (classes.length === 0 || new Set(classes).size !== classes.length) {
    throw new ConfigError('synth: expected one or more classes, each named once');
  }
  const unknown = classes.find((name) => !actionClasses.includes(name));
  if (unknown !== undefined) throw new ConfigError(`synth: no class "${unknown}"; there are ${actionClasses.join(', ')}`);
}

/** One clip of a set. */
export interface ClipName {
  readonly split: SplitName;
  readonly action: ActionClass;
  /** From 1. */
  readonly index: number;
}

/** Every clip of a set; the classes of a split differ by one clip at most. */
export function clipNames({ counts, classes }: SynthOptions): ClipName[] {
  return splitNames.flatMap((split) =>
    classes.flatMap((action, place) => {
      const count = Math.floor(counts[split] / classes.length) + (place < counts[split] % classes.length ? 1 : 0);
      return Array.from({ length: count }, (_, i) => ({ split, action, index: i + 1 }));
    }),
  );
}

/** Path of a clip in the set's folder. */
export function clipPath({ split, action, index }: ClipName, codec: SynthOptions['codec']): string {
  return `${split}/${action}/${action}-${String(index).padStart(4, '0')}${codec === 'h264' ? '.mp4' : '.webm'}`;
}
