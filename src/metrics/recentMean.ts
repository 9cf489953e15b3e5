/** Moving average of scores over the last few, against flicker in a stream. */

export class RecentMean {
  private readonly recent: (readonly number[])[] = [];

  /** `count` scores make a mean; with 1 they stay as they are. */
  constructor(private readonly count: number) {}

  /** The mean over the last `count` scores [classes], these included; over fewer at the start. */
  add(scores: readonly number[]): number[] {
    this.recent.push(scores);
    if (this.recent.length > this.count) this.recent.shift();
    return scores.map((_, i) => this.recent.reduce((sum, each) => sum + (each[i] ?? 0), 0) / this.recent.length);
  }

  clear(): void {
    this.recent.length = 0;
  }
}
