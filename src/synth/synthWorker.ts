import { join } from 'node:path';
import { serveTasks } from '../node/workerPool.js';
import { Rng } from '../rng.js';
import { type EncoderName, encodeVideo } from '../video/encode.js';
import { drawClip } from './clip.js';
import { type ClipName, clipPath, type SynthOptions } from './options.js';
import { renderClip } from './render.js';

export interface SynthTask {
  readonly folder: string;
  readonly name: ClipName;
  readonly options: SynthOptions;
  readonly encoder: EncoderName;
}

export type SynthTasks = { clip: { input: SynthTask; output: string } };

serveTasks<SynthTasks>({
  clip: ({ folder, name, options, encoder }) => {
    const clip = drawClip(name.action, new Rng([options.seed, 'synth', name.split, name.action, name.index]), options);
    const { width, height, frameRate, codec } = options;
    const path = join(folder, clipPath(name, codec));
    encodeVideo(path, { width, height, frameRate, codec, encoder }, renderClip(clip));
    return path;
  },
});
