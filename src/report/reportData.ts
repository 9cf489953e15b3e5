/** Contents of a report. All but the title is optional: sections without data are omitted. */
import type { Metrics } from '../metrics/metrics.js';
import type { MultiLabelMetrics } from '../metrics/multiLabel.js';
import type { TestedWeights } from '../train/finetune/keptWeights.js';

export interface ReportData {
  readonly title: string;
  /** One or two sentences under the title. */
  readonly lead?: string;
  readonly accuracy?: ReportAccuracy;
  readonly model?: ReportModel;
  readonly run?: ReportRun;
  /** In order of time. */
  readonly epochs?: readonly ReportEpoch[];
  /** Of the test set: the confusion matrix and the table of classes. */
  readonly metrics?: Metrics;
  /** Instead of `metrics` and `accuracy`, where clips have several labels at once. */
  readonly multiLabel?: MultiLabelMetrics;
  /** Sample test clips; mistakes are shown first, the most confident one on top. */
  readonly clips?: readonly ReportClip[];
  /** The epoch whose weights were kept. */
  readonly bestEpoch?: number;
  /** What was kept, in words: an epoch, a probe, an average. */
  readonly kept?: string | undefined;
  /** Weights that fine-tuning chose from: the probe that it started from, averages with it, epochs. */
  readonly candidates?: readonly ReportCandidate[];
  readonly recipe?: readonly ReportOptions[];
  readonly composition?: ReportComposition;
  /** Time, memory, multiply-adds: what it cost. */
  readonly cost?: readonly ReportFact[];
  /** Notes and warnings of the training. */
  readonly said?: readonly string[];
  /** Commands that reproduce these numbers, in order. */
  readonly commands?: readonly ReportCommand[];
  /** Notes for the reader, such as skipped files and why. */
  readonly notes?: readonly string[];
}

export interface ReportCandidate extends TestedWeights {
  /** Whether these weights are the run's. */
  readonly kept: boolean;
}

/** Clips right out of clips tested. */
export interface CorrectCount {
  readonly correct: number;
  readonly count: number;
}

export interface ReportAccuracy {
  readonly top1: CorrectCount;
  /** Over the classes that are each other's reversal in time. */
  readonly top1Pairs?: CorrectCount;
  /** Share in [0, 1]. */
  readonly top5?: number;
  /** Share in [0, 1]. */
  readonly meanClassAccuracy?: number;
}

export interface ReportModel {
  readonly name: string;
  readonly parameters?: number;
  /** Multiply-adds of one view. */
  readonly macs?: number;
  /** Frames of one view, and their height and width in pixels. */
  readonly frames?: number;
  readonly height?: number;
  readonly width?: number;
  readonly weightsPath?: string;
}

export interface ReportRun {
  readonly trainClips?: number;
  readonly valClips?: number;
  readonly testClips?: number;
  /** Which clips the accuracy is of; "Test clips" by default. */
  readonly testName?: string;
  /** Wall time of everything the page reports. */
  readonly seconds?: number;
  /** What the time covers; "from start to end" by default. */
  readonly secondsNote?: string;
  readonly seed?: number | string;
  readonly data?: string;
  /** Processor, cores, system. */
  readonly machine?: string;
  /** Shown as given. */
  readonly date?: string;
  readonly version?: string;
}

/** One epoch; accuracies are shares in [0, 1]. */
export interface ReportEpoch {
  readonly epoch: number;
  readonly trainLoss?: number;
  readonly trainAccuracy?: number;
  readonly valLoss?: number;
  readonly valAccuracy?: number;
  readonly rate?: number;
  readonly gradientNorm?: number;
  readonly clipsPerSec?: number;
  readonly seconds?: number;
  /** Numbers that the report knows nothing about, by name: for the table. */
  readonly more?: Readonly<Record<string, number>>;
}

/** Options of one kind: those of training, of preprocessing. */
export interface ReportOptions {
  readonly heading: string;
  readonly options: readonly ReportOption[];
}

export interface ReportOption {
  readonly name: string;
  readonly value: string;
  /** The default, where the value is another. */
  readonly byDefault?: string;
}

/** Name and value, for lists of facts. */
export type ReportFact = readonly [name: string, value: string | number | undefined];

/** What the data consists of. */
export interface ReportComposition {
  readonly facts: readonly ReportFact[];
  readonly classes: readonly { readonly label: string; readonly train: number; readonly val: number; readonly test: number }[];
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
  /** Caveats, such as that a clip's length reveals its class. */
  readonly findings: readonly string[];
}

export interface ReportClip {
  /** Path or other name. */
  readonly name: string;
  /** Absent if unknown: the clip is then neither right nor wrong. */
  readonly trueLabel?: string;
  /** Best first; the report shows three. Scores are shares in [0, 1]. */
  readonly predictions: readonly { readonly label: string; readonly score: number }[];
  /** Frames in order of time as data URIs of PNG, JPEG or WebP pictures. */
  readonly frames: readonly string[];
}

export interface ReportCommand {
  readonly command: string;
  readonly what?: string;
}
