/**
 * The actions that the generator can show, as data: no drawing here, so that anything may import it. Each of the reversed pairs is
 * one motion, played forwards under the first name and backwards under the second.
 */

export const actionClasses = [
  'sit-down',
  'stand-up',
  'pick-up',
  'put-down',
  'push',
  'pull',
  'wave',
  'punch',
  'kick',
  'walk',
  'bow',
  'jumping-jacks',
] as const;

export type ActionClass = (typeof actionClasses)[number];

/** Actions and their reversals: neither single frames nor unordered frames tell them apart. */
export const reversedPairs: readonly (readonly [ActionClass, ActionClass])[] = [
  ['sit-down', 'stand-up'],
  ['pick-up', 'put-down'],
  ['push', 'pull'],
];

/** Names one of the actions. */
export function isActionClass(name: string): name is ActionClass {
  return (actionClasses as readonly string[]).includes(name);
}

/** The motion behind a class and the direction in which it is played. */
export function motionOf(name: ActionClass): { readonly motion: ActionClass; readonly backwards: boolean } {
  const pair = reversedPairs.find(([, second]) => second === name);
  return pair === undefined ? { motion: name, backwards: false } : { motion: pair[0], backwards: true };
}
