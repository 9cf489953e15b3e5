import { availableParallelism } from 'node:os';
import type { Platform, PlatformOptions } from '../platform/platform.js';
import { folderStore } from './folderStore.js';
import { openRuntime } from './graphRuntime.js';

export const nodePlatform: Platform = { cores: availableParallelism(), openRuntime, openFiles: folderStore };

/** The platform that was given; the one place where Node is the default. */
export const platformOf = ({ platform = nodePlatform }: PlatformOptions): Platform => platform;
