/**
 * The programs of a training run on one engine: passes and steps, batch-norm statistics, evaluation. All share the state (parameters,
 * moments, statistics, what else the options need), which never leaves the engine. Programs are built when first needed. Knows
 * nothing of videos, epochs or files.
 */

import { type ClipTensor, emptyClips, padClips } from '../clip/clipTensor.js';
import { lower } from '../graph/lowering/lower.js';
import { sizeOf } from '../graph/shape.js';
import type { NetworkConfig } from '../models/config.js';
import { clipShape, evaluationGraph, type FlatWeights, masksOf } from '../models/network.js';
import type { GraphRuntime, Session, TensorValue } from '../platform/graphRuntime.js';
import {
  gradientPass,
  type ScheduleEntry,
  type StepOptions,
  scheduleValues,
  statisticsGraph,
  teachingGraph,
  trainingStep,
} from './step.js';

export interface StepInput extends Omit<ScheduleEntry, 'betas'> {
  /** Given away. */
  readonly clips: ClipTensor;
  /** [B, classes] */
  readonly targets: Float32Array;
  /** [B, classes], with a teacher only. */
  readonly soft?: Float32Array;
  /** [B, F] */
  readonly dropout: Float32Array;
  /** [branches, B], with drop path only. */
  readonly dropPath?: Float32Array;
  /** Whether clips follow one another in pairs, for causal networks. */
  readonly chained?: boolean;
  /** True for the passes before the last one of a step: their gradients are only added up. */
  readonly partial?: boolean;
}

/** What an engine is asked to do; `chained` ones see pairs of clips as one, `average` ones use the moving average of the weights. */
type ProgramKind =
  | `${'chained ' | ''}${'step' | 'pass'}`
  | `${'average ' | ''}${'chained ' | ''}statistics`
  | `${'average ' | ''}${'evaluation' | 'teaching'}`;

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
  /** Moving average of the parameters, when the options ask for one. */
  readonly average?: Float32Array;
  /** Gradients added up of an unfinished step, when a step has several passes. */
  readonly gradients?: Float32Array;
}

export class TrainingPrograms {
  /** Masks that the network asks for, see `masksOf`. */
  readonly masks: ReturnType<typeof masksOf>;
  private readonly programs = new Map<string, Promise<Session>>();

  constructor(
    private readonly engine: GraphRuntime,
    private readonly config: NetworkConfig,
    private readonly options: StepOptions,
  ) {
    this.masks = masksOf(config);
  }

  /** What is tested and kept is the moving average, where there is one. */
  private get prefix(): 'average ' | '' {
    return this.options.average ? 'average ' : '';
  }

  /** Where `average` or `gradients` are needed and not given, they begin as the parameters and as zeros. */
  async setWeights(weights: TrainingWeights): Promise<void> {
    const {
      parameters,
      statistics,
      first,
      second,
      average = parameters,
      gradients = new Float32Array(parameters.length),
    } = weights;
    await this.engine.setState({
      ...{ parameters, statistics, first, second },
      ...(this.options.average && { average }),
      ...(this.accumulates && { gradients }),
    });
  }

  async weights(): Promise<TrainingWeights> {
    const extra = [
      ...(this.options.average ? (['average'] as const) : []),
      ...(this.accumulates ? (['gradients'] as const) : []),
    ];
    return this.engine.readState(['parameters', 'statistics', 'first', 'second', ...extra]) as Promise<TrainingWeights>;
  }

  private get accumulates(): boolean {
    return (this.options.accumulate ?? 1) > 1;
  }

  /** Factors of the learning rate, one a parameter; needed before the first step when the options ask for them. */
  async setRates(rates: Float32Array): Promise<void> {
    await this.engine.setState({ rates });
  }

  /** Builds and loads the training step, so that the first one is not slower than the others. */
  async warmUp(): Promise<void> {
    await this.program('step', this.options.clips);
  }

  /** Clips a second of the training step, timed on one step on blank clips after the first; the weights are as before. */
  async measureSpeed(): Promise<number> {
    const { config, options } = this;
    const { clips: count } = options;
    const before = await this.weights();
    if (options.layerRates) await this.setRates(new Float32Array(before.parameters.length));
    const once = () =>
      this.step({
        clips: emptyClips(count, config),
        targets: new Float32Array(count * config.classes),
        ...(options.temperature !== undefined && { soft: new Float32Array(count * config.classes) }),
        dropout: new Float32Array(count * this.masks.dropouts),
        ...(options.dropPath && { dropPath: new Float32Array(this.masks.branches * count) }),
        ...{ step: 1, rate: 0, weightDecay: 0 },
      });
    await once();
    const start = performance.now();
    await once();
    const seconds = (performance.now() - start) / 1000;
    await this.setWeights(before);
    return count / seconds;
  }

