/** Warnings about sound files: imbalance, lengths and shapes that give labels away, static clips. */
import { sidedLabels } from '../clip/augment.js';
import type { CheckedVideo } from './checkedVideo.js';
import { countClasses, spreadOf } from './checkSummary.js';
import { guessedBy, isTelling } from './confounds.js';
import type { LabelledVideos } from './labelledVideos.js';
import { isStill } from './motion.js';
import { counted, some } from './some.js';

const fewVideos = 5;
const fewFrames = 8;
const shortSec = 0.5;
const frozenSec = 0.2;

export function warningsOf(data: LabelledVideos, readable: readonly CheckedVideo[]): string[] {
  return [
    ...imbalance(data),
    ...sides(data),
    ...shortOnes(readable),
    ...stillOnes(readable),
    ...frozenStart(readable),
    ...tellTales(readable),
  ];
}

function imbalance(data: LabelledVideos): string[] {
  const counts = countClasses(data).filter(({ train }) => train > 0);
  if (counts.length < 2) return [];
  const sorted = [...counts].sort((a, b) => a.train - b.train);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined) return [];
  const few = sorted.filter(({ train }) => train < fewVideos).map(({ label, train }) => `${label} ${train}`);
  const warnings =
    few.length > 0
      ? [`${counted(few.length, 'class', 'classes')} with fewer than ${fewVideos} training videos: ${some(few)}`]
      : [];
  if (most.train >= 3 * least.train) {
    warnings.push(
      `uneven classes: ${most.label} has ${most.train} training videos, ${least.label} ${least.train}; ` +
        'look at mean class accuracy',
    );
  }
  return warnings;
}

function sides(data: LabelledVideos): string[] {
  const sided = sidedLabels(data.labels);
  return sided.length === 0 ? [] : [`classes that name a side (${some(sided)}): train without mirroring`];
}

function shortOnes(readable: readonly CheckedVideo[]): string[] {
  const short = readable.filter(({ info }) => info.frameCount < fewFrames || info.durationSec < shortSec);
  if (short.length === 0) return [];
  return [
    `${counted(short.length, 'video')} shorter than ${shortSec} s or ${fewFrames} frames: ${some(short.map(({ video }) => video.name))}`,
  ];
}

function stillOnes(readable: readonly CheckedVideo[]): string[] {
  const still = readable.filter(({ motion }) => isStill(motion));
  return still.length === 0
    ? []
    : [`${counted(still.length, 'video')} with nothing but a still picture: ${some(still.map(({ video }) => video.name))}`];
}

/** A frozen lead, as in some well-known datasets, hides motion from a sampler that begins at 0. */
function frozenStart(readable: readonly CheckedVideo[]): string[] {
  const { median } = spreadOf(readable.filter(({ motion }) => !isStill(motion)).map(({ motion }) => motion.frozenSec));
  if (!(median >= frozenSec)) return [];
  return [`half of the videos hardly move in their first ${median.toFixed(1)} s: consider to sample from there on`];
}

function tellTales(readable: readonly CheckedVideo[]): string[] {
  const labels = readable.map(({ video }) => video.label);
  const clue = (what: string, of: (checked: CheckedVideo) => number) => {
    const guess = guessedBy(
      readable.map((checked) => Math.log(of(checked))),
      labels,
    );
    if (!isTelling(guess, readable.length)) return [];
    const [right, chance] = [guess.accuracy, guess.chance].map((share) => Math.round(100 * share));
    return [
      `${what} alone tells the class of ${right} % of the videos (chance ${chance} %): ` +
        'a network may learn that instead of motion',
    ];
  };
  return [
    ...clue('the length', ({ info }) => info.durationSec),
    ...clue('the shape (width to height)', ({ info }) => info.width / info.height),
  ];
}
