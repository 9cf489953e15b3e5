/** The contract of a network: nothing outside this folder needs to know which one it runs. */

import type * as v from 'valibot';
import type { Expr } from '../graph/expr.js';
import type { NetworkConfig } from './config.js';
import type { Scope } from './scope.js';
import type { Time } from './time.js';

/** Features of clips at one depth. */
export interface Level {
  /** [T', B, C, H', W'] */
  readonly map: Expr;
  /** Rows [S*M, d], S sets of M tokens, for networks that have tokens. */
  readonly tokens?: Expr;
}

/** The features of clips before the classifier. */
export interface Features extends Level {
  /** Outputs of the last blocks, the first of them first, for a readout of several depths. */
  readonly levels: readonly Level[];
}

/** How a forward pass is observed and steered. */
export interface Forward {
  /** How frames see each other, for families that have a `causal` field. */
  readonly time: Time;
  /** Names an intermediate; the returned value replaces it. */
  mark(name: string, value: Expr): Expr;
}

/** A named configuration. */
export interface Variant<C extends NetworkConfig> {
  readonly name: string;
  readonly paper: string;
  /** Input and licence of the weights that its authors published, where there are any. */
  readonly published?: { readonly input: string; readonly licence: string };
  /** The temporal kernels are the family's choice where it has one; ConfigError where it has none. */
  build(temporal?: TemporalPlan): C;
}

/** Where kernels are 3 long in time: everywhere, nowhere, or in late layers only. */
export type TemporalPlan = 'all' | 'none' | 'late';

/** A part of a network: parameters and intermediates whose name it begins. */
export interface Part {
  readonly name: string;
  readonly kind: string;
}

/** Intermediates at which a sliding window can be cut: values of a single frame, computed once a frame instead of once a window. */
export interface PerFrameFront {
  /** Depends on one frame only. */
  readonly frame: string;
  /** Follows `frame` by one depthwise convolution of `Time` that sees the frame before and the one after. */
  readonly neighbours?: string;
}

/** A place where tokens look at features. */
export interface Place {
  readonly name: string;
  /** Pixels of the clip from one position to the next; position i is centred on pixel i * stride, as kernels are padded. */
  readonly stride: number;
  /** Tokens whose find reaches the logits. */
  readonly used: 'all' | 'token 0';
}

/** Token attention of a network, for explanations: tokens attend to features through `Time.attend`, with 2 heads each. */
export interface TokenAttention<C extends NetworkConfig> {
  /** Tokens of a clip. */
  tokens(config: C): number;
  /** In the order of the network; the last one is the look before the head. */
  places(config: C): readonly Place[];
  /** How a token's result reaches the logits. */
  reaches(config: C, token: number): string;
  /** A caveat when an effect is attributed to one token. */
  caveat(config: C): string;
}

export interface Model<C extends NetworkConfig = NetworkConfig> {
  readonly family: string;
  /** A configuration with its common fields; an unknown key is an error. */
  readonly schema: v.GenericSchema<unknown, C>;
  /** Checks beyond the schema: the first fault, with its path. */
  check?(config: C): string | undefined;
  readonly variants: readonly Variant<C>[];
  /** clip [T, B, 3, H, W], normalised -> features */
  features(scope: Scope, config: C, clip: Expr, forward: Forward): Features;
  /** -> logits [B, classes] */
  head(scope: Scope, config: C, features: Features, forward: Forward): Expr;
  /** Features for a linear classifier, [B, D]. */
  readout(features: Features): Expr;
  /** Whether a parameter belongs to the classifier and is reinitialised for other classes. */
  isClassifier(parameter: string): boolean;
  /** Steps from the head, 0 for the head itself: for layer decay and gradual unfreezing. */
  layerGroup(parameter: string, config: C): number;
  /** In the order of the network; the last one is the head, to which also belongs what no part names. */
  parts(config: C): readonly Part[];
  /** Absent: a sliding window computes every frame anew. */
  front?(config: C): PerFrameFront;
  readonly attention?: TokenAttention<C>;
  /** Trainable values, and multiply-adds of one clip, of a network without a graph here; else they are counted in it. */
  cost?(config: C): { readonly parameters: number; readonly macs: number };
  /** Properties that tell variants apart, by the names of their fields. */
  facts(config: C): Readonly<Record<string, string | number>>;
  /** The same in words, for pages that compare runs. */
  traits(config: C): Readonly<Record<string, string>>;
}
