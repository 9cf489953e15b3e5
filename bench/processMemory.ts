import { readFileSync, writeFileSync } from 'node:fs';

/** In megabytes: VmRSS is resident now, VmHWM the most that ever was. */
export function statusMb(key: 'VmRSS' | 'VmHWM'): number {
  const line = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line?.[1]) / 1e3;
}

/** Lets the peak start again from what is resident now. */
export function forget(): void {
  writeFileSync('/proc/self/clear_refs', '5');
}
