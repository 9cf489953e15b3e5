/** Videos -> attention maps, and logits with each token and place ablated (one centre view, graphs of ablationGraph.ts). */

import type { ClipReader, ReadClips } from '../clip/clipReader.js';
import { asTensor, type ClipTensor, repeatClip } from '../clip/clipTensor.js';
import { testViews } from '../clip/clipView.js';
import type { Preprocess } from '../clip/preprocess.js';
import { FileClipReader } from '../dataset/clipReader.js';
import type { FileSource } from '../dataset/videoPart.js';
import { ConfigError, WeightsError } from '../errors.js';
import { lower } from '../graph/lowering/lower.js';
import {
  attentionOf,
  type Blinding,
  type Blindness,
  placesOf,
  sightOf,
  tokenGraphs,
  untouched,
} from '../models/ablationGraph.js';
import type { NetworkConfig } from '../models/config.js';
import { networkCost } from '../models/cost.js';
import { platformOf } from '../node/platform.js';
import type { GraphRuntime, Session } from '../platform/graphRuntime.js';
import type { PlatformOptions } from '../platform/platform.js';
import { decodersFor, threadsFor } from '../runtime/cores.js';
import type { DecoderChoice, VideoInfo, VideoLimits } from '../video/types.js';
import { type Checkpoint, parseCheckpoint } from '../weights/checkpoint.js';
import { readSafetensors } from '../weights/files.js';
import { locateWeights } from '../weights/locateWeights.js';
import { isOnnxFile } from '../weights/onnxFile.js';
import { type Attention, attentionOfTokens } from './attentionMaps.js';

export interface ExplainerOptions extends PlatformOptions {
  readonly decoder?: DecoderChoice;
  /** Threads of the network; by default the fastest number. */
  readonly threads?: number;
  /** Videos decoded at once; as many as there are cores by default, at most 32. */
  readonly workers?: number;
  readonly limits?: Partial<VideoLimits>;
  /** Decoding time limit, in seconds (LimitError); 300 by default. */
  readonly timeoutSec?: number;
  /** What replaces an ablated token's input; `average` by default (see ablationGraph.ts). */
  readonly blindness?: Blindness;
}

/** Logits and attention of one clip. */
export interface Watched {
  readonly info: VideoInfo;
  /** [T] when each of its frames is shown, seconds from the first frame of the video. */
  readonly timesSec: readonly number[];
  /** One, normalised. */
  readonly clip: ClipTensor;
  /** [ablations + 1][classes]: unablated first; divided by the temperature of calibrated weights. */
  readonly logits: readonly [Float32Array, ...Float32Array[]];
  /** By name of the place: where each of the M tokens looks, untouched, mean of its two heads. */
  readonly attention: ReadonlyMap<string, readonly Attention[]>;
}

/** Clips per batch, the untouched one included. */
const mostCopies = 8;

/**
 * Reads weights that `vmf train` wrote, by path or name. Rejects with a WeightsError for other files (an ONNX model cannot be looked into), with a
 * ConfigError for a network whose tokens are not of a whole clip.
 */
export async function loadExplainer(weights: string, options: ExplainerOptions = {}): Promise<Explainer> {
  const weightsPath = await locateWeights(weights);
  if (await isOnnxFile(weightsPath)) {
    throw new WeightsError(
      'an ONNX model cannot be looked into; expected the weights it was made from, a .safetensors file of vmf train',
      { path: weightsPath },
    );
  }
  return new Explainer(parseCheckpoint(await readSafetensors(weightsPath), weightsPath), options, weightsPath);
}

export class Explainer {
  readonly config: NetworkConfig;
  readonly labels: readonly string[];
  /** Any number of labels is true of a clip. */
  readonly multiLabel: boolean;
  readonly preprocess: Preprocess;
  readonly blindness: Blindness;
  readonly workers: number;
  private readonly reader: ClipReader<FileSource>;
  private readonly engine: GraphRuntime;
  private readonly sessions = new Map<number, Promise<Session>>();

