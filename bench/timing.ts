/** Milliseconds of single runs, in the order in which they happened. */
export type Times = readonly number[];

export function median(times: Times): number {
  const sorted = times.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const at = (i: number) => sorted[i] ?? Number.NaN;
  return sorted.length % 2 ? at(Math.floor(middle)) : (at(middle - 1) + at(middle)) / 2;
}

export const smallest = (times: Times): number => Math.min(...times);

/** To a hundredth, as printed and kept. */
export const rounded = (value: number): number => Math.round(value * 100) / 100;

/** Runs something and measures its time. */
export async function timed<T>(run: () => T | Promise<T>): Promise<{ readonly ms: number; readonly result: T }> {
  const start = performance.now();
  const result = await run();
  return { ms: performance.now() - start, result };
}
