/** A line on a terminal that is rewritten in place; on anything else (a file, CI) it stays silent. */

export class ProgressLine {
  private shown = false;
  private lastMs = 0;

  constructor(private readonly stream: NodeJS.WriteStream = process.stderr) {}

  /** Shows this text instead of the last; at most ten times a second. */
  show(text: string): void {
    const now = performance.now();
    if (!this.stream.isTTY || now - this.lastMs < 100) return;
    this.lastMs = now;
    this.shown = true;
    this.stream.write(`\r\x1b[K${text.slice(0, (this.stream.columns || 80) - 1)}`);
  }

  /** Removes it, so that something lasting can be printed. */
  clear(): void {
    if (this.shown) this.stream.write('\r\x1b[K');
    this.shown = false;
    this.lastMs = 0;
  }
}

/** A bar of 20 characters. */
export function bar(share: number): string {
  const full = Math.round(Math.min(Math.max(share, 0), 1) * 20);
  return '█'.repeat(full) + '░'.repeat(20 - full);
}

/** 75 -> "1:15". */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-:--';
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
