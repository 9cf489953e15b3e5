/** Token ablation over labelled clips: the effect of each token on each true class. Fails rather than skip a video. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { orderedMap } from '../dataset/orderedMap.js';
import { some } from '../dataset/some.js';
import { ConfigError, DatasetError } from '../errors.js';
import type { TestVideo } from '../inference/evaluate.js';
import { type Blinding, type Blindness, placesOf, tokensOf, tokenWords } from '../models/ablationGraph.js';
import type { Place } from '../models/model.js';
import { writeFileAtomically } from '../weights/files.js';
import { type AttentionFacts, attentionFacts, leastOverlap, motionOf } from './attentionMaps.js';
import { type Explainer, type ExplainerOptions, loadExplainer, type Watched } from './explainer.js';
import { inBlocks, readByHead } from './explanation.js';
import { type ClassEffect, EffectTable, isClear } from './tokenAblation.js';

export interface ExplainDatasetOptions extends ExplainerOptions {
  /** Also ablate all tokens at each block in turn, not only at the last place. */
  readonly blocks?: boolean;
  /** Folder for explain.json; made when it is not there. Without it nothing is written. */
  readonly out?: string;
  readonly force?: boolean;
  readonly onProgress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal;
}

/** What is ablated: one token everywhere, or all tokens at one place. */
export interface Subject {
  /** `token 1`, or the name of a place. */
  readonly name: string;
  /** Top-1 accuracy under this ablation. */
  readonly top1: number;
  /** Lost evidence for the true class, mean over the classes. */
  readonly evidence: number;
  /** Means of `AttentionFacts` over the clips: of the token in the blocks, or of token 0 at the place. */
  readonly halfOn?: number;
  readonly motion?: number;
  readonly timeShare?: readonly number[];
}

export interface NamedEffect extends Omit<ClassEffect, 'lostTo'> {
  readonly subject: string;
  /** Most frequent prediction for the lost clips, and its count. */
  readonly lostTo?: { readonly label: string; readonly count: number };
  /** Whether evidence is more than two standard errors above 0, over five clips or more. */
  readonly clear: boolean;
}

export interface ClassExplanation {
  readonly label: string;
  readonly count: number;
  /** One a subject. */
  readonly effects: readonly NamedEffect[];
  /** The token whose ablation removes the most evidence, if significant. */
  readonly driver?: NamedEffect;
}

export interface DatasetExplanation {
  readonly weights: string;
  readonly model: string;
  readonly blindness: Blindness;
  /** Number of clips, and their top-1 accuracy without ablation. */
  readonly count: number;
  readonly top1: number;
  /** Smallest overlap of two tokens' attention in the blocks, mean over the clips. */
  readonly leastOverlap: number;
  /** Which tokens feed the head directly. */
  readonly headReads: Place['used'];
  readonly caveat: string;
  readonly subjects: readonly Subject[];
  /** Those with clips, in the order of the labels. */
  readonly classes: readonly ClassExplanation[];
  readonly truncated: readonly { readonly name: string; readonly reason: string }[];
  readonly files: readonly string[];
}

/**
 * Watches all videos. Rejects with a DatasetError before anything is decoded when a label is none of the weights', with the VideoError
 * or LimitError of the first video that cannot be read, and as `explainVideo` for weights and folder.
 */
export async function explainDataset(
  weightsPath: string,
  videos: readonly TestVideo[],
  options: ExplainDatasetOptions = {},
): Promise<DatasetExplanation> {
  const { blocks = false, out, force = false, onProgress, signal, ...explaining } = options;
  const explainer = await loadExplainer(weightsPath, explaining);
  try {
    if (explainer.multiLabel) {
      const message = 'has several labels at once; a data set is explained for one a clip: explain single videos instead';
      throw new ConfigError(message, { path: weightsPath });
    }
    const path = out === undefined ? undefined : fileFor(out, force);
    const study = new Study(explainer, blocks, placesFor(explainer.labels, videos));
    const read = (video: TestVideo, leaving: AbortSignal) => explainer.read(video, leaving);
    let done = 0;
    for await (const [video, outcome] of orderedMap(videos, explainer.workers + 2, read, signal)) {
      if ('error' in outcome) throw outcome.error;
      study.add(video, await explainer.watch(outcome.value, study.blindings));
      onProgress?.(++done, videos.length);
    }
    const found = { ...study.result(weightsPath), files: path === undefined ? [] : [path] };
    if (path !== undefined) {
      mkdirSync(dirname(path), { recursive: true });
      await writeFileAtomically(path, [new TextEncoder().encode(`${JSON.stringify(found, null, 1)}\n`)]);
    }
    return found;
  } finally {
    await explainer.close();
  }
}

