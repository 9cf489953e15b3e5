/** Kinds of operators as rewriting sees them. Those not named here look at neighbours, or make something other than a map. */

/** Computes each position of a map from the same position of its operands. */
export const positionwise: ReadonlySet<string> = new Set([
  'scaleShift',
  'pointwise',
  'softmaxTokens',
  'shuffleChannels',
  'add',
  'sub',
  'mul',
  'div',
  'relu',
  'exp',
  'clip',
  'step',
]);

/** Adds up over frames and positions. */
export const sums: ReadonlySet<string> = new Set(['channelSum', 'channelDot', 'gram']);
