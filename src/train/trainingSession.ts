/**
 * The sessions of a run on one engine: micro-steps, steps, batch-norm statistics, evaluation; built on first use. They share the
 * state (parameters, moments, statistics), which never leaves the engine.
 */

import { type ClipTensor, emptyClips, padClips } from '../clip/clipTensor.js';
import type { Graph } from '../graph/graph.js';
import { lower } from '../graph/lowering/lower.js';
import { sizeOf } from '../graph/shape.js';
import type { NetworkConfig } from '../models/config.js';
import { clipShape, evaluationGraph, type FlatWeights, masksOf } from '../models/network.js';
import { countValues } from '../models/variables.js';
import type { GraphRuntime, Session, TensorValue } from '../platform/graphRuntime.js';
import { joined } from '../runtime/joined.js';
import {
  gradientMicroStep,
  type ScheduleEntry,
  type StateName,
  type StepOptions,
  scheduleValues,
  statisticsGraph,
  teachingGraph,
  trainingStep,
  type Weights,
} from './step.js';
import { headParameters } from './teacherHead.js';

export interface StepInput extends Omit<ScheduleEntry, 'betas'> {
  /** Given away. */
  readonly clips: ClipTensor;
  /** [B, classes] */
  readonly targets: Float32Array;
  /** [B, classes], or what the teacher's head learns [B, outputs]; with a teacher only. */
  readonly soft?: Float32Array;
  /** [B, F] */
  readonly dropout: Float32Array;
  /** [branches, B], with drop path only. */
  readonly dropPath?: Float32Array;
  /** Whether clips follow one another in pairs, for causal networks. */
  readonly pairedClips?: boolean;
  /** True for the passes before the last one of a step: their gradients are only added up. */
  readonly partial?: boolean;
}

/** The computation of a session and its batch size, if not the step's; with `pairedClips` it sees pairs of clips as one. */
type Computation =
  | { readonly kind: 'step' | 'microStep'; readonly pairedClips: boolean }
  | { readonly kind: 'statistics'; readonly weights: Weights; readonly pairedClips: boolean }
  | { readonly kind: 'evaluation' | 'teaching'; readonly weights: Weights; readonly clips: number };

function keyOf(computation: Computation): string {
  if ('clips' in computation) return `${computation.kind} of ${computation.clips} clips, ${computation.weights}`;
  const pairs = computation.pairedClips ? ' of pairs' : '';
  return computation.kind === 'statistics' ? `statistics${pairs}, ${computation.weights}` : `${computation.kind}${pairs}`;
}

export interface StepResult {
  readonly loss: number;
  readonly gradientNorm: number;
  /** [B, classes] */
  readonly logits: Float32Array;
}

/** `StateName` as vectors. */
export interface TrainingWeights extends FlatWeights {
  readonly expAvg: Float32Array;
  readonly expAvgSq: Float32Array;
  /** Moving average of the parameters, when the options ask for one. */
  readonly ema?: Float32Array;
  /** Gradients added up of an unfinished step, when a step has several passes. */
  readonly gradients?: Float32Array;
  /** Parameters of a teacher's head, when there is one; moments and gradients are those of the network and then its. */
  readonly teacherHead?: Float32Array;
}

export class TrainingSession {
  /** Masks of the network, see `masksOf`. */
  readonly masks: ReturnType<typeof masksOf>;
  private readonly sessions = new Map<string, Promise<Session>>();
  /** Values behind the network's parameters. */
  private readonly extra: number;

  constructor(
    private readonly engine: GraphRuntime,
    private readonly config: NetworkConfig,
    private readonly options: StepOptions,
  ) {
    this.masks = masksOf(config);
    this.extra = options.teacherHead ? countValues(headParameters(config, options.teacherHead)) : 0;
  }

  /** The moving average is tested and kept, where there is one. */
  private get tested(): Weights {
    return this.options.ema ? 'ema' : 'parameters';
  }

  /** Missing `ema` or `gradients` start as the parameters and as zeros. */
  async setWeights(weights: TrainingWeights): Promise<void> {
    const {
      parameters,
      statistics,
      expAvg,
      expAvgSq,
      ema = parameters,
      gradients = new Float32Array(parameters.length + this.extra),
      teacherHead: head = new Float32Array(this.extra),
    } = weights;
    await this.engine.setState({
      ...{ parameters: joinedValues(parameters, head), statistics, expAvg, expAvgSq },
      ...(this.options.ema && { ema: joinedValues(ema, head) }),
      ...(this.accumulates && { gradients }),
    });
  }

  async weights(): Promise<TrainingWeights> {
    const extra = [...(this.options.ema ? (['ema'] as const) : []), ...(this.accumulates ? (['gradients'] as const) : [])];
    const state = await this.engine.readState(['parameters', 'statistics', 'expAvg', 'expAvgSq', ...extra]);
    if (this.extra === 0) return state;
    const { parameters, ema, ...others } = state as TrainingWeights;
    const own = parameters.length - this.extra;
    return {
      ...{ ...others, parameters: parameters.subarray(0, own), teacherHead: parameters.subarray(own) },
      ...(ema && { ema: ema.subarray(0, own) }),
    };
  }

