import { percent } from '../metrics/percent.js';
import type { Blindness } from '../models/ablationGraph.js';
import type { Place } from '../models/model.js';
import type { Attention, AttentionFacts } from './attentionMaps.js';
import { type Ablated, type Answered, type Explanation, inBlocks, type Seen, usedAt } from './explanation.js';

/** A token at one or several places, and its caption. */
export interface HeatmapRow {
  readonly title: string;
  readonly lines: readonly string[];
  readonly map: Attention;
}

export interface PictureText {
  readonly title: string;
  readonly lines: readonly string[];
}

export function titleOf(explanation: Explanation, video: string, blindness: Blindness): PictureText {
  const [best, ...others] = explanation.predictions;
  const named = ({ label, score }: Answered) => `${label} ${wholePercent(score)}`;
  const shown = others.filter(({ score }) => score >= leastShown).slice(0, 2);
  const then = shown.length > 0 ? `, then ${shown.map(named).join(', ')}` : '';
  const finds = blindness === 'average' ? 'the average of all it could see' : 'nothing';
  return {
    title: `${video}: ${best ? named(best) : ''}${then}`,
    lines: [
      'Heat: where a token looks, its two heads together. Bars: how that is shared out over the frames.',
      `"Blind": it finds ${finds} instead.${inWords(explanation)}`,
    ],
  };
}

/** Lowest probability shown for other classes. */
const leastShown = 0.01;

function inWords({ tokens, places, leastOverlap }: Explanation): string {
  const blocks = places.length - 1;
  if (blocks === 0) return '';
  const mean = ` "In the blocks": the mean over ${blocks === 1 ? 'the one' : `all ${blocks}`}`;
  return tokens.length > 1
    ? `${mean}, where any two tokens' maps overlap by at least ${wholePercent(leastOverlap)}.`
    : `${mean}.`;
}

/** The last look before the head, of those tokens that the head reads, and each token's in the blocks. */
export function mainRows(seen: Seen, explanation: Explanation, places: readonly Place[]): HeatmapRow[] {
  const before = explanation.places.at(-1);
  const last = usedAt(seen, places.at(-1));
  const blocks = inBlocks(seen, places);
  const answer = explanation.predictions[0];
  return [
    ...last.map((map, token) => ({
      title: `token ${token}, before the head`,
      lines: said(before?.attention[token], before?.blind, answer, last.length > 1 ? 'all blind here' : 'blind here'),
      map,
    })),
    ...explanation.tokens.flatMap(({ token, inBlocks: facts, blind }) => {
      const map = blocks[token];
      return map ? [{ title: `token ${token}, in the blocks`, lines: said(facts, blind, answer, 'blind everywhere'), map }] : [];
    }),
  ];
}

/** One place: all tokens whose attention there reaches the logits. */
export function placeRows(seen: Seen, explanation: Explanation, place: Place): HeatmapRow[] {
  const found = explanation.places.find(({ name }) => name === place.name);
  return usedAt(seen, place).map((map, token) => ({
    title: `token ${token}, ${place.name}`,
    lines: said(found?.attention[token], found?.blind, explanation.predictions[0], 'all blind here'),
    map,
  }));
}

function said(
  facts: AttentionFacts | undefined,
  blind: Ablated | undefined,
  before: Answered | undefined,
  when: string,
): string[] {
  const where = facts ? [`half of it on ${wholePercent(facts.halfOn)} of the clip`] : [];
  const motion = facts?.motion === undefined ? [] : [`motion there: ${facts.motion.toFixed(1)} times the average`];
  const becomes =
    blind && before ? [`${when}: ${before.label} ${wholePercent(before.score)} to ${wholePercent(blind.score)}`] : [];
  return [...where, ...motion, ...becomes];
}

/** Whole per cent, of which a little is not none. */
export const wholePercent = (share: number): string => (share > 0 && share < 0.005 ? 'under 1 %' : percent(share, 0));