  /** `where` names the weights in errors. */
  constructor(
    private readonly weights: Checkpoint,
    options: ExplainerOptions = {},
    where = 'weights',
  ) {
    const { config, labels, preprocess } = weights;
    attentionOf(config);
    if (config.causal) {
      throw new ConfigError(
        `${where}: ${config.name} is causal: each frame has tokens of its own that see what went before; vmf explain shows tokens of a whole clip, so use the network without -causal`,
      );
    }
    [this.config, this.labels, this.preprocess] = [config, labels, preprocess];
    this.multiLabel = weights.multiLabel === true;
    const platform = platformOf(options);
    const { threads, workers = decodersFor(platform.cores), blindness = 'average', ...reading } = options;
    this.blindness = blindness;
    this.workers = workers;
    this.reader = new FileClipReader(preprocess, { ...reading, size: workers });
    this.engine = platform.openRuntime({ threads: threads ?? threadsFor(networkCost(config).macs * mostCopies, platform.cores) });
  }

  /** The network's input clips of a video. Rejects with a VideoError or LimitError. */
  read(source: FileSource, signal?: AbortSignal): Promise<ReadClips> {
    return this.reader.clips(source, testViews(), { signal });
  }

  /** Watches one clip untouched and with each of these blindings. */
  async watch({ info, timesSec, clips: clip }: ReadClips, blindings: readonly Blinding[]): Promise<Watched> {
    if (clip === undefined) throw new RangeError(`${info.path}: nothing was decoded`);
    const logits: Float32Array[] = [];
    let attention: Watched['attention'] | undefined;
    const each = Math.min(blindings.length + 1, mostCopies) - 1;
    for (let at = 0; at === 0 || at < blindings.length; at += each) {
      const part = blindings.slice(at, at + each);
      const run = await this.run(clip, [untouched, ...part, ...Array<Blinding>(each - part.length).fill(untouched)]);
      attention ??= run.attention;
      logits.push(...run.logits.slice(at === 0 ? 0 : 1, part.length + 1));
      if (each === 0) break;
    }
    const [first, ...rest] = logits;
    if (!first || !attention) throw new RangeError('a clip without logits');
    return { info, timesSec, clip, logits: [first, ...rest], attention };
  }

  private async run(
    clip: ClipTensor,
    copies: readonly Blinding[],
  ): Promise<Pick<Watched, 'attention'> & { logits: Float32Array[] }> {
    const { config } = this;
    const session = await this.session(copies.length);
    const clips = asTensor(repeatClip(clip, copies.length));
    const results = await session.run(Object.assign({ clips, sight: sightOf(config, copies) }));
    const all = results['logits']?.data ?? new Float32Array();
    const attention = placesOf(config).map(({ name, stride }) => {
      const { data, shape } = results[`${name}.attention`] ?? { data: new Float32Array(), shape: [] };
      return [name, attentionOfTokens(data, shape, stride)] as const;
    });
    const { temperature = 1 } = this.weights.calibration ?? {}; // so that probabilities equal those of vmf predict
    const logits = copies.map((_, b) => all.slice(b * config.classes, (b + 1) * config.classes).map((x) => x / temperature));
    return { logits, attention: new Map(attention) };
  }

  private session(copies: number): Promise<Session> {
    const known = this.sessions.get(copies) ?? this.load(copies);
    this.sessions.set(copies, known);
    return known;
  }

  private async load(copies: number): Promise<Session> {
    const { logits, attention } = tokenGraphs(this.config, this.weights, copies, this.blindness);
    const model = lower({ outputs: { logits, ...attention } }, await this.engine.target());
    return this.engine.load(model, `${this.config.name}, ${copies} copies`, 'inference');
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    await Promise.all([this.reader.close(), this.engine.close()]);
  }
}
