/**
 * The library: train on a folder of labelled videos, test, recognise, and the networks as data. Only what is exported here is
 * stable.
 */

export type { AnnotatedFilm, Annotations, Moment } from './annotations/annotations.js';
export type { AnnotationFormat, Loss } from './annotations/format.js';
export { annotationFormats } from './annotations/formats.js';
export { makePreprocess, type Preprocess } from './clip/preprocess.js';
export { type AnnotationChoices, readAnnotations } from './dataset/annotationFiles.js';
export { checkDataset, type DatasetReport } from './dataset/check.js';
export { type Conversion, type ConvertOptions, planConversion } from './dataset/convert.js';
export { annotatedVideos, type DatasetOptions, readDataset } from './dataset/dataset.js';
export { type LabelledVideo, type LabelledVideos, type Split, videosOf } from './dataset/labelledVideos.js';
export type { RowFilter } from './dataset/rowFilter.js';
export type { FileSource, VideoPart } from './dataset/videoPart.js';
export { ConfigError, DatasetError, LimitError, VideoError, VmfError, WeightsError } from './errors.js';
export { type DatasetExplanation, type ExplainDatasetOptions, explainDataset } from './explain/explainDataset.js';
export { type ExplainVideoOptions, explainVideo, type VideoExplanation } from './explain/explainVideo.js';
export { type ExportOptions, type ExportSummary, exportOnnx, exportSafetensors } from './export/exportWeights.js';
export { type Calibrated, type CalibrateOptions, calibrateCheckpoint } from './inference/calibrateTemperature.js';
export {
  type EvaluatedVideo,
  type EvaluateOptions,
  type Evaluation,
  evaluateDataset,
  type TestVideo,
} from './inference/evaluate.js';
export { fromPretrained, loadRecogniser, openRecogniser, type RecogniserOptions } from './inference/fileRecogniser.js';
export type {
  ClipResult,
  ClipViews,
  Prediction,
  RecogniseOptions,
  Recogniser,
  Result,
  ResultOptions,
  Unreadable,
  ViewOptions,
} from './inference/recogniser.js';
export type { TimelineOptions, VideoTimeline } from './inference/slidingWindow.js';
export { type CalibrationReport, calibrationReport } from './metrics/calibration.js';
export type { ClassMetrics, Metrics } from './metrics/metrics.js';
export { type SegmentMetrics, segmentMetrics } from './metrics/segments/segmentMetrics.js';
export type { FilmSegments, LabelledSegment, ScoredSegment } from './metrics/segments/segments.js';
export type { Segment } from './metrics/timeline.js';
export type { NetworkConfig } from './models/config.js';
export { type LayerCost, type NetworkCost, networkCost } from './models/cost.js';
export type { TemporalPlan } from './models/model.js';
export { pretrainedFor } from './models/pretrained.js';
export { type PretrainedWeights, pretrainedWeights } from './models/pretrainedCatalogue.js';
export { type Chosen, networkConfig, networkNames, parseNetworkConfig } from './models/registry.js';
export type { BlockConfig } from './models/videoMobileFormerConfig.js';
export {
  type QuantizeOptions,
  type QuantizeSummary,
  quantizeWeights,
} from './quantize/quantizeWeights.js';
export { openStream, type StreamOptions, type StreamResult, type StreamSummary } from './stream/openStream.js';
export {
  type FrameScores,
  loadStreamRecogniser,
  type StreamRecogniser,
  type StreamRecogniserOptions,
} from './stream/streamRecogniser.js';
export type { ThroughputReport } from './stream/throughputMonitor.js';
export { type ActionClass, actionClasses, reversedPairs } from './synth/actions.js';
export { type FilmsResult, type GenerateFilmsOptions, generateFilms } from './synth/films/generateFilms.js';
export { type GenerateOptions, type GenerateResult, generateActions } from './synth/generate.js';
export { type FoldEvent, type FoldsOptions, type FoldsOutcome, trainFolds } from './train/folds/folds.js';
export type { FoldsSummary } from './train/folds/foldsSummary.js';
export {
  type LinearProbeSummary,
  trainLinearProbe,
} from './train/linearProbe/linearProbe.js';
export type { TrainChoices } from './train/recipe/options.js';
export { type TrainJob, type TrainJobEvent, type TrainSummary, train } from './train/train.js';
export type { RgbFrame } from './video/ppmSplitter.js';
export type { DecoderChoice, VideoInfo, VideoLimits } from './video/types.js';
export type { Calibration } from './weights/calibration.js';
