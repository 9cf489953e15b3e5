/** The library in a browser tab: networks, recognition and training with onnxruntime-web. Nothing here needs Node. */
export { asTensor, type ClipTensor, clipsFrom, emptyClips } from '../clip/clipTensor.js';
export { type ClipView, testViews } from '../clip/clipView.js';
export { makePreprocess, type Preprocess } from '../clip/preprocess.js';
export { type FrameStack, sampleClips } from '../clip/sampleClips.js';
export { ConfigError, LimitError, ShapeError, VideoError, VmfError, WeightsError } from '../errors.js';
export { Inference } from '../inference/inference.js';
export type {
  ClipResult,
  FramesResult,
  Prediction,
  RecogniseOptions,
  Recogniser,
  Result,
  ResultOptions,
  Unreadable,
} from '../inference/recogniser.js';
export type { TimelineOptions, VideoTimeline } from '../inference/slidingWindow.js';
export { softmax, topK } from '../metrics/softmax.js';
export type { NetworkConfig } from '../models/config.js';
export { type NetworkCost, networkCost } from '../models/cost.js';
export { type FlatWeights, inventoryOf } from '../models/network.js';
export { pretrainedFor } from '../models/pretrained.js';
export { type PretrainedWeights, pretrainedWeights } from '../models/pretrainedCatalogue.js';
export { networkConfig, networkNames, parseNetworkConfig } from '../models/registry.js';
export { initialValues } from '../models/variables.js';
export type { FileStore, StoredFile } from '../platform/fileStore.js';
export type { GraphRuntime, RuntimeOptions, Session, TensorValue } from '../platform/graphRuntime.js';
export type { Platform } from '../platform/platform.js';
export { Rng } from '../rng.js';
export { MetricsLog } from '../train/runFolder/metricsLog.js';
export { defaultStep, type StepOptions, smoothedTargets } from '../train/step.js';
export { type StepInput, type StepResult, TrainingSession, type TrainingWeights } from '../train/trainingSession.js';
export { type Checkpoint, checkpointFile, parseCheckpoint } from '../weights/checkpoint.js';
export { loadCheckpoint, saveCheckpoint } from '../weights/checkpointStore.js';
export { parseSafetensors, serializeSafetensors } from '../weights/safetensors.js';
export { WebClipReader, type WebReaderOptions } from './clipReader.js';
export { databaseStore } from './databaseStore.js';
export { openWebRuntime, type WebRuntimeOptions } from './graphRuntime.js';
export { memoryStore } from './memoryStore.js';
export { webPlatform } from './platform.js';
export { fromPretrained, type PretrainedSource, readPretrained } from './pretrained.js';
export { openRecogniser, type RecogniserOptions } from './recogniser.js';
export type { VideoSource } from './videoSource.js';
