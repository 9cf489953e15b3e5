/** Loads @napi-rs/canvas on first use: npm omits its binary under `--omit=optional`, and everything else must still work. */
import { createRequire } from 'node:module';
import type * as Library from '@napi-rs/canvas';
import { VmfError } from '../errors.js';

let library: typeof Library | undefined;

function load(): typeof Library {
  try {
    return createRequire(import.meta.url)('@napi-rs/canvas') as typeof Library;
  } catch (cause) {
    throw new VmfError(
      `cannot draw: @napi-rs/canvas finds no binary that loads on ${process.platform}-${process.arch} (npm's --omit=optional ` +
        'leaves it out); run npm ci, and to do without node-av alone: npm uninstall --no-save node-av',
      { cause },
    );
  }
}

/** A canvas of width x height pixels. Throws VmfError with installation advice. */
export function createCanvas(width: number, height: number): Library.Canvas {
  library ??= load();
  return library.createCanvas(width, height);
}
