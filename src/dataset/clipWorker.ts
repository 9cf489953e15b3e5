/** The worker thread of `ClipLoader`: strip from memory, disk or the video itself, then clips cut out of it. */

import { workerData } from 'node:worker_threads';
import { messageOf } from '../errors.js';
import { openDecoder } from '../video/decoder.js';
import { defaultLimits } from '../video/limits.js';
import type { Decoder } from '../video/types.js';
import { serveTasks, Transferring } from '../workers/messages.js';
import type { ClipInput, ClipOutput, ClipTasks, ClipWorkerData } from './clipTasks.js';
import { cutClip } from './cutClip.js';
import { readStrip, writeStrip } from './diskCache.js';
import { decodeStrip, type Strip } from './strip.js';

const { preprocess, augment, decoder: choice, limits } = workerData as ClipWorkerData;
let opened: Decoder | undefined;

function decoder(): Decoder {
  opened ??= openDecoder(choice, { ...defaultLimits, ...limits });
  return opened;
}

type Found = { readonly strip: Strip } & Pick<ClipOutput, 'from' | 'wroteBytes' | 'damaged' | 'diskProblem'>;

function findStrip({ key, strip, folder, mayWrite }: ClipInput): Found {
  const found = { wroteBytes: 0, damaged: false, diskProblem: undefined };
  if (strip !== undefined) return { ...found, strip, from: 'memory' };
  if (folder === undefined) return { ...found, strip: decodeStrip(decoder(), key), from: 'video' };
  const read = onDisk(() => readStrip(folder, key));
  if (typeof read.value === 'object') return { ...found, strip: read.value, from: 'disk' };
  const decoded = decodeStrip(decoder(), key);
  const write = mayWrite && read.problem === undefined ? onDisk(() => writeStrip(folder, key, decoded)) : {};
  const diskProblem = read.problem ?? write.problem;
  return { strip: decoded, from: 'video', wroteBytes: write.value ?? 0, damaged: read.value === 'damaged', diskProblem };
}

/** A cache that fails costs time, not the clip: the reason goes to the loader, which reports it. */
function onDisk<T>(use: () => T): { value?: T; problem?: string } {
  try {
    return { value: use() };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

serveTasks<ClipTasks>({
  clips: (input) => {
    const { strip, ...found } = findStrip(input);
    const clips = input.views.map((view) => cutClip(strip, view, preprocess, augment));
    const output = { ...found, clips, strip: found.from === 'memory' ? undefined : strip };
    return new Transferring(
      output,
      clips.map((clip) => clip.data.buffer as ArrayBuffer),
    );
  },
});
