/** What the page of browser.test.ts runs. */
import type * as Library from '../../src/web/index.js';
import { trialOfPlace } from './trialOfPlace.js';
import { trialOfStore } from './trialOfStore.js';

const bytes = async (path: string) => new Uint8Array(await (await fetch(path)).arrayBuffer());

/** The trial, in this tab, on the built entry. */
export async function runPage(entry: string, size: { height: number; width: number }, threads: number) {
  const library = (await import(entry)) as typeof Library;
  const folder = new URL('.', location.href).href;
  const whole = library.webPlatform({
    wasmPaths: folder,
    worker: () => new Worker('/runtimeWorker.js', { type: 'module' }),
  });
  const platform = { ...whole, openRuntime: () => whole.openRuntime({ threads }) };
  const input = { weights: await bytes('/weights.safetensors'), rgb: await bytes('/frames.rgb'), ...size };
  return { isolated: crossOriginIsolated, numbers: await trialOfPlace(library, platform, input) };
}

/** A checkpoint in the stores of this tab. */
export async function runStores(entry: string) {
  const library = (await import(entry)) as typeof Library;
  const weights = await bytes('/weights.safetensors');
  const stores = [library.memoryStore(), library.webPlatform().openFiles('trial')];
  return Promise.all(stores.map((store) => trialOfStore(library, store, weights)));
}

Object.assign(globalThis, { runPage, runStores });
