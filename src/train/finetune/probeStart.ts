/**
 * The start of fine-tuning: a linear probe of the initial weights, in seconds. It chooses how frames are seen, is a first answer of its
 * own, and is where training goes on from, since a random classifier would spoil features before it has learnt (Kumar et al. 2022,
 * arXiv 2202.10054).
 */

import type { Preprocess } from '../../clip/preprocess.js';
import { makePreprocess } from '../../clip/preprocess.js';
import type { DataLoader } from '../../dataset/dataLoader.js';
import { type Footage, footageOf } from '../../dataset/footage.js';
import { type LabelledVideo, videosOf } from '../../dataset/labelledVideos.js';
import { evenly } from '../../dataset/some.js';
import { wilsonInterval } from '../../metrics/metrics.js';
import { percent } from '../../metrics/percent.js';
import type { NetworkConfig } from '../../models/config.js';
import type { FlatWeights } from '../../models/network.js';
import type { GraphRuntime } from '../../platform/graphRuntime.js';
import type { Checkpoint } from '../../weights/checkpoint.js';
import type { TrainJob } from '../job.js';
import { featuresOfVideos } from '../linearProbe/featureSource.js';
import { type ClipFeatures, fitProbe, type PenaltyTrial } from '../linearProbe/fitProbe.js';
import { FrozenFeatures } from '../linearProbe/frozenFeatures.js';
import { withReadout } from '../linearProbe/frozenNetwork.js';
import { resultOf } from '../linearProbe/probeResult.js';
import type { FrameForm } from '../pictureSize.js';
import { qualityOf, reachedNotes, type ValidationResult } from '../quality.js';
import type { RunFolder } from '../runFolder/runFolder.js';
import { type TrainSetup, viewText } from '../setup.js';

/** A fitted probe, as a network. */
export interface ProbeStart {
  readonly config: NetworkConfig;
  readonly preprocess: Preprocess;
  readonly weights: FlatWeights;
  /** Estimate over the training videos, each predicted without those of its recording. */
  readonly foreseen: PenaltyTrial;
  readonly footage: Footage | undefined;
  /** Training videos that could be read. */
  readonly videos: number;
  /** On the validation videos, when there are some. */
  readonly validation: ValidationResult | undefined;
  readonly seconds: number;
}

export interface ProbeParts {
  readonly job: Pick<TrainJob, 'signal' | 'onEvent'>;
  readonly start: TrainSetup;
  readonly engine: GraphRuntime;
  readonly openLoader: (preprocess: Preprocess) => DataLoader;
}

/** Clips a run of the network. */
const batch = 8;
/** Training videos on which views are compared: more tell little more, and cost time. */
const mostCompared = 150;

/** A network for frames of a size, and how videos become such frames. */
export interface View {
  readonly config: NetworkConfig;
  readonly preprocess: Preprocess;
  readonly form?: FrameForm;
}

/** The probe of the view that foresees best. Throws the signal's reason when aborted. */
export async function probeStart(parts: ProbeParts): Promise<ProbeStart> {
  const startMs = performance.now();
  const probed = await probeOf(parts, await chosenView(parts));
  return { ...probed, seconds: (performance.now() - startMs) / 1000 };
}

/** The only view, or of several the one of which a probe foresees the least loss. */
export async function chosenView(parts: ProbeParts): Promise<View> {
  const views = viewsOf(parts.start);
  return views.length === 1 ? (views[0] as View) : bestView(parts, views);
}

function viewsOf({ config, preprocess, views = [] }: TrainSetup): View[] {
  if (views.length < 2) return [{ config, preprocess }];
  return views.map((form) => {
    const { height, width, resize } = form;
    const { shortSide: _, ...rest } = preprocess;
    return { form, config: { ...config, height, width }, preprocess: makePreprocess({ ...rest, height, width, resize }) };
  });
}

/** Compares views by what they foresee for left-out recordings of the training videos. */
async function bestView(parts: ProbeParts, views: readonly View[]): Promise<View> {
  const { start, job } = parts;
  const some = evenly(videosOf(start.data, 'train'), mostCompared);
  const losses: number[] = [];
  for (const view of views) {
    const reader = await Reader.open(parts, view);
    try {
      const { videos, features } = await reader.readable(some);
      losses.push(fitted(features, view.config, reader.blocks, footageOf(videos)).chosen.loss);
    } finally {
      await reader.close();
    }
  }
  const best = views[losses.indexOf(Math.min(...losses))] as View;
  const tried = views.map(({ form }, i) => `${form?.resize} ${losses[i]?.toFixed(2)}`).join(', ');
  const told = best.form ? viewText(best.form) : '';
  job.onEvent?.({ kind: 'note', message: `${told}: least loss foreseen by a probe (${tried}); --size and --resize take others` });
  return best;
}

