/** The first three or `most`, and how many more. */
export function some(texts: readonly string[], most = 3): string {
  const shown = texts.slice(0, most).join(', ');
  return texts.length > most ? `${shown} and ${texts.length - most} more` : shown;
}

/** "1 video", "3 videos"; `things` where the plural is another. */
export function counted(count: number, thing: string, things = `${thing}s`): string {
  return `${count} ${count === 1 ? thing : things}`;
}

/** At most `most` of all, evenly spaced. */
export function evenly<T>(all: readonly T[], most: number): T[] {
  const stride = Math.max(1, all.length / most);
  return all.filter((_, i) => Math.floor(i / stride) !== Math.floor((i - 1) / stride));
}
