/**
 * Post-training int8 quantization: ranges from the user's clips, sensitive layers left in float. All choices minimise the
 * distance to the float logits.
 */

import { floatModel } from '../export/floatModel.js';
import { storeLinearWeights } from '../export/storedWeights.js';
import type { OnnxModel } from '../graph/onnx.js';
import type { GraphRuntime } from '../platform/graphRuntime.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import { onnxFacts } from '../weights/onnxWeights.js';
import { packageVersion } from '../weights/packageVersion.js';
import { ActivationRanges, type Distance, distance } from './activationRanges.js';
import { int8Model, type StepsByTensor } from './int8Model.js';
import { hasChannels, leastChannels, type QuantizableLayer, quantizableLayers } from './layers.js';
import { type Histogram, type RangeMethod, rangeMethods } from './ranges.js';
import type { RepresentativeClips } from './representativeClips.js';

export interface QuantizeChoices {
  /** Layers go back to float, worst first, until the mean divergence is at most this, in nats; 0.01 by default. */
  readonly maxDivergence?: number;
  /** Layers with fewer input channels stay in float; 128 by default, below which int8 is no faster. */
  readonly minChannels?: number;
  /** Stage, steps done and total. */
  readonly onProgress?: (what: string, done: number, of: number) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface LayerReport {
  readonly name: string;
  readonly inFloat: boolean;
  /** Divergence from quantizing this layer alone, in nats; absent for a layer too narrow to be tried. */
  readonly divergence?: number;
}

export interface QuantizeReport {
  readonly method: RangeMethod;
  /** Distance per range method with all wide enough layers quantized, on the calibration clips. */
  readonly methods: readonly (Distance & { readonly method: RangeMethod })[];
  /** In the order in which the network runs. */
  readonly layers: readonly LayerReport[];
  readonly calibrated: Distance & { readonly clips: number };
  /** On clips that nothing was chosen by; absent when there were none. */
  readonly checked?: Distance & { readonly clips: number };
}

/** A layer's sensitivity costs a session and this many runs. */
const sensitivityClips = 16;

/** The checkpoint as an int8 model of standard ONNX operators, and a report of its quantization. */
export async function quantizeCheckpoint(
  checkpoint: Checkpoint,
  clips: RepresentativeClips,
  engine: GraphRuntime,
  choices: QuantizeChoices = {},
): Promise<{ readonly model: OnnxModel; readonly report: QuantizeReport }> {
  const work = new Quantisation(checkpoint, clips, engine, choices);
  const { method, methods, steps } = await work.ranges();
  const layers = await work.sensitivities(steps);
  const { model, inFloat, reached } = await work.withWorstInFloat(layers, steps);
  const tried = new Map(layers.map(({ layer, divergence }) => [layer, { inFloat: inFloat.has(layer), divergence }]));
  const rows = work.all.map((layer) => ({ name: layer.name, ...(tried.get(layer) ?? { inFloat: true }) }));
  const checked = await work.checked(model);
  const calibrated = { ...reached, clips: clips.calibrate.length };
  const report = { method, methods, layers: rows, calibrated, ...(checked && { checked }) };
  return { model: { ...model, metadata: onnxFacts(checkpoint, { precision: 'int8', version: packageVersion() }) }, report };
}

interface Sensitivity {
  readonly layer: QuantizableLayer;
  readonly divergence: number;
}

class Quantisation {
  private readonly float: OnnxModel;
  /** The float model with the tokens' matrices stored as int8; int8 models start from it. */
  private readonly base: OnnxModel;
  readonly all: readonly QuantizableLayer[];
  private readonly layers: readonly QuantizableLayer[];
  private readonly calibration: ActivationRanges;
  private truth: readonly Float32Array[] = [];

  constructor(
    private readonly checkpoint: Checkpoint,
    private readonly clips: RepresentativeClips,
    private readonly engine: GraphRuntime,
    private readonly choices: QuantizeChoices,
  ) {
    this.float = floatModel(checkpoint);
    this.base = storeLinearWeights(this.float);
    const { minChannels = leastChannels } = choices;
    this.all = quantizableLayers(this.base, checkpoint.config);
    this.layers = this.all.filter((layer) => hasChannels(layer, minChannels));
    this.calibration = new ActivationRanges(engine, checkpoint.config, clips.calibrate, choices.signal);
  }

  private progress(what: string, done: number, of: number): void {
    this.choices.onProgress?.(what, done, of);
  }

  /** The range method with the logits nearest to float, all layers quantized. */
  async ranges() {
    const tensors = this.layers.flatMap(({ input, result }) => [input, result]);
    this.progress('ranges', 0, 1);
    const histograms = await this.calibration.histograms(this.float, tensors);
    this.truth = await this.calibration.logits(this.float);
    const methods: (Distance & { readonly method: RangeMethod })[] = [];
    for (const [i, method] of rangeMethods.entries()) {
      this.progress('ranges', i, rangeMethods.length);
      const answers = await this.calibration.logits(int8Model(this.base, this.layers, stepsBy(histograms, method)));
      methods.push({ method, ...distance(answers, this.truth) });
    }
    const { method } = methods.reduce((a, b) => (b.divergence < a.divergence ? b : a));
    return { method, methods, steps: stepsBy(histograms, method) };
  }

  async sensitivities(steps: StepsByTensor): Promise<Sensitivity[]> {
    const found: Sensitivity[] = [];
    for (const [i, layer] of this.layers.entries()) {
      this.progress('layers', i, this.layers.length);
      const answers = await this.calibration.logits(int8Model(this.float, [layer], steps), sensitivityClips);
      found.push({ layer, divergence: distance(answers, this.truth.slice(0, answers.length)).divergence });
    }
    return found;
  }

  /** Returns layers to float, the most sensitive first, until logits are near enough. */
  async withWorstInFloat(layers: readonly Sensitivity[], steps: StepsByTensor) {
    const { maxDivergence = 0.01 } = this.choices;
    const worstFirst = layers.toSorted((a, b) => b.divergence - a.divergence);
    const inFloat = new Set<QuantizableLayer>();
    for (;;) {
      this.progress('whole', inFloat.size, layers.length);
      const quantised = this.layers.filter((layer) => !inFloat.has(layer));
      const model = int8Model(this.base, quantised, steps);
      const reached = distance(await this.calibration.logits(model), this.truth);
      const next = worstFirst[inFloat.size];
      if (reached.divergence <= maxDivergence || !next) return { model, inFloat, reached };
      inFloat.add(next.layer);
    }
  }

  /** On held-out clips. */
  async checked(model: OnnxModel): Promise<(Distance & { readonly clips: number }) | undefined> {
    const { check } = this.clips;
    if (check.length === 0) return undefined;
    const others = new ActivationRanges(this.engine, this.checkpoint.config, check, this.choices.signal);
    return { ...distance(await others.logits(model), await others.logits(this.float)), clips: check.length };
  }
}

const stepsBy = (histograms: ReadonlyMap<string, Histogram>, method: RangeMethod): StepsByTensor =>
  new Map([...histograms].map(([name, histogram]) => [name, histogram.steps(method)]));
