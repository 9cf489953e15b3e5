/** Worker thread: decodes, resizes, samples clips, writes the disk cache. */

import { workerData } from 'node:worker_threads';
import type { ClipTensor } from '../clip/clipTensor.js';
import { type ClipView, stackLength } from '../clip/clipView.js';
import { type FrameStack, sampleClips, stackOf, testStackRequest } from '../clip/sampleClips.js';
import { messageOf } from '../errors.js';
import { serveTasks } from '../node/workerPool.js';
import { openDecoder, probe, withVideo } from '../video/decoder.js';
import { defaultLimits } from '../video/limits.js';
import type { Decoder, OpenVideo } from '../video/types.js';
import { Transferring } from '../workers/messages.js';
import type { ClipTasks, ClipWorkerData, StripInput, StripOutput, StripPlace } from './clipTasks.js';
import { frameStackFile, readFrameStack, writeFrameStack } from './diskCache.js';
import { decodeFrameStack, type FileState, stateOf, type VideoFrameStack } from './frameStack.js';

const { preprocess, augment, decoder: choice, limits } = workerData as ClipWorkerData;
let opened: Decoder | undefined;

function decoder(): Decoder {
  opened ??= openDecoder(choice, { ...defaultLimits, ...limits });
  return opened;
}

serveTasks<ClipTasks>({
  facts: ({ path, segment }) => probe(decoder(), path, segment),
  clips: ({ path, segment, belowSec = Infinity, views }) => {
    const read = ({ info, frames }: OpenVideo) => {
      if (info.durationSec >= belowSec) return { info, clips: undefined, timesSec: [] };
      const evenly = stackLength(views[0] ?? { mode: 'test' }, preprocess, 0);
      const { request, window } = testStackRequest(info, evenly, preprocess);
      const strip = frames(request);
      const clips = sample(stackOf(strip, window), views);
      return new Transferring({ info, clips, timesSec: Array.from(strip.timesSec) }, [clips.data.buffer as ArrayBuffer]);
    };
    return withVideo(decoder(), path, read, segment);
  },
  stack: ({ path, segment, belowSec = Infinity, frames: wanted }) => {
    const read = ({ info, frames }: OpenVideo) => {
      if (info.durationSec >= belowSec) return { info, stack: undefined };
      const { request, window } = testStackRequest(info, wanted, preprocess);
      const stack = stackOf(frames(request), window);
      return new Transferring({ info, stack }, [stack.rgb.buffer as ArrayBuffer]);
    };
    return withVideo(decoder(), path, read, segment);
  },
  strip: (input) => {
    const { strip, ...found } = findStrip(input);
    const clips = sample(strip, input.views);
    const output = { ...found, clips, strip: found.from === 'memory' ? undefined : strip };
    return new Transferring(output, [clips.data.buffer as ArrayBuffer]);
  },
});

const sample = (stack: FrameStack, views: readonly ClipView[]): ClipTensor => sampleClips(stack, views, preprocess, augment);

type Found = { readonly strip: VideoFrameStack } & Omit<StripOutput, 'clips' | 'strip'>;

function findStrip({ request, strip, folder, place, mayWrite }: StripInput): Found {
  const found = { place, wroteBytes: 0, damaged: false, diskProblem: undefined };
  if (strip !== undefined) return { ...found, strip, from: 'memory' };
  if (folder === undefined) return { ...found, strip: decodeFrameStack(decoder(), request), from: 'video' };
  const known = place ?? placeOf(folder, request);
  const read = onDisk(() => readFrameStack(known.file));
  if (typeof read.value === 'object') return { ...found, place: known, strip: read.value, from: 'disk' };
  // The file may have changed since its place was known.
  if (place !== undefined) states.delete(request.path);
  const now = place === undefined ? known : placeOf(folder, request);
  const decoded = decodeFrameStack(decoder(), request);
  const write = mayWrite && read.problem === undefined ? onDisk(() => writeFrameStack(now.file, now.key, decoded)) : {};
  const problem = read.problem ?? write.problem;
  const kept = { wroteBytes: write.value ?? 0, damaged: read.value === 'damaged', diskProblem: problem };
  return { place: now, strip: decoded, from: 'video', ...kept };
}

/** Of films with many segments: a stat for each would cost as much as reading it from disk. */
const states = new Map<string, FileState>();

function placeOf(folder: string, request: StripInput['request']): StripPlace {
  const state = states.get(request.path) ?? stateOf(request.path);
  if (request.segment !== undefined) states.set(request.path, state);
  const key = { ...request, ...state };
  return { key, file: frameStackFile(folder, key) };
}

/** A failing cache costs time only; the loader reports it. */
function onDisk<T>(use: () => T): { value?: T; problem?: string } {
  try {
    return { value: use() };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}
