/** What the page of browser.test.ts runs. */
import type * as Library from '../../src/web/index.js';
import { trialOfPlace } from './trialOfPlace.js';
import { trialOfStore } from './trialOfStore.js';
import { trialOfVideos, type VideoTrial } from './trialOfVideos.js';

const bytes = async (path: string) => new Uint8Array(await (await fetch(path)).arrayBuffer());

function platformOf(library: typeof Library, threads: number): Library.Platform {
  const whole = library.webPlatform({
    wasmPaths: new URL('.', location.href).href,
    worker: () => new Worker('/runtimeWorker.js', { type: 'module' }),
  });
  return { ...whole, openRuntime: () => whole.openRuntime({ threads }) };
}

/** The trial, in this tab, on the built entry. */
export async function runPage(entry: string, size: { height: number; width: number }, threads: number) {
  const library = (await import(entry)) as typeof Library;
  const input = { weights: await bytes('/weights.safetensors'), rgb: await bytes('/frames.rgb'), ...size };
  return { isolated: crossOriginIsolated, numbers: await trialOfPlace(library, platformOf(library, threads), input) };
}

/** A checkpoint in the stores of this tab. */
export async function runStores(entry: string) {
  const library = (await import(entry)) as typeof Library;
  const weights = await bytes('/weights.safetensors');
  const stores = [library.memoryStore(), library.webPlatform().openFiles('trial')];
  return Promise.all(stores.map((store) => trialOfStore(library, store, weights)));
}

/** Files of the server as Blobs, recognised in this tab. */
export async function runVideos(entry: string, trial: VideoTrial) {
  const library = (await import(entry)) as typeof Library;
  const options = { platform: platformOf(library, 1), ...(trial.limits && { limits: trial.limits }) };
  const recogniser = await library.openRecogniser(await bytes('/weights.safetensors'), options);
  const source = async (name: string) => {
    const blob = await (await fetch(`/${name}`)).blob();
    return trial.as === 'file' ? new File([blob], name) : trial.as === 'stream' ? blob.stream() : blob.arrayBuffer();
  };
  return trialOfVideos(recogniser, await Promise.all(trial.names.map(source)), trial);
}

/** Labels of pretrained weights that the server has in a folder, and what is said of a damaged file. */
export async function runPretrained(entry: string, name: string, folder: string, damaged: string) {
  const library = (await import(entry)) as typeof Library;
  const recogniser = await library.fromPretrained(name, folder, { platform: platformOf(library, 1) });
  const { labels } = recogniser;
  await recogniser.close();
  return { labels, damaged: await library.readPretrained(name, damaged).catch((error: unknown) => String(error)) };
}

/** Whether each decoded frame is closed: after a whole timeline, and after one that is aborted at its first progress. */
export async function runAborted(entry: string, name: string, windowSec: number) {
  const library = (await import(entry)) as typeof Library;
  const frames = countFrames();
  const recogniser = await library.openRecogniser(await bytes('/weights.safetensors'), { platform: platformOf(library, 1) });
  const file = await (await fetch(`/${name}`)).blob();
  const options = { windowSec, stretchBytes: 200_000 };
  await recogniser.timeline(file, options);
  const whole = { ...frames };
  const stop = new AbortController();
  const onProgress = () => stop.abort(new Error('enough'));
  const aborted = await recogniser.timeline(file, { ...options, onProgress, signal: stop.signal }).then(
    () => 'not aborted',
    (error: unknown) => String(error),
  );
  await recogniser.close();
  const closed = await recogniser.facts(file).catch((error: unknown) => String(error));
  return { whole, aborted, closed, all: frames };
}

/** Frames that decoders made and that were closed, from now on. */
function countFrames(): { made: number; closed: number } {
  const count = { made: 0, closed: 0 };
  const Decoder = globalThis.VideoDecoder;
  globalThis.VideoDecoder = class extends Decoder {
    constructor({ output, error }: VideoDecoderInit) {
      const counted = (frame: VideoFrame) => {
        count.made++;
        output(frame);
      };
      super({ output: counted, error });
    }
  };
  const { close } = VideoFrame.prototype;
  VideoFrame.prototype.close = function (this: VideoFrame) {
    count.closed++;
    close.call(this);
  };
  return count;
}

Object.assign(globalThis, { runPage, runStores, runVideos, runPretrained, runAborted });
