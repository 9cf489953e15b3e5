/** Node: onnxruntime-node in worker threads. */
import { availableParallelism } from 'node:os';
import type { Platform } from '../platform/platform.js';
import { openRuntime } from './graphRuntime.js';

export const nodePlatform: Platform = { cores: availableParallelism(), openRuntime };