  private get softWidth(): number {
    return this.options.teacherHead?.outputs ?? this.config.classes;
  }

  private get accumulates(): boolean {
    return (this.options.gradAccum ?? 1) > 1;
  }

  /** Factors of the learning rate, one a parameter; needed before the first step when the options ask for them. */
  async setRates(rates: Float32Array): Promise<void> {
    await this.engine.setState({ rates: joinedValues(rates, new Float32Array(this.extra).fill(1)) });
  }

  /** Builds and loads the training step, so that the first one is not slower than the others. */
  async warmUp(): Promise<void> {
    await this.session({ kind: 'step', pairedClips: false });
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
        ...(options.temperature !== undefined && { soft: new Float32Array(count * this.softWidth) }),
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
    const { pairedClips = false, partial = false } = input;
    const session = await this.session({ kind: partial ? 'microStep' : 'step', pairedClips });
    const result = await session.run<'loss' | 'gradientNorm' | 'logits'>(this.feeds(input), { move: true });
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
      ...(soft && { soft: this.tensor(soft, [count, this.softWidth]) }),
      ...(dropPath && branches > 0 && { dropPath: this.tensor(dropPath, [branches, count]) }),
      ...(!partial && { schedule: this.tensor(scheduleValues({ ...entry, betas }), [5]) }),
    };
  }

  /** Mean and variance that the batch norms see in one batch, in the order of the statistics. `clips` is given away. */
  async statistics(clips: ClipTensor, pairedClips = false): Promise<Float32Array> {
    const count = this.options.clips;
    const session = await this.session({ kind: 'statistics', weights: this.tested, pairedClips });
    const feeds = { clips: this.tensor(clips.data, clipShape(this.config, count)) };
    return (await session.run<'seen'>(feeds, { move: true })).seen.data;
  }

  async setStatistics(statistics: Float32Array): Promise<void> {
    await this.engine.setState({ statistics });
  }

  /** Logits in evaluation mode, [count, classes], of a batch that may be smaller than `full`: the rest is zeros. */
  async logits(clips: ClipTensor, full = this.options.clips): Promise<Float32Array> {
    const session = await this.session({ kind: 'evaluation', weights: this.tested, clips: full });
    const feeds = { clips: this.tensor(padClips(clips, full).data, clipShape(this.config, full)) };
    return (await session.run<'logits'>(feeds, { move: true })).logits.data.subarray(0, clips.count * this.config.classes);
  }

  /**
   * Logits [count, classes] of a batch under the batch's own statistics, without dropout: what a teacher says while it still learns,
   * whose weights are not those that the running statistics belong to.
   */
  async teaching(clips: ClipTensor): Promise<Float32Array> {
    const session = await this.session({ kind: 'teaching', weights: this.tested, clips: clips.count });
    const feeds = { clips: this.tensor(clips.data, clipShape(this.config, clips.count)) };
    return (await session.run<'logits'>(feeds, { move: true })).logits.data;
  }

  private session(computation: Computation): Promise<Session> {
    const key = keyOf(computation);
    const known = this.sessions.get(key) ?? this.load(computation);
    this.sessions.set(key, known);
    return known;
  }

  private async load(computation: Computation): Promise<Session> {
    const target = await this.engine.target();
    if ('pairedClips' in computation && computation.pairedClips) await this.release({ ...computation, pairedClips: false });
    const model = lower(this.graph(computation), target);
    return this.engine.load(model, `${this.config.name}, ${keyOf(computation)}`, 'training');
  }

  private graph(computation: Computation): Graph<StateName> {
    const { config, options, extra } = this;
    switch (computation.kind) {
      case 'step':
        return trainingStep(config, { ...options, pairedClips: computation.pairedClips });
      case 'microStep':
        return gradientMicroStep(config, { ...options, pairedClips: computation.pairedClips });
      case 'statistics':
        return statisticsGraph(config, options.clips, computation.pairedClips, computation.weights, extra);
      case 'teaching':
        return teachingGraph(config, computation.clips, computation.weights, options.frozenStatistics, extra);
      case 'evaluation':
        return { outputs: { logits: evaluationGraph(config, computation.clips, { parameters: computation.weights, extra }) } };
    }
  }

  /** Ends a session that is not needed any more, if there is one. */
  private async release(computation: Computation): Promise<void> {
    const key = keyOf(computation);
    const session = await this.sessions.get(key);
    this.sessions.delete(key);
    await session?.release();
  }

  private tensor(data: Float32Array, shape: readonly number[]): TensorValue {
    if (data.length !== sizeOf(shape))
      throw new RangeError(`expected ${sizeOf(shape)} values for [${shape}], got ${data.length}`);
    return { data, shape };
  }
}

/** The first vector itself where the second is empty. */
function joinedValues(first: Float32Array, second: Float32Array): Float32Array {
  return second.length === 0 ? first : joined([first, second]);
}
