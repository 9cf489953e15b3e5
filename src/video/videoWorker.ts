/** Worker thread of `VideoPool`; opens its decoder with the first task, so that a missing back end is that task's error. */
import { workerData } from 'node:worker_threads';
import { serveTasks } from '../node/workerPool.js';
import { Transferring } from '../workers/messages.js';
import { decode, openDecoder, probe } from './decoder.js';
import type { VideoTasks, VideoWorkerData } from './pool.js';
import type { Decoder } from './types.js';

const { choice, limits } = workerData as VideoWorkerData;
let opened: Decoder | undefined;

function decoder(): Decoder {
  opened ??= openDecoder(choice, limits);
  return opened;
}

serveTasks<VideoTasks>({
  probe: ({ path, part }) => probe(decoder(), path, part),
  decode: ({ path, request, part }) => {
    const decoded = decode(decoder(), path, request, part);
    return new Transferring(decoded, [decoded.strip.rgb.buffer as ArrayBuffer, decoded.strip.timesSec.buffer as ArrayBuffer]);
  },
});
