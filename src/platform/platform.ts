/** What the library asks of the place where it runs. Adapters: node/platform.ts and web/platform.ts. */
import type { OpenRuntime } from './graphRuntime.js';

export interface Platform {
  /** Processors that may be used at once. */
  readonly cores: number;
  readonly openRuntime: OpenRuntime;
}
