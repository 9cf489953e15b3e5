import type { ClipTensor } from '../clip/clipTensor.js';
import { sigmoid } from '../metrics/sigmoid.js';
import { softmax, topK } from '../metrics/softmax.js';
import type { Blinding } from '../models/ablationGraph.js';
import type { Place } from '../models/model.js';
import { type Attention, type AttentionFacts, attentionFacts, leastOverlap, meanAttention, motionOf } from './attentionMaps.js';
import { type AblationEffect, ablationEffect, largestOf } from './tokenAblation.js';

export interface NamedEvidence {
  readonly label: string;
  readonly evidence: number;
}

/** The prediction under an ablation. */
export interface Ablated {
  /** The ablated prediction, and the remaining probability of the original one. */
  readonly predicted: string;
  readonly score: number;
  /** Classes for and against which the ablated part gave most evidence. */
  readonly supports: NamedEvidence;
  readonly suppresses: NamedEvidence;
  /** [classes], see tokenAblation.ts. */
  readonly evidence: readonly number[];
}

export interface TokenExplanation {
  readonly token: number;
  /** The path from this token to the logits. */
  readonly reaches: string;
  /** Mean attention at all places but the last; absent where there are none. */
  readonly inBlocks?: AttentionFacts;
  /** Attention at the last place, for tokens whose attention there reaches the logits. */
  readonly inBridge?: AttentionFacts;
  readonly blind: Ablated;
}

export interface PlaceExplanation {
  /** The network's name for the place. */
  readonly name: string;
  /** Attended positions: frames, rows, columns. */
  readonly grid: readonly [number, number, number];
  /** Smallest overlap of two tokens' attention; 1: all tokens attend alike. */
  readonly leastOverlap: number;
  /** [tokens] attention of those that reach the logits here. */
  readonly attention: readonly AttentionFacts[];
  /** All tokens ablated at this place alone. */
  readonly blind: Ablated;
}

export interface Answered {
  readonly label: string;
  readonly score: number;
}

export interface Explanation {
  /** [T] */
  readonly timesSec: readonly number[];
  readonly labels: readonly string[];
  /** Best first, up to 5. */
  readonly predictions: readonly Answered[];
  /** In the blocks, mean over them: overlap of the two tokens that look at the most different things. */
  readonly leastOverlap: number;
  /** Which tokens feed the head directly. */
  readonly headReads: Place['used'];
  /** A caveat when an effect is attributed to one token. */
  readonly caveat: string;
  readonly tokens: readonly TokenExplanation[];
  readonly places: readonly PlaceExplanation[];
}

/** Each token ablated everywhere, then all tokens at each place: the order of logits for `explanationOf`. */
export function ablationsOf(tokens: number, places: readonly Place[]): Blinding[] {
  const one = Array.from({ length: tokens }, (_, token) => ({ tokens: [token] }));
  return [...one, ...places.map(({ name }) => ({ places: [name] }))];
}

/** What explanations are made of, see `Watched`. */
export interface Seen {
  readonly timesSec: readonly number[];
  /** One. */
  readonly clip: ClipTensor;
  readonly logits: readonly [Float32Array, ...Float32Array[]];
  readonly attention: ReadonlyMap<string, readonly Attention[]>;
}

/** [M] attention in the blocks: the mean over all places but the last; empty where there are none. */
export function inBlocks(seen: Pick<Seen, 'attention'>, places: readonly Place[]): Attention[] {
  const maps = places.slice(0, -1).map(({ name }) => seen.attention.get(name) ?? []);
  return (maps[0] ?? []).flatMap((_, token) => {
    const [first, ...rest] = maps.flatMap((tokens) => tokens.slice(token, token + 1));
    return first ? [meanAttention([first, ...rest])] : [];
  });
}

/** The network's description of its tokens. */
export interface TokenWords {
  readonly caveat: string;
  reaches(token: number): string;
}

export function explanationOf(
  seen: Seen,
  { labels, multiLabel }: { readonly labels: readonly string[]; readonly multiLabel: boolean },
  places: readonly Place[],
  { reaches, caveat }: TokenWords,
): Explanation {
  const [untouched, ...blind] = seen.logits;
  const motion = motionOf(seen.clip);
  const blocks = inBlocks(seen, places);
  const headReads = readByHead(places);
  const last = usedAt(seen, places.at(-1));
  const tokens = blind.length - places.length;
  const blinded = (place: number) => blindedOf(ablationEffect(untouched, blind[place] ?? [], multiLabel), labels);
  return {
    timesSec: seen.timesSec,
    labels,
    predictions: topK((multiLabel ? sigmoid : softmax)(untouched), 5).map(({ labelIndex, score }) => ({
      label: labels[labelIndex] ?? '',
      score,
    })),
    leastOverlap: leastOverlap(blocks),
    headReads,
    caveat,
    tokens: Array.from({ length: tokens }, (_, token) => ({
      token,
      reaches: reaches(token),
      ...(blocks[token] && { inBlocks: attentionFacts(blocks[token], motion) }),
      ...(last[token] && { inBridge: attentionFacts(last[token], motion) }),
      blind: blinded(token),
    })),
    places: places.map((place, i) => {
      const all = seen.attention.get(place.name) ?? [];
      const used = usedAt(seen, place);
      const { frames = 0, height = 0, width = 0 } = all[0] ?? {};
      return {
        name: place.name,
        grid: [frames, height, width] as const,
        leastOverlap: leastOverlap(used),
        attention: used.map((map) => attentionFacts(map, motion)),
        blind: blinded(tokens + i),
      };
    }),
  };
}

/** Tokens whose attention at the last place reaches the logits: those that the head reads. */
export const readByHead = (places: readonly Place[]): Place['used'] => places.at(-1)?.used ?? 'token 0';

/** Attention of the tokens that reach the logits from this place. */
export function usedAt(seen: Pick<Seen, 'attention'>, place: Place | undefined): readonly Attention[] {
  const all = seen.attention.get(place?.name ?? '') ?? [];
  return place?.used === 'all' ? all : all.slice(0, 1);
}

function blindedOf(effect: AblationEffect, labels: readonly string[]): Ablated {
  const named = (index: number) => ({ label: labels[index] ?? '', evidence: effect.evidence[index] ?? 0 });
  return {
    predicted: labels[effect.blindPredictedIndex] ?? '',
    score: effect.blindScore,
    supports: named(largestOf(effect.evidence)),
    suppresses: named(largestOf(effect.evidence.map((value) => -value))),
    evidence: effect.evidence,
  };
}
