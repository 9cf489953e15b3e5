/** Throughput of a live stream: rates of received and used frames, latency of predictions. Bounded memory. */

export interface ThroughputReport {
  /** Frames a second that came and that were used, since the last report. */
  readonly arrivedPerSec: number;
  readonly usedPerSec: number;
  /** The longest time from a frame's arrival to its scores, since the last report. */
  readonly delayMs: number;
}

/** Long enough to ignore a single hiccup. */
const everyMs = 3000;
/** A larger share of dropped frames is reported. */
const toleratedLoss = 0.05;
const keptDelays = 1000;

export class ThroughputMonitor {
  private startMs: number | undefined;
  private arrived = 0;
  private used = 0;
  private worstMs = 0;
  private readonly delays: number[] = [];
  private next = 0;

  frameArrived(): void {
    this.arrived++;
  }

  frameUsed(): void {
    this.used++;
  }

  answered(delayMs: number): void {
    this.worstMs = Math.max(this.worstMs, delayMs);
    this.delays[this.next++ % keptDelays] = delayMs;
  }

  /** A report if a period is over and too many frames were lost in it. */
  behind(nowMs: number): ThroughputReport | undefined {
    this.startMs ??= nowMs;
    const seconds = (nowMs - this.startMs) / 1000;
    if (seconds * 1000 < everyMs) return undefined;
    const { arrived, used, worstMs } = this;
    [this.startMs, this.arrived, this.used, this.worstMs] = [nowMs, 0, 0, 0];
    if (arrived - used <= arrived * toleratedLoss) return undefined;
    return { arrivedPerSec: arrived / seconds, usedPerSec: used / seconds, delayMs: worstMs };
  }

  /** Latency quantile over the last thousand predictions; NaN before the first. */
  delayQuantile(share: number): number {
    const sorted = [...this.delays].sort((a, b) => a - b);
    return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? Number.NaN;
  }
}
