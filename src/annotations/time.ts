/** Times as people and labelling programs write them, and back. */

const plainSeconds = /^[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[+-]?\d+)?$/i;
const clockTime = /^(-?)(?:(\d+):)?(\d+):(\d{1,2}(?:[.,]\d*)?)$/;

/**
 * Seconds of "12.5", "12,5" (decimal comma; a comma never groups thousands), "1:02.5" (m:ss) or "1:02:03.5" (h:mm:ss);
 * undefined for anything else. Minutes run past 59 without hours only. "h:mm:60" is the full minute, as VIA writes it.
 */
export function parseTime(text: string): number | undefined {
  const trimmed = text.trim();
  if (plainSeconds.test(trimmed)) return finite(numberOf(trimmed));
  const parts = clockTime.exec(trimmed);
  if (parts === null) return undefined;
  const [, sign, hours, minutes = '', seconds = ''] = parts;
  const [h, m, s] = [hours ?? '0', minutes, seconds].map(numberOf) as [number, number, number];
  if (s > 60 || (s === 60 && hours === undefined) || (hours !== undefined && m >= 60)) return undefined;
  return (sign === '-' ? -1 : 1) * (h * 3600 + m * 60 + s);
}

const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);
const numberOf = (text: string): number => Number(text.replace(',', '.'));

/** Whether a cell says that there is no time: empty, NA, NaN, None, null or a dash. */
export const isMissingTime = (text: string): boolean => /^(?:|na|n\/a|nan|none|null|-)$/i.test(text.trim());

/** What parseTime reads, for error messages. */
export const timeForms = 'seconds (12.5 or 12,5), m:ss.mmm or h:mm:ss.mmm';

/** "12.500": seconds with three decimals, as in the names of segments and in tables. */
export function secondsText(sec: number): string {
  const text = sec.toFixed(3);
  return text === '-0.000' ? '0.000' : text;
}

/** "0:01:02.500": always with hours. Below zero with a sign. */
export function clockText(sec: number): string {
  const ms = Math.round(Math.abs(sec) * 1000);
  const [h, m, s] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, Math.floor(ms / 1000) % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return `${sec < 0 && ms > 0 ? '-' : ''}${h}:${two(m)}:${two(s)}.${String(ms % 1000).padStart(3, '0')}`;
}
