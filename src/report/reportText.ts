/** Number formats, independent of locale. */

const narrowSpace = '\u202f';

/** 0.9342 -> "93.4 %". */
export function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)}${narrowSpace}%`;
}

/** 2495547 -> "2,495,547". */
export function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

/** 97300000 -> "97.3 M"; three digits that count. */
export function scaled(count: number): string {
  const rounded = Number(count.toPrecision(3));
  for (const [unit, size] of units) {
    if (rounded >= size) return `${(rounded / size).toPrecision(3)}${narrowSpace}${unit}`;
  }
  return String(rounded);
}

const units = [
  ['P', 1e15],
  ['T', 1e12],
  ['G', 1e9],
  ['M', 1e6],
  ['k', 1e3],
] as const;

/** 252.4 -> "4 min 12 s". */
export function duration(seconds: number): string {
  if (Math.round(seconds) < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)}${narrowSpace}s`;
  const total = Math.round(seconds);
  const minutes = Math.floor(total / 60);
  const [large, largeUnit, small, smallUnit] =
    minutes < 60 ? [minutes, 'min', total % 60, 's'] : [Math.floor(minutes / 60), 'h', minutes % 60, 'min'];
  return `${large}${narrowSpace}${largeUnit} ${small}${narrowSpace}${smallUnit}`;
}
