/**
 * A graph of logits and of attention per global token, for a clip and for copies with one token ablated. Only attention over
 * features (time.ts) is replaced.
 */

import { ConfigError, ShapeError } from '../errors.js';
import { type Expr, input } from '../graph/expr.js';
import { mul } from '../graph/operators/arithmetic.js';
import { channelInnerProducts, pointwise } from '../graph/operators/pointwise.js';
import { sum } from '../graph/operators/reduction.js';
import { reshape } from '../graph/operators/reshape.js';
import { slice } from '../graph/operators/sliceConcat.js';
import { spatialSoftmax } from '../graph/operators/spatialSoftmax.js';
import { mapSize, type Shape } from '../graph/shape.js';
import type { NetworkConfig } from './config.js';
import type { Place, TokenAttention } from './model.js';
import { type FlatWeights, inferenceGraph } from './network.js';
import { modelOf } from './registry.js';
import { type Time, WholeClip } from './time.js';

/**
 * What replaces the attention result of a blind token: the `average` of the features over all positions of all frames, as uniform
 * attention gives, or `nothing`, zeros (it hears of the clip only from other tokens, and the network meets values unseen in
 * training).
 */
export type Blindness = 'average' | 'nothing';
export const blindnesses: readonly Blindness[] = ['average', 'nothing'];

/** The token attention of this network. ConfigError where it has no tokens. */
export function attentionOf(config: NetworkConfig): TokenAttention<NetworkConfig> {
  const { attention } = modelOf(config);
  if (!attention)
    throw new ConfigError(`${config.name} has no tokens: there is no attention to explain in a network of this family`);
  return attention;
}

/** Places of token attention, in forward order. */
export const placesOf = (config: NetworkConfig): readonly Place[] => attentionOf(config).places(config);

/** The network's description of its tokens. */
export function tokenWords(config: NetworkConfig): { readonly caveat: string; reaches(token: number): string } {
  const attention = attentionOf(config);
  return { caveat: attention.caveat(config), reaches: (token) => attention.reaches(config, token) };
}

export const tokensOf = (config: NetworkConfig): number => attentionOf(config).tokens(config);

/** The blind tokens and places of one copy of a clip; an absent field means all: `{ tokens: [1] }` is token 1 everywhere. */
export interface Blinding {
  readonly tokens?: readonly number[];
  /** Names of places. */
  readonly places?: readonly string[];
}

/** No token is ablated. */
export const untouched: Blinding = { tokens: [] };

export interface TokenGraphs {
  /** [copies, classes] */
  readonly logits: Expr;
  /** By name of the place and `.attention`: [T, M, H, W], of copy 0, mean of the two heads; each token's sum is 1. */
  readonly attention: Readonly<Record<string, Expr>>;
}

/**
 * Inputs: `clips` [T*B, 3, S, S], copies of one clip, and `sight` as `sightOf` makes it. It is the first copy whose attention is given
 * out. For networks whose tokens belong to the clip; those of a causal one belong to frames (explainer.ts refuses it).
 */
export function tokenGraphs(config: NetworkConfig, weights: FlatWeights, copies: number, blindness: Blindness): TokenGraphs {
  const places = placesOf(config);
  const sight = input('sight', sightShape(config, copies));
  const time = new WatchedClip(sight, blindness);
  const logits = inferenceGraph(config, weights, copies, { time });
  if (time.maps.length !== places.length)
    throw new ShapeError(`${config.name}: tokens looked ${time.maps.length} times, expected ${places.length}`);
  const attention = places.map(({ name }, i) => [`${name}.attention`, firstCopy(time.maps[i] as Expr)] as const);
  return { logits, attention: Object.fromEntries(attention) };
}

const sightShape = (config: NetworkConfig, copies: number): Shape => [placesOf(config).length, copies, 2 * tokensOf(config), 1];

/** [places, B, 2M, 1]: 0 for a token that is blind there, both its heads; else 1. One blinding a copy. */
export function sightOf(config: NetworkConfig, blindings: readonly Blinding[]): { shape: Shape; data: Float32Array } {
  const sees = placesOf(config).flatMap(({ name }) =>
    blindings.flatMap((blinding) =>
      Array.from({ length: 2 * tokensOf(config) }, (_, query) => (isBlind(blinding, query % tokensOf(config), name) ? 0 : 1)),
    ),
  );
  return { shape: sightShape(config, blindings.length), data: Float32Array.from(sees) };
}

function isBlind({ tokens, places }: Blinding, token: number, place: string): boolean {
  return (tokens?.includes(token) ?? true) && (places?.includes(place) ?? true);
}

/** A whole clip whose tokens are watched, some of them blind. */
class WatchedClip extends WholeClip implements Time {
  /** What all queries attended to, [T, B, 2M, H, W], in the order in which they asked. */
  readonly maps: Expr[] = [];

  constructor(
    private readonly sight: Expr,
    private readonly blindness: Blindness,
  ) {
    super();
  }

  /** A zero query attends uniformly. */
  override attend(x: Expr, queries: Expr): Expr {
    const place = this.maps.length;
    const sight = reshape(slice(this.sight, 0, place, place + 1), this.sight.shape.slice(1)); // [B, 2M, 1]
    const asked = this.blindness === 'average' ? mul(queries, sight) : queries;
    const attention = spatialSoftmax(pointwise(x, asked)); // [T, B, 2M, H, W]
    this.maps.push(attention);
    const found = channelInnerProducts(attention, x, true); // [B, 2M, C]
    return this.blindness === 'average' ? found : mul(found, sight);
  }
}

/** [T, B, 2M, H, W] -> [T, M, H, W], the mean of both heads. */
function firstCopy(map: Expr): Expr {
  const { frames, channels, height, width } = mapSize(map.shape, 'attention');
  const tokens = channels / 2;
  const heads = reshape(slice(map, 1, 0, 1), [frames, 2, tokens, height * width]);
  return mul(sum(heads, [1], [frames, tokens, height, width]), 0.5);
}