function placesFor(labels: readonly string[], videos: readonly TestVideo[]): ReadonlyMap<string, number> {
  const places = new Map(labels.map((label, i) => [label, i]));
  const strange = [...new Set(videos.map(({ label }) => label))].filter((label) => !places.has(label));
  if (strange.length > 0) {
    throw new DatasetError(
      `the data has labels that the weights do not know: ${some(strange)}; the weights know ${labels.length}: ${some([...labels])}`,
    );
  }
  return places;
}

class Study {
  readonly blindings: readonly Blinding[];
  private readonly tokens: number;
  private readonly names: readonly string[];
  private readonly facts: AttentionFacts[][];
  private readonly table: EffectTable;
  private readonly overlaps: number[] = [];
  private readonly truncated: { name: string; reason: string }[] = [];

  constructor(
    private readonly explainer: Explainer,
    blocks: boolean,
    private readonly labelPlaces: ReadonlyMap<string, number>,
  ) {
    const { config, labels } = explainer;
    this.tokens = tokensOf(config);
    const places = placesOf(config).slice(blocks ? 0 : -1);
    const tokens = Array.from({ length: this.tokens }, (_, token) => token);
    this.names = [...tokens.map((token) => `token ${token}`), ...places.map(({ name }) => name)];
    this.blindings = [...tokens.map((token) => ({ tokens: [token] })), ...places.map(({ name }) => ({ places: [name] }))];
    this.facts = this.names.map(() => []);
    this.table = new EffectTable(this.names.length, labels.length, this.tokens);
  }

  add({ name, label }: TestVideo, watched: Watched): void {
    const { config } = this.explainer;
    const [untouched, ...blind] = watched.logits;
    this.table.add(this.labelPlaces.get(label) ?? -1, untouched, blind);
    const motion = motionOf(watched.clip);
    const blocks = inBlocks(watched, placesOf(config));
    this.overlaps.push(leastOverlap(blocks));
    this.names.forEach((subject, i) => {
      const map = i < this.tokens ? blocks[i] : watched.attention.get(subject)?.[0];
      if (map) this.facts[i]?.push(attentionFacts(map, motion));
    });
    const { truncated } = watched.info;
    if (truncated !== undefined) this.truncated.push({ name, reason: truncated });
  }

  result(weights: string): Omit<DatasetExplanation, 'files'> {
    const { config, labels, blindness } = this.explainer;
    const classes = labels.map((label, i) => this.classOf(label, i)).filter(({ count }) => count > 0);
    return {
      ...{ weights, model: config.name, blindness, count: this.overlaps.length, top1: this.table.top1() },
      leastOverlap: mean(this.overlaps) ?? 1,
      ...{ headReads: readByHead(placesOf(config)), caveat: tokenWords(config).caveat },
      subjects: this.names.map((name, i) => ({
        ...{ name, top1: this.table.top1(i), evidence: mean(classes.map(({ effects }) => effects[i]?.evidence ?? 0)) ?? 0 },
        ...meanFacts(this.facts[i] ?? []),
      })),
      classes,
      truncated: this.truncated,
    };
  }

  private classOf(label: string, labelIndex: number): ClassExplanation {
    const { labels } = this.explainer;
    const named = (i: number, { lostTo, ...effect }: ClassEffect): NamedEffect => ({
      ...{ subject: this.names[i] ?? '', clear: isClear(effect), ...effect },
      ...(lostTo && { lostTo: { label: labels[lostTo.labelIndex] ?? '', count: lostTo.count } }),
    });
    const effects = this.names.map((_, i) => named(i, this.table.effect(i, labelIndex)));
    const driver = this.table.driverOf(labelIndex);
    return {
      label,
      count: effects[0]?.count ?? 0,
      effects,
      ...(driver && { driver: named(driver.subject, driver.effect) }),
    };
  }
}

const mean = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;

function meanFacts(facts: readonly AttentionFacts[]): Omit<Subject, 'name' | 'top1' | 'evidence'> {
  const [halfOn, motion] = [mean(facts.map((each) => each.halfOn)), mean(facts.flatMap((each) => each.motion ?? []))];
  const timeShare = facts[0]?.timeShare.map((_, t) => mean(facts.map((each) => each.timeShare[t] ?? 0)) ?? 0);
  return { ...(halfOn !== undefined && { halfOn }), ...(motion !== undefined && { motion }), ...(timeShare && { timeShare }) };
}

function fileFor(out: string, force: boolean): string {
  const path = join(out, 'explain.json');
  const there = statSync(out, { throwIfNoEntry: false });
  if (there !== undefined && !there.isDirectory())
    throw new ConfigError('is a file; expected a folder to write into', { path: out });
  if (statSync(path, { throwIfNoEntry: false }) !== undefined && !force)
    throw new ConfigError('is there already; use --force to replace it, or another --out', { path });
  return path;
}
