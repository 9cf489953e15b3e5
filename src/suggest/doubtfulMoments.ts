/** Labels that look wrong, as moments of films. */
import type { TimeWindow } from '../clip/temporalSampling.js';
import type { LabelledVideo, LabelledVideos } from '../dataset/labelledVideos.js';
import { type DoubtfulLabel, doubtfulLabels } from './doubtfulLabels.js';

export interface DoubtfulMoment {
  readonly path: string;
  readonly segment?: TimeWindow | undefined;
  readonly name: string;
  readonly given: string;
  readonly likely: string;
  /** Probabilities by a classifier that did not see the clip, nor others of its recording. */
  readonly likelyScore: number;
  readonly givenScore: number;
}

/** `scores` [N][K] are left-out probabilities of the videos. The clearest contradictions first. */
export function doubtfulMoments(scores: readonly number[][], labelled: LabelledVideos): DoubtfulMoment[] {
  const { videos } = labelled;
  const doubts = labelled.multiLabel
    ? doubtfulSets(scores, videos)
    : doubtfulLabels(
        scores,
        videos.map(({ labelIndex }) => labelIndex),
      );
  return doubts.map(({ index, ...doubt }) => momentOf(videos[index] as LabelledVideo, doubt, labelled.labels));
}

/** Of several labels at once each class is doubted for itself, there or not. */
function doubtfulSets(scores: readonly number[][], videos: readonly LabelledVideo[]): SetDoubt[] {
  const classes = scores[0]?.length ?? 0;
  return Array.from({ length: classes }, (_, k) => {
    const given = videos.map(({ labelIndices = [] }) => Number(labelIndices.includes(k)));
    return doubtfulLabels(
      scores.map((row) => [1 - (row[k] as number), row[k] as number]),
      given,
    ).map((doubt): SetDoubt => ({ ...doubt, ofClass: k }));
  })
    .flat()
    .sort((a, b) => b.likelyScore - a.likelyScore || a.index - b.index);
}

type SetDoubt = DoubtfulLabel & { readonly ofClass?: number };

function momentOf(
  { path, segment, name, label }: LabelledVideo,
  doubt: Omit<SetDoubt, 'index'>,
  labels: readonly string[],
): DoubtfulMoment {
  const { likely, likelyScore, givenScore, ofClass } = doubt;
  const rather = ofClass === undefined ? labels[likely] : `${likely === 1 ? 'also' : 'not'} ${labels[ofClass]}`;
  return { path, segment, name, given: label, likely: rather ?? '', likelyScore, givenScore };
}