  /** One pass: a step of AdamW, or a part of one. */
  async step(input: StepInput): Promise<StepResult> {
    const { clips: count } = this.options;
    const { chained = false, partial = false } = input;
    const program = await this.program(`${chained ? 'chained ' : ''}${partial ? 'pass' : 'step'}`, count);
    const result = await program.run<'loss' | 'gradientNorm' | 'logits'>(this.feeds(input), { move: true });
    return {
      loss: result.loss.data[0] ?? Number.NaN,
      gradientNorm: result.gradientNorm.data[0] ?? Number.NaN,
      logits: result.logits.data,
    };
  }

  private feeds({ clips, targets, soft, dropout, dropPath, partial = false, ...entry }: StepInput): Record<string, TensorValue> {
    const { clips: count, betas } = this.options;
    const { classes } = this.config;
    const { branches, dropouts } = this.masks;
    return {
      clips: this.tensor(clips.data, clipShape(this.config, count)),
      targets: this.tensor(targets, [count, classes]),
      ...(dropouts > 0 && { dropout: this.tensor(dropout, [count, dropouts]) }),
      ...(soft && { soft: this.tensor(soft, [count, classes]) }),
      ...(dropPath && branches > 0 && { dropPath: this.tensor(dropPath, [branches, count]) }),
      ...(!partial && { schedule: this.tensor(scheduleValues({ ...entry, betas }), [5]) }),
    };
  }

  /** Mean and variance that the batch norms see in one batch, in the order of the statistics. `clips` is given away. */
  async statistics(clips: ClipTensor, chained = false): Promise<Float32Array> {
    const count = this.options.clips;
    const program = await this.program(`${this.prefix}${chained ? 'chained ' : ''}statistics`, count);
    const feeds = { clips: this.tensor(clips.data, clipShape(this.config, count)) };
    return (await program.run<'statistics'>(feeds, { move: true })).statistics.data;
  }

  async setStatistics(statistics: Float32Array): Promise<void> {
    await this.engine.setState({ statistics });
  }

  /** Logits in evaluation mode, [count, classes], of a batch that may be smaller than the program's `full`: the rest is zeros. */
  async logits(clips: ClipTensor, full = this.options.clips): Promise<Float32Array> {
    const program = await this.program(`${this.prefix}evaluation`, full);
    const feeds = { clips: this.tensor(padClips(clips, full).data, clipShape(this.config, full)) };
    return (await program.run<'logits'>(feeds, { move: true })).logits.data.subarray(0, clips.count * this.config.classes);
  }

  /**
   * Logits [count, classes] of a batch under the batch's own statistics, without dropout: what a teacher says while it still learns,
   * whose weights are not those that the running statistics belong to.
   */
  async teaching(clips: ClipTensor): Promise<Float32Array> {
    const program = await this.program(`${this.prefix}teaching`, clips.count);
    const feeds = { clips: this.tensor(clips.data, clipShape(this.config, clips.count)) };
    return (await program.run<'logits'>(feeds, { move: true })).logits.data;
  }

  private program(kind: ProgramKind, clips: number): Promise<Session> {
    const key = clips === this.options.clips ? kind : `${kind} of ${clips}`;
    const known = this.programs.get(key) ?? this.load(kind, clips);
    this.programs.set(key, known);
    return known;
  }

  private async load(kind: ProgramKind, clips: number): Promise<Session> {
    const target = await this.engine.target();
    if (kind.includes('chained ')) await this.release(kind.replace('chained ', '') as ProgramKind);
    return this.engine.load(lower(this.graph(kind, clips), target), `${this.config.name}, ${kind}`, 'training');
  }

  private graph(kind: ProgramKind, clips: number) {
    const chained = kind.includes('chained ');
    const parameters = kind.startsWith('average') ? 'average' : 'parameters';
    if (kind.endsWith('step')) return trainingStep(this.config, { ...this.options, chained });
    if (kind.endsWith('pass')) return gradientPass(this.config, { ...this.options, chained });
    if (kind.endsWith('statistics')) return statisticsGraph(this.config, clips, chained, parameters);
    if (kind.endsWith('teaching')) return teachingGraph(this.config, clips, parameters, this.options.frozenStatistics);
    return { logits: evaluationGraph(this.config, clips, { parameters }) };
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
