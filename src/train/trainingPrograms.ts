/**
 * A network in training on an engine: one step, the statistics its batch norms see, and its logits in evaluation, all on the state
 * that stays with the engine. Programs are built when first needed. Knows nothing of videos, epochs or files.
 */

import { lower } from '../graph/lowering/lower.js';
import { sizeOf } from '../graph/shape.js';
import type { NetworkConfig } from '../models/config.js';
import { clipShape, evaluationGraph, type FlatWeights } from '../models/network.js';
import { blockSize } from '../runtime/blockSize.js';
import type { Engine, Program, TensorValue } from '../runtime/engine.js';
import { type StepOptions, scheduleValues, statisticsGraph, trainingStep } from './step.js';

export interface StepInput {
  /** [T*B, 3, S, S]; given away. */
  readonly clips: Float32Array;
  /** [B, classes] */
  readonly targets: Float32Array;
  /** [B, F] */
  readonly dropout: Float32Array;
  /** Counted from 1. */
  readonly step: number;
  readonly rate: number;
  readonly weightDecay: number;
  /** Whether clips follow one another in pairs, for causal networks. */
  readonly chained?: boolean;
}

/** What an engine is asked to do; `chained` ones see pairs of clips as one. */
type ProgramKind = 'step' | 'chained step' | 'statistics' | 'chained statistics' | 'evaluation';

export interface StepResult {
  readonly loss: number;
  readonly gradientNorm: number;
  /** [B, classes] */
  readonly logits: Float32Array;
}

/** What the engine keeps from step to step. */
export interface TrainingWeights extends FlatWeights {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

export class TrainingPrograms {
  private readonly programs = new Map<string, Promise<Program>>();

  constructor(
    private readonly engine: Engine,
    private readonly config: NetworkConfig,
    private readonly options: StepOptions,
  ) {}

  async setWeights(weights: TrainingWeights): Promise<void> {
    const { parameters, statistics, first, second } = weights;
    await this.engine.setState({ parameters, statistics, first, second });
  }

  weights(): Promise<TrainingWeights> {
    return this.engine.readState(['parameters', 'statistics', 'first', 'second']);
  }

  /** Builds and loads the training step, so that the first one is not slower than the others. */
  async warmUp(): Promise<void> {
    await this.program('step', this.options.clips);
  }

  /** One step of AdamW. */
  async step({ clips, targets, dropout, step, rate, weightDecay, chained = false }: StepInput): Promise<StepResult> {
    const { clips: count, betas } = this.options;
    const program = await this.program(chained ? 'chained step' : 'step', count);
    const feeds = {
      clips: this.tensor(clips, clipShape(this.config, count)),
      targets: this.tensor(targets, [count, this.config.classes]),
      dropout: this.tensor(dropout, [count, this.config.head]),
      schedule: this.tensor(scheduleValues(step, rate, weightDecay, betas), [4]),
    };
    const result = await program.run<'loss' | 'gradientNorm' | 'logits'>(feeds, { move: true });
    return {
      loss: result.loss.data[0] ?? Number.NaN,
      gradientNorm: result.gradientNorm.data[0] ?? Number.NaN,
      logits: result.logits.data,
    };
  }

  /** Mean and variance that the batch norms see in one batch, in the order of the statistics. `clips` is given away. */
  async statistics(clips: Float32Array, chained = false): Promise<Float32Array> {
    const count = this.options.clips;
    const program = await this.program(chained ? 'chained statistics' : 'statistics', count);
    const feeds = { clips: this.tensor(clips, clipShape(this.config, count)) };
    return (await program.run<'statistics'>(feeds, { move: true })).statistics.data;
  }

  async setStatistics(statistics: Float32Array): Promise<void> {
    await this.engine.setState({ statistics });
  }

  /** Logits in evaluation mode, [count, classes], of a batch that may be smaller than the program's: the rest is zeros. */
  async logits(clips: Float32Array, count: number): Promise<Float32Array> {
    const full = this.options.clips;
    const program = await this.program('evaluation', full);
    const feeds = { clips: this.tensor(padded(clips, this.config, count, full), clipShape(this.config, full)) };
    return (await program.run<'logits'>(feeds, { move: true })).logits.data.subarray(0, count * this.config.classes);
  }

  private program(kind: ProgramKind, clips: number): Promise<Program> {
    const known = this.programs.get(kind) ?? this.load(kind, clips);
    this.programs.set(kind, known);
    return known;
  }

  private async load(kind: ProgramKind, clips: number): Promise<Program> {
    const target = { block: await blockSize() };
    const chained = kind.startsWith('chained');
    if (chained) await this.release(kind === 'chained step' ? 'step' : 'statistics');
    const graph = kind.endsWith('step')
      ? trainingStep(this.config, { ...this.options, chained })
      : kind.endsWith('statistics')
        ? statisticsGraph(this.config, clips, chained)
        : { logits: evaluationGraph(this.config, clips) };
    return this.engine.load(lower(graph, target), `${this.config.name}, ${kind}`, 'training');
  }

  /** A program that is not needed any more, if there is one. */
  private async release(kind: ProgramKind): Promise<void> {
    const program = await this.programs.get(kind);
    this.programs.delete(kind);
    await program?.release();
  }

  private tensor(data: Float32Array, shape: readonly number[]): TensorValue {
    if (data.length !== sizeOf(shape))
      throw new RangeError(`expected ${sizeOf(shape)} values for [${shape}], got ${data.length}`);
    return { data, shape };
  }
}

/** A batch of `count` clips, time outermost, made up to `full` clips with zeros. */
export function padded(clips: Float32Array, config: NetworkConfig, count: number, full: number): Float32Array {
  if (count === full) return clips;
  const image = 3 * config.size * config.size;
  const out = new Float32Array(config.frames * full * image);
  for (let t = 0; t < config.frames; t++) {
    out.set(clips.subarray(t * count * image, (t + 1) * count * image), t * full * image);
  }
  return out;
}
