/** Networks and tolerances of the record. */
import type { RecordedNetwork } from './recordCode.js';

const small = { frames: 4, size: 32 } as const;
const layouts = ['26m', '52m', '96m', '151m', '214m', '294m', '508m'];

/** All layouts as video networks, one whose early kernels do not reach into time, causal ones, and linear readouts. */
export const recordedNetworks: readonly RecordedNetwork[] = [
  ...layouts.map((layout) => ({ name: `mobile-former-${layout}`, temporal: 'all' as const, ...small })),
  { name: 'vmf-6g', ...small },
  { name: 'vmf-0.1g-causal', ...small },
  { name: 'vmf-1g-causal', ...small },
  { name: 'vmf-0.1g', readout: 'linear', ...small },
  { name: 'vmf-1g', readout: 'linear', ...small },
];

/** Seconds instead of a minute. */
const quick = new Set(['mobile-former-26m', 'mobile-former-52m', 'vmf-0.1g-causal', 'vmf-0.1g linear']);

export const keyOf = ({ name, readout }: RecordedNetwork): string => (readout ? `${name} ${readout}` : name);

export const chosenNetworks = (): readonly RecordedNetwork[] =>
  process.env['VMF_RECORD'] === 'quick' ? recordedNetworks.filter((network) => quick.has(keyOf(network))) : recordedNetworks;

/** Readouts are fitted, not trained. */
export const isTrained = ({ readout }: RecordedNetwork): boolean => readout === undefined;

/** Largest difference as a share of the largest recorded value. */
export function distance(got: readonly number[], recorded: readonly number[]): number {
  if (got.length !== recorded.length) return Number.POSITIVE_INFINITY;
  const scale = Math.max(...recorded.map(Math.abs));
  return Math.max(...got.map((value, i) => Math.abs(value - (recorded[i] ?? Number.NaN)) / scale));
}
