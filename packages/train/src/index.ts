// @nn/train: from data to a trained model that survives. What is exported here is public; it runs in browsers and in Node.

export type { Callback, CallbackLike, CallbackState } from "./callbacks/callback.js";
export { EarlyStopping, type EarlyStoppingOptions } from "./callbacks/early-stopping.js";
export { csvLines, jsonLines, type LogOptions, type Write } from "./callbacks/logs.js";
export type { Monitor } from "./callbacks/monitor.js";
export { type SaveBestOptions, type SaveLastOptions, saveBest, saveLast } from "./callbacks/save.js";
export { stopOnNaN } from "./callbacks/stop-on-nan.js";
export { type Checkpoint, loadCheckpoint, modelState, type Progress, saveCheckpoint } from "./checkpoint/checkpoint.js";
export { indexedDBStore } from "./checkpoint/indexed-db.js";
export { type FolderHandle, opfsStore } from "./checkpoint/opfs.js";
export { memoryStore, type Store } from "./checkpoint/store.js";
export {
  type Augmentation,
  augment,
  cutout,
  type MixupOptions,
  mixup,
  noise,
  randomCrop,
  randomFlip,
  randomRotation,
  randomShift,
} from "./data/augment.js";
export {
  type CollateOptions,
  type Column,
  type ColumnLike,
  type Columns,
  collate,
  concat,
  type Dataset,
  type DTypes,
  dataset,
  mapped,
  type SamplePart,
  samples,
  subset,
} from "./data/dataset.js";
export { batches, type Data, type Loader, type LoaderOptions, loader, type MapContext } from "./data/loader.js";
export { type RowRange, type Rows, Scaler } from "./data/scaler.js";
export {
  type BucketOptions,
  buckets,
  type Padded,
  padded,
  type SequencesOptions,
  sequences,
} from "./data/sequences.js";
export { type SplitOptions, split, splitIndices } from "./data/split.js";
export { type Sample, type StreamOptions, stream } from "./data/stream.js";
export { byteVocabulary, type TokenUnit, tokenize, Vocabulary, type VocabularyOptions } from "./data/vocabulary.js";
export { type Forecasting, type ForecastingOptions, forecasting, type WindowOptions, windows } from "./data/windows.js";
export { type EvaluateOptions, evaluate, type Metrics, type PredictOptions, predict } from "./fit/evaluate.js";
export type { EpochEvent, History, Logs, StepEvent, TrainEvent } from "./fit/events.js";
export { fit, Training } from "./fit/fit.js";
export type { Loss, Weighting } from "./fit/loss.js";
export type { FitOptions } from "./fit/options.js";
export type { MakeSchedule, RunLength, Schedule, Scheduling } from "./fit/schedule.js";
export type { Clip } from "./fit/step.js";
export { giveWay } from "./fit/turns.js";
export { AUC } from "./metrics/auc.js";
export type { ClassOptions } from "./metrics/classes.js";
export {
  Accuracy,
  type AverageOptions,
  ConfusionMatrix,
  type ConfusionOptions,
  F1,
  MeanIoU,
  Precision,
  Recall,
  TopKAccuracy,
} from "./metrics/classification.js";
export {
  type Metric,
  type MetricInput,
  type MetricValue,
  type Nested,
  StreamingMetric,
  type Values,
} from "./metrics/metric.js";
export { Perplexity } from "./metrics/perplexity.js";
export { MAE, MAPE, MSE, R2, RMSE } from "./metrics/regression.js";
export { BLEU, CharacterErrorRate, editDistance, type Sequence, WordErrorRate } from "./metrics/text.js";
export { derivedSeed, randomStream, shuffle } from "./random.js";
export { type FileBytes, gunzip } from "./readers/bytes.js";
export { type Cifar, readCifar } from "./readers/cifar.js";
export { fft, ifft, irfft, rfft } from "./readers/fourier.js";
export { type Idx, readIdx } from "./readers/idx.js";
export {
  decodeImage,
  type ImageFile,
  type ImageFilesOptions,
  type ImageFolder,
  type ImageOptions,
  imageFiles,
  type Pixels,
} from "./readers/images.js";
export { logMel, type MelOptions, melSpectrogram, mfcc } from "./readers/mel.js";
export {
  type Frames,
  hammingWindow,
  hannWindow,
  type IstftOptions,
  istft,
  type SpectrogramOptions,
  type Stft,
  type StftOptions,
  spectrogram,
  stft,
} from "./readers/stft.js";
export { readWav, type Wav, type WriteWavOptions, writeWav } from "./readers/wav.js";
export type { Batch, Tensors } from "./structure.js";
export type { CrashEvent, TrainerWorker, WorkerEvent } from "./worker/messages.js";
export { type PoolWorker, serveJobs, type WorkerPool, workerPool } from "./worker/pool.js";
export { serveTrainer, type TrainerPlan } from "./worker/serve.js";
export { type TrainInOptions, TrainingInWorker, trainIn } from "./worker/train-in.js";
