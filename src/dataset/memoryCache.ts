/** Strips in memory, bounded in bytes, least recently used out first. */
import type { VideoFrameStack } from './frameStack.js';

export class MemoryCache {
  private readonly strips = new Map<string, VideoFrameStack>();
  private held = 0;

  constructor(private readonly maxBytes: number) {}

  /** Bytes of pixels held now, at most `maxBytes`. */
  get bytes(): number {
    return this.held;
  }

  get(name: string): VideoFrameStack | undefined {
    const strip = this.strips.get(name);
    if (strip === undefined) return undefined;
    this.strips.delete(name);
    this.strips.set(name, strip);
    return strip;
  }

  /** Keeps a strip, unless it alone is larger than the cache. */
  set(name: string, strip: VideoFrameStack): void {
    this.remove(name);
    if (strip.rgb.byteLength > this.maxBytes) return;
    this.strips.set(name, strip);
    this.held += strip.rgb.byteLength;
    for (const oldest of this.strips.keys()) {
      if (this.held <= this.maxBytes) return;
      this.remove(oldest);
    }
  }

  private remove(name: string): void {
    const strip = this.strips.get(name);
    if (strip === undefined) return;
    this.strips.delete(name);
    this.held -= strip.rgb.byteLength;
  }
}
