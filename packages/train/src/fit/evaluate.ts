// evaluate and predict: a model on data, without training.

import { type CompileOptions, cat, compile, fail, type Module, scope, type Tensor } from "@nn/tensor";
import { type Data, type Loader, loaderOf } from "../data/loader.js";
import { type Metric, type Values, valuesOf } from "../metrics/metric.js";
import {
  alias,
  type Batch,
  dispose,
  isTensor,
  joinTensors,
  mapTensors,
  sizeOfBatch,
  type Tensors,
  tensorsIn,
} from "../structure.js";
import type { Logs } from "./events.js";
import { type Loss, lossOf } from "./loss.js";
import { rememberModes } from "./modes.js";
import { turns } from "./turns.js";

/** Metrics by the names under which they are told. */
export type Metrics = Readonly<Record<string, Metric>>;

/** Options of {@link evaluate}. */
export interface EvaluateOptions extends CompileOptions {
  readonly data: Data;
  /** As in `fit`. Default: none, and no `loss` in the result. */
  readonly loss?: Loss;
  readonly metrics?: Metrics;
  /** Whether the model is compiled (default true). */
  readonly compile?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Loss and metrics of a model on data, in evaluation mode; the modes of its modules are put back. The loss is the mean over the samples:
 * batches count by their size.
 *
 * @throws what `signal` was aborted with
 * @example
 * ```ts
 * const { loss, accuracy } = await evaluate(model, { data: test, loss: crossEntropy, metrics: { accuracy: new Accuracy() } });
 * ```
 */
export async function evaluate(model: Module, options: EvaluateOptions): Promise<Logs> {
  const evaluator = makeEvaluator(model, options);
  try {
    return await evaluator.run(loaderOf("evaluate", options.data), options.signal);
  } finally {
    evaluator.dispose();
  }
}

/** Options of {@link predict}. */
export interface PredictOptions extends CompileOptions {
  /** Samples at a time, if the data is a tensor (default 32). */
  readonly batchSize?: number;
  /** Whether the model is compiled (default true). */
  readonly compile?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * The outputs of a model for all samples, in evaluation mode, one after the other along the first axis. Targets in the data are
 * passed over.
 *
 * @param data a tensor x (N, …), or what `fit` takes
 * @returns (N, …), or a structure of such, as the model's output
 * @example
 * ```ts
 * const classes = (await predict(model, images)).argmax(1);
 * ```
 */
export async function predict<T extends Tensors = Tensor>(
  model: Module,
  data: Tensor | Data,
  options: PredictOptions = {},
): Promise<T> {
  const { batchSize = 32, signal } = options;
  const source = isTensor(data) ? slices(data, batchSize) : loaderOf("predict", data).epoch(0);
  const parts: Tensors[] = [];
  const forward = (x: Tensors) => scope(() => model.forward(x as never) as Tensors);
  const run = options.compile === false ? forward : compile(forward, options);
  const restore = rememberModes(model);
  const turn = turns();
  try {
    for await (const batch of source) {
      signal?.throwIfAborted();
      model.eval();
      parts.push(run(batch[0]));
      restore();
      dispose(batch);
      await turn();
    }
    if (parts.length === 0) fail({ op: "predict", expected: "at least one sample", got: "none" });
    return joinTensors(parts, (list) => (list.length === 1 ? alias(list[0]) : cat(list))) as T;
  } finally {
    restore();
    for (const part of parts) dispose(part);
    if ("dispose" in run) (run as { dispose(): void }).dispose();
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** @internal A model with loss and metrics, ready to run on data again and again. */
export interface Evaluator {
  run(loader: Loader, signal?: AbortSignal): Promise<Logs>;
  dispose(): void;
}

export function makeEvaluator(model: Module, options: Omit<EvaluateOptions, "data">): Evaluator {
  const { loss, metrics = {}, compile: compiled = true } = options;
  const forward = (...batch: Batch) =>
    scope(() => {
      const output = model.forward(batch[0] as never) as Tensors;
      return { output, loss: loss ? lossOf("evaluate", loss, output, batch, {}) : null };
    });
  const step = compiled ? compile(forward, options) : forward;
  return {
    async run(loader, signal) {
      for (const metric of Object.values(metrics)) metric.reset();
      const restore = rememberModes(model);
      const turn = turns();
      let [sum, samples] = [0, 0];
      try {
        for await (const batch of loader.epoch(0)) {
          signal?.throwIfAborted();
          model.eval();
          const result = step(...batch);
          restore(); // others may look at the model while we wait
          const n = sizeOfBatch(batch);
          samples += n;
          if (result.loss) sum += n * (await result.loss.item());
          await updateMetrics(metrics, result.output, batch[1]);
          dispose(result.output);
          result.loss?.dispose();
          dispose(batch);
          await turn();
        }
      } finally {
        restore();
      }
      if (samples === 0) fail({ op: "evaluate", expected: "at least one sample", got: "none" });
      return { ...(loss ? { loss: sum / samples } : {}), ...resultsOf(metrics) };
    },
    dispose() {
      if ("dispose" in step) (step as { dispose(): void }).dispose();
    },
  };
}

/** Shows all metrics a batch, which is read once. */
export async function updateMetrics(metrics: Metrics, output: Tensors, target: Tensors | undefined): Promise<void> {
  const list = Object.values(metrics);
  if (list.length === 0) return;
  if (target === undefined) {
    fail({ op: "metrics", expected: "batches [x, y]", got: "batches [x] without a target" });
  }
  const [seen, wanted] = [await readAll(output), await readAll(target)];
  for (const metric of list) await metric.update(seen, wanted);
}

export function resultsOf(metrics: Metrics): Logs {
  return Object.fromEntries(Object.entries(metrics).map(([name, metric]) => [name, metric.result()]));
}

async function readAll(value: Tensors): Promise<unknown> {
  const read = new Map<Tensor, Values>();
  for (const t of tensorsIn(value)) read.set(t, await valuesOf(t));
  return mapTensors(value, (t) => read.get(t));
}

/** A tensor as batches of its rows. */
async function* slices(x: Tensor, batchSize: number): AsyncIterable<Batch> {
  for (let i = 0; i < x.shape[0]; i += batchSize) yield [x.slice([[i, Math.min(i + batchSize, x.shape[0])]])];
}
