/** Explains one video: numbers, and on request pictures and a video. Overwrites nothing unless forced. */
import { mkdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { decodeSize } from '../clip/clipShape.js';
import { testTransform } from '../clip/crop.js';
import type { Preprocess } from '../clip/preprocess.js';
import { usedWindow } from '../clip/temporalSampling.js';
import { ConfigError } from '../errors.js';
import { type Blindness, placesOf, tokensOf, tokenWords } from '../models/ablationGraph.js';
import { createCanvas } from '../video/canvas.js';
import { chooseEncoder, encodeVideo } from '../video/encode.js';
import { VideoPool } from '../video/pool.js';
import type { DecodedVideo, FrameTimes } from '../video/types.js';
import { writeFileAtomically } from '../weights/files.js';
import { attentionPicture, type SeenFrames } from './attentionPicture.js';
import { attentionVideo, type VideoPlan, videoPlan } from './attentionVideo.js';
import { type Explainer, type ExplainerOptions, loadExplainer, type Watched } from './explainer.js';
import { ablationsOf, type Explanation, explanationOf } from './explanation.js';
import { type HeatmapRow, mainRows, type PictureText, placeRows, titleOf } from './heatmapRows.js';

export interface ExplainVideoOptions extends ExplainerOptions {
  /** Folder for attention.png, attention.mp4 and explain.json; made when it is not there. Without it nothing is written. */
  readonly out?: string;
  /** Also write a picture per place of attention, NAME.png. */
  readonly blocks?: boolean;
  /** Write attention.mp4; true by default. */
  readonly video?: boolean;
  /** Overwrite existing files. */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
}

export interface VideoExplanation extends Explanation {
  readonly video: string;
  readonly durationSec: number;
  readonly weights: string;
  readonly model: string;
  /** What replaces an ablated token's input. */
  readonly blindness: Blindness;
  /** Why the file counts as truncated; what could be read was used. */
  readonly truncated?: string;
  /** Files written, in full. */
  readonly files: readonly string[];
}

/**
 * Explains one view of a video, the one that `Recogniser.recognise` uses. Before any computation, rejects with a WeightsError or
 * ConfigError for unsuitable weights, a VideoError or LimitError for the video, a ConfigError for an unwritable folder or
 * existing files.
 */
export async function explainVideo(
  weightsPath: string,
  videoPath: string,
  options: ExplainVideoOptions = {},
): Promise<VideoExplanation> {
  const { out, blocks = false, video = true, force = false, signal, ...explaining } = options;
  const explainer = await loadExplainer(weightsPath, explaining);
  try {
    const files = filesFor(explainer, { out, blocks, video, force });
    const places = placesOf(explainer.config);
    const frames = await explainer.read(videoPath, signal);
    const watched = await explainer.watch(frames, ablationsOf(tokensOf(explainer.config), places));
    const { durationSec, truncated } = watched.info;
    const explanation: VideoExplanation = {
      ...{ video: videoPath, durationSec, weights: weightsPath, model: explainer.config.name, blindness: explainer.blindness },
      ...(truncated !== undefined && { truncated }),
      ...explanationOf(watched, explainer, places, tokenWords(explainer.config)),
      files: Object.values(files),
    };
    if (out !== undefined) await new Writing(explainer, watched, explanation, options, signal).all(out, files);
    return explanation;
  } finally {
    await explainer.close();
  }
}

type Files = Readonly<Record<string, string>>;

interface Wanted {
  readonly out: string | undefined;
  readonly blocks: boolean;
  readonly video: boolean;
  readonly force: boolean;
}

function filesFor({ config }: Explainer, { out, blocks, video, force }: Wanted): Files {
  if (out === undefined) return {};
  createCanvas(1, 1);
  if (video) chooseEncoder();
  const pictures = blocks ? placesOf(config).map(({ name }) => `${name}.png`) : [];
  const names = ['attention.png', ...(video ? ['attention.mp4'] : []), ...pictures, 'explain.json'];
  checkFolder(out, names, force);
  return Object.fromEntries(names.map((name) => [name, join(out, name)]));
}

function checkFolder(out: string, names: readonly string[], force: boolean): void {
  const there = statSync(out, { throwIfNoEntry: false });
  if (there !== undefined && !there.isDirectory())
    throw new ConfigError('is a file; expected a folder to write into', { path: out });
  const parent = dirname(out);
  if (there === undefined && !statSync(parent, { throwIfNoEntry: false })?.isDirectory())
    throw new ConfigError(`there is no folder ${parent}`, { path: out });
  const taken = names.find((name) => statSync(join(out, name), { throwIfNoEntry: false }) !== undefined);
  if (taken !== undefined && !force)
    throw new ConfigError(`${join(out, taken)}: is there already; use --force to replace it, or another --out`);
}

class Writing {
  private readonly rows: readonly HeatmapRow[];
  private readonly text: PictureText;

  constructor(
    private readonly explainer: Explainer,
    private readonly watched: Watched,
    private readonly explanation: VideoExplanation,
    private readonly options: ExplainVideoOptions,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.rows = mainRows(watched, explanation, placesOf(explainer.config));
    this.text = titleOf(explanation, basename(explanation.video), explanation.blindness);
  }

  async all(out: string, files: Files): Promise<void> {
    mkdirSync(out, { recursive: true });
    const { timesSec } = this.watched;
    const pool = this.videoPool();
    try {
      const seen = await this.seen(pool, { timesSec }, 256);
      await writeWhole(files['attention.png'], attentionPicture(this.text, seen, timesSec, this.rows));
      for (const place of placesOf(this.explainer.config)) {
        const path = files[`${place.name}.png`];
        if (path !== undefined)
          await writeWhole(path, attentionPicture(this.text, seen, timesSec, placeRows(this.watched, this.explanation, place)));
      }
      if (files['attention.mp4'] !== undefined) await this.writeVideo(files['attention.mp4'], pool);
      await writeWhole(files['explain.json'], new TextEncoder().encode(`${JSON.stringify(this.explanation, null, 1)}\n`));
    } finally {
      await pool.close();
    }
  }

  private videoPool(): VideoPool {
    const { decoder, limits, timeoutSec } = this.options;
    const reading = { ...(decoder && { decoder }), ...(limits && { limits }), ...(timeoutSec !== undefined && { timeoutSec }) };
    return new VideoPool({ size: 1, ...reading });
  }

  /** Frames resized so that the shorter side of the network's view is `edge` pixels. */
  private async seen(pool: VideoPool, times: FrameTimes, edge: number): Promise<SeenFrames> {
    const { preprocess, config } = this.explainer;
    const size = preprocess.resize === 'stretch' ? { shortSide: edge } : decodeSize(enlarged(preprocess, edge), 'test');
    const { strip }: DecodedVideo = await pool.decode(
      this.explanation.video,
      { times, size },
      this.signal === undefined ? {} : { signal: this.signal },
    );
    return { strip, box: testTransform(strip, preprocess).box, pixels: config };
  }

  private async writeVideo(path: string, pool: VideoPool): Promise<void> {
    const { info, timesSec } = this.watched;
    const window = usedWindow(info, this.explainer.preprocess.startSec);
    const { startSec, endSec } = window;
    const plan = videoPlan(endSec - startSec);
    const seen = await this.seen(pool, { evenly: plan.frames, startSec, endSec }, 256);
    const made = attentionVideo({
      ...{ title: this.text.title, seen, timesSec, rows: this.rows, speed: plan.speed, startSec, endSec },
      momentsSec: momentsOf(plan, startSec, endSec),
    });
    encodeVideo(path, { width: made.width, height: made.height, frameRate: plan.frameRate, codec: 'h264' }, made.frames);
  }
}

function enlarged(preprocess: Preprocess, edge: number): Preprocess {
  const by = edge / Math.min(preprocess.height, preprocess.width);
  const [height, width, shortSide] = [preprocess.height * by, preprocess.width * by, preprocess.shortSide * by];
  return { ...preprocess, height, width, shortSide };
}

/** Centres of the output frames, in seconds of the video. */
function momentsOf({ frames }: VideoPlan, startSec: number, endSec: number): number[] {
  return Array.from({ length: frames }, (_, i) => startSec + ((i + 0.5) * (endSec - startSec)) / frames);
}

async function writeWhole(path: string | undefined, bytes: Uint8Array): Promise<void> {
  if (path !== undefined) await writeFileAtomically(path, [bytes]);
}
