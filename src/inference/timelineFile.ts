/**
 * Scores of a timeline under way, in a file that grows stretch by stretch: a run that was killed goes on where it ends. The first line
 * says which windows of which film, with which weights and options; any other file is begun again.
 */
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { TimelineLog, TimelineWindows } from './slidingWindow.js';

export interface TimelineFileOptions {
  readonly path: string;
  /** The name of weights and options, see `runName`. */
  readonly run: string;
  /** Told of a film that goes on, and where. */
  readonly onResume?: (windows: TimelineWindows, knownSec: number) => void;
}

export class TimelineFile implements TimelineLog {
  private writes = true;
  private begun = false;
  private next = 0;

  constructor(private readonly options: TimelineFileOptions) {}

  begin(windows: TimelineWindows): number[][] {
    const head = `${JSON.stringify({ run: this.options.run, ...filmOf(windows) })}\n`;
    const known = this.known(head, windows.count);
    if (known.length > 0) this.options.onResume?.(windows, Math.min(known.length * windows.strideSec, windows.durationSec));
    this.next = known.length;
    this.begun = true;
    this.write((path) => {
      mkdirSync(dirname(path), { recursive: true });
      if (known.length === 0) writeFileSync(path, head);
    });
    return known;
  }

  add(scores: readonly ArrayLike<number>[]): void {
    const lines = scores.map((each) => `${this.next++} ${Buffer.from(Float64Array.from(each).buffer).toString('base64')}\n`);
    this.write((path) => appendFileSync(path, lines.join('')));
  }

  /** When all is answered. */
  remove(): void {
    if (this.begun) this.write((path) => rmSync(path, { force: true }));
  }

  /** Whole lines, in order and without a gap: two runs at once write the same ones. Half a line is cut off. */
  private known(head: string, count: number): number[][] {
    const text = textOf(this.options.path);
    if (!text.startsWith(head)) return [];
    const end = text.lastIndexOf('\n') + 1;
    if (end < text.length) this.write((path) => truncateSync(path, end));
    const known: number[][] = [];
    for (const line of text.slice(head.length, end).split('\n')) {
      const [number, scores] = line.split(' ');
      if (number === String(known.length) && scores !== undefined && known.length < count) known.push(scoresOf(scores));
    }
    return known;
  }

  /** A place that cannot be written costs the resuming, not the answer. */
  private write(use: (path: string) => void): void {
    if (!this.writes) return;
    try {
      use(this.options.path);
    } catch {
      this.writes = false;
    }
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

const scoresOf = (text: string): number[] => [...new Float64Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer)];

/** What makes scores of before those of now: the same windows of the same file. */
function filmOf({ path, ...windows }: TimelineWindows): object {
  const { size, mtimeMs } = statSync(path);
  return { film: resolve(path), bytes: size, modifiedMs: mtimeMs, ...windows };
}
