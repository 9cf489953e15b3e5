import { join } from 'node:path';
import { serveTasks } from '../node/workerPool.js';
import { Rng } from '../rng.js';
import { type EncoderName, encodeVideo } from '../video/encode.js';
import { drawClip } from './clip.js';
import { type FilmName, type FilmOptions, filmPath } from './films/filmOptions.js';
import { planOf } from './films/plan.js';
import { renderFilm } from './films/renderFilm.js';
import { type ClipName, clipPath, type SynthOptions } from './options.js';
import { renderClip } from './render.js';

interface Task<Name, Options> {
  readonly folder: string;
  readonly name: Name;
  readonly options: Options;
  readonly encoder: EncoderName;
}

export type SynthTask = Task<ClipName, SynthOptions>;
export type FilmTask = Task<FilmName, FilmOptions>;

export type SynthTasks = { clip: { input: SynthTask; output: string }; film: { input: FilmTask; output: string } };

serveTasks<SynthTasks>({
  clip: ({ folder, name, options, encoder }) => {
    const clip = drawClip(name.action, new Rng([options.seed, 'synth', name.split, name.action, name.index]), options);
    const { width, height, frameRate, codec } = options;
    const path = join(folder, clipPath(name, codec));
    encodeVideo(path, { width, height, frameRate, codec, encoder }, renderClip(clip));
    return path;
  },
  film: ({ folder, name, options, encoder }) => {
    const { width, height, frameRate, codec } = options;
    const path = join(folder, filmPath(name, codec));
    const frames = renderFilm(planOf(name, options), new Rng([options.seed, 'films', name.index, 'picture']), options);
    encodeVideo(path, { width, height, frameRate, codec, encoder }, frames);
    return path;
  },
});
