/** A browser tab: onnxruntime-web in module workers. */
import type { Platform } from '../platform/platform.js';
import { databaseStore } from './databaseStore.js';
import { openWebRuntime, type WebRuntimeOptions, webThreads } from './graphRuntime.js';

export const webPlatform = (options: Omit<WebRuntimeOptions, 'threads'> = {}): Platform => ({
  cores: webThreads(),
  openFiles: databaseStore,
  openRuntime: ({ threads = webThreads() } = {}) => openWebRuntime({ ...options, threads }),
});
