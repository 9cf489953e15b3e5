/** The numbers of explain.json for one video: where each token attends, and scores without it. */
import type { ClipTensor } from '../clip/clipTensor.js';
import { softmax, topK } from '../metrics/softmax.js';
import type { Blinding } from '../models/ablationGraph.js';
import type { Place } from '../models/model.js';
import { type Attention, type AttentionFacts, attentionFacts, leastOverlap, meanAttention, motionOf } from './attentionMaps.js';
import { type AblationEffect, ablationEffect, largestOf } from './tokenAblation.js';

export interface NamedEvidence {
  readonly label: string;
  readonly evidence: number;
}

/** What becomes of the answer when somebody is blind. */
export interface Ablated {
  /** The answer then, and what is left of the probability of the answer given otherwise. */
  readonly predicted: string;
  readonly score: number;
  /** What it had spoken for most and against most. */
  readonly supports: NamedEvidence;
  readonly suppresses: NamedEvidence;
  /** [classes], see blindEffects.ts. */
  readonly evidence: readonly number[];
}

export interface TokenExplanation {
  readonly token: number;
  /** How its find reaches the answer. */
  readonly reaches: string;
  /** Where it looks at all places but the last, their mean; absent where there are none. */
  readonly inBlocks?: AttentionFacts;
  /** Where it looks at the last place, for those whose look there reaches the answer. */
  readonly inBridge?: AttentionFacts;
  readonly blind: Ablated;
}

export interface PlaceExplanation {
  /** As the network calls it. */
  readonly name: string;
  /** Positions that are looked at: frames, rows, columns. */
  readonly grid: readonly [number, number, number];
  /** Overlap of the two tokens that look at the most different things: 1 means that all look at the same. */
  readonly leastOverlap: number;
  /** [tokens] where each looks; those whose look reaches the answer. */
  readonly attention: readonly AttentionFacts[];
  /** All tokens blind at this place alone. */
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
  /** What to keep in mind when an effect is attributed to one token. */
  readonly caveat: string;
  readonly tokens: readonly TokenExplanation[];
  readonly places: readonly PlaceExplanation[];
}

/** Each token blind everywhere, then all tokens at each place: in this order `explanationOf` wants the logits. */
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

/** [M] where each token looks in the blocks: the mean over all places but the last; empty where there are none. */
export function inBlocks(seen: Pick<Seen, 'attention'>, places: readonly Place[]): Attention[] {
  const maps = places.slice(0, -1).map(({ name }) => seen.attention.get(name) ?? []);
  return (maps[0] ?? []).flatMap((_, token) => {
    const [first, ...rest] = maps.flatMap((tokens) => tokens.slice(token, token + 1));
    return first ? [meanAttention([first, ...rest])] : [];
  });
}

/** What the network says of its own tokens. */
export interface TokenWords {
  readonly caveat: string;
  reaches(token: number): string;
}

export function explanationOf(
  seen: Seen,
  labels: readonly string[],
  places: readonly Place[],
  { reaches, caveat }: TokenWords,
): Explanation {
  const [untouched, ...blind] = seen.logits;
  const motion = motionOf(seen.clip);
  const blocks = inBlocks(seen, places);
  const headReads = readByHead(places);
  const last = usedAt(seen, places.at(-1));
  const tokens = blind.length - places.length;
  const blinded = (place: number) => blindedOf(ablationEffect(untouched, blind[place] ?? []), labels);
  return {
    timesSec: seen.timesSec,
    labels,
    predictions: topK(softmax(untouched), 5).map(({ labelIndex, score }) => ({ label: labels[labelIndex] ?? '', score })),
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

/** Which tokens' look at the last place reaches the answer: those are the ones that the head reads. */
export const readByHead = (places: readonly Place[]): Place['used'] => places.at(-1)?.used ?? 'token 0';

/** Where those tokens look whose look at this place reaches the answer. */
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
