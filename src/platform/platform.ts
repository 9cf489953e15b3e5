/** What the library needs of its platform. Adapters: node/platform.ts and web/platform.ts. */
import type { FileStore } from './fileStore.js';
import type { OpenRuntime } from './graphRuntime.js';

export interface Platform {
  /** Processors that may be used at once. */
  readonly cores: number;
  readonly openRuntime: OpenRuntime;
  /** Files that last: of a folder, or of a database of that name. */
  readonly openFiles: (place: string) => FileStore;
}

export interface PlatformOptions {
  /** Where graphs run and files are kept; Node by default. */
  readonly platform?: Platform;
}
