/** Half-open runs of the places below `count` at which `holds` is true. */
export function runsOf(count: number, holds: (place: number) => boolean): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = [];
  for (let i = 0; i < count; i++) {
    const last = runs.at(-1);
    if (!holds(i)) continue;
    if (last?.to === i) last.to = i + 1;
    else runs.push({ from: i, to: i + 1 });
  }
  return runs;
}