async function probeOf(parts: ProbeParts, view: View): Promise<Omit<ProbeStart, 'seconds'>> {
  const { config, preprocess } = view;
  const { start } = parts;
  const reader = await Reader.open(parts, view);
  try {
    const { videos, features } = await reader.readable(videosOf(start.data, 'train'));
    const footage = footageOf(videos);
    const fit = fitted(features, config, reader.blocks, footage);
    const val = start.data.videos.filter(({ split }) => split === 'val');
    const validation = val.length > 0 ? resultOf(await reader.features(val), fit) : undefined;
    return {
      config,
      preprocess,
      weights: withReadout(start.weights, fit),
      foreseen: fit.chosen,
      footage,
      videos: videos.length,
      validation,
    };
  } finally {
    await reader.close();
  }
}

const fitted = (clips: ClipFeatures, config: NetworkConfig, blocks: readonly number[], footage: Footage | undefined) =>
  fitProbe(clips, config.classes, { blocks, groups: footage?.groups });

/** Reads videos as a view sees them, and their features. */
class Reader {
  private constructor(
    private readonly parts: ProbeParts,
    private readonly loader: DataLoader,
    private readonly source: FrozenFeatures,
  ) {}

  static async open(parts: ProbeParts, { config, preprocess }: View): Promise<Reader> {
    const source = await FrozenFeatures.load(parts.engine, config, parts.start.weights, batch);
    return new Reader(parts, parts.openLoader(preprocess), source);
  }

  get blocks(): readonly number[] {
    return this.source.blocks;
  }

  /** Without training videos that cannot be read: too many of them are the loader's DatasetError. */
  async readable(all: readonly LabelledVideo[]): Promise<{ videos: LabelledVideo[]; features: ClipFeatures }> {
    const { signal } = this.parts.job;
    await this.loader.prepare(all, { ...(signal && { signal }), onProgress: this.tell });
    const videos = all.filter((video) => this.loader.isUsable(video));
    return { videos, features: await this.features(videos) };
  }

  features(videos: readonly LabelledVideo[]): Promise<ClipFeatures> {
    const { labels } = this.parts.start.data;
    return featuresOfVideos(this.source, this.loader, videos, labels.length, {
      signal: this.parts.job.signal,
      onProgress: this.tell,
    });
  }

  private readonly tell = (done: number, of: number) => this.parts.job.onEvent?.({ kind: 'reading', done, of });

  async close(): Promise<void> {
    await Promise.all([this.source.close(), this.loader.close()]);
  }
}

export interface StoreParts {
  readonly data: TrainSetup['data'];
  readonly preprocess: Preprocess;
  readonly notes: Readonly<Record<string, string>>;
  readonly folder: RunFolder;
  readonly onEvent: NonNullable<TrainJob['onEvent']>;
}

/** Writes the probe as the run's first answer and tells how good it is. */
export async function storeProbe(
  probe: ProbeStart,
  { data, preprocess, notes, folder, onEvent }: StoreParts,
): Promise<Checkpoint> {
  const { config, weights, validation } = probe;
  const more = { probe: 'linear', ...(validation && reachedNotes(validation)) };
  const checkpoint = {
    ...{ config, labels: data.labels, ...(data.multiLabel && { multiLabel: data.multiLabel }), preprocess },
    notes: { ...notes, ...more },
    ...weights,
  };
  await folder.saveProbe(checkpoint);
  onEvent({ kind: 'note', message: firstAnswer(probe, folder.probePath) });
  return checkpoint;
}

function foreseenText({ top1, map }: PenaltyTrial, videos: number): string {
  if (map !== undefined) return `mAP ${percent(map)}`;
  const { low, high } = wilsonInterval(Math.round((top1 ?? 0) * videos), videos);
  return `${percent(top1 ?? Number.NaN)} (95 % interval ${percent(low)} to ${percent(high)})`;
}

function firstAnswer({ foreseen, footage, videos, validation, seconds, ...probe }: ProbeStart, path: string): string {
  const left = footage ? `without its recording (${footage.by})` : 'without itself';
  const val = validation ? `; ${percent(qualityOf(validation) ?? Number.NaN)} of the validation videos` : '';
  const estimate = `${foreseenText(foreseen, videos)} of ${videos} training videos, each predicted ${left}`;
  return `first answer after ${seconds.toFixed(0)} s, a linear classifier on features of ${probe.config.name} as it is: ${estimate}${val}: ${path}`;
}
