import { basename } from 'node:path';
import { sidedLabels } from '../../clip/augment.js';
import type { ClipShape } from '../../clip/clipShape.js';
import { makePreprocess, type Preprocess } from '../../clip/preprocess.js';
import type { LabelledVideos } from '../../dataset/labelledVideos.js';
import { ConfigError } from '../../errors.js';
import { readOnnxGraph } from '../../graph/onnxGraph.js';
import { OnnxFeatures } from '../../inference/onnxFeatures.js';
import { describeInput, OnnxNetwork } from '../../inference/onnxNetwork.js';
import { featuresValue, onnxCost } from '../../inference/onnxOutline.js';
import { normalisationOf, statedFacts } from '../../inference/onnxPixels.js';
import { type OnnxEncoderConfig, onnxEncoderConfig } from '../../models/onnxEncoder.js';
import type { GraphRuntime } from '../../platform/graphRuntime.js';
import { joined } from '../../runtime/joined.js';
import { readModelBytes } from '../../weights/onnxFile.js';
import type { TrainJob } from '../job.js';
import type { FeatureSource } from './featureSource.js';

/** Clips a run; most networks of other origin are large. */
const batch = 4;

/** Any ONNX network as the frozen encoder of a linear probe. */
export interface OnnxEncoder {
  readonly path: string;
  readonly config: OnnxEncoderConfig;
  readonly preprocess: Preprocess;
  readonly model: Uint8Array;
  readonly source: FeatureSource;
}

type Job = Pick<TrainJob, 'preprocess' | 'pixels' | 'features' | 'onEvent'>;

/**
 * Reads a model and says how its input and output are understood. WeightsError where they are not, ConfigError for an option that
 * does not fit it.
 */
export async function openOnnxEncoder(path: string, job: Job, data: LabelledVideos, engine: GraphRuntime): Promise<OnnxEncoder> {
  if (data.labels.length < 2) throw new ConfigError(`${data.root}: ${data.labels.length} class; a readout needs at least two`);
  const model = await readModelBytes(path);
  const { preprocess: asked = {}, onEvent = () => {} } = job;
  const network = await OnnxNetwork.load(engine, model.slice(), asked, path);
  const { form } = network;
  refuseOtherSizes(form, asked, path);
  const { output, reason } = featuresValue(readOnnxGraph(model), network.facts, job.features, path);
  const { normalisation, notes } = normalisationOf(statedFacts(model, path), job.pixels);
  const { frames, height, width } = form;
  const features = await OnnxFeatures.load(engine, model, { where: path, output, frames, height, width });
  const cost = await onnxCost(engine, model, form, network.inputShape(1));
  await network.release();
  const message = `${path}: ${describeInput(form)}; its features are "${output}" (${reason}), ${features.width} a clip`;
  for (const each of [message, ...notes]) onEvent({ kind: 'note', message: each });
  const sided = sidedLabels(data.labels).length > 0 && { flip: false };
  const classes = data.labels.length;
  return {
    path,
    model,
    config: onnxEncoderConfig({
      ...{ name: basename(path), frames, height, width, classes, output, features: features.width, ...cost },
    }),
    preprocess: makePreprocess({ resize: 'stretch', ...normalisation, ...sided, ...asked, frames, height, width }),
    source: { batch, widths: features.widths, of: async (clips) => joined(await features.rows(clips)) },
  };
}

function refuseOtherSizes(form: ClipShape, asked: Partial<ClipShape>, path: string): void {
  for (const key of ['frames', 'height', 'width'] as const) {
    const wanted = asked[key];
    if (wanted !== undefined && wanted !== form[key])
      throw new ConfigError(`${path}: its graph is for ${key} ${form[key]} only, got ${wanted}; leave that out`);
  }
}
