// fit: the loop of training. It can be watched step by step, paused, stopped, saved and resumed.

import { defaultGenerator, fail, type Module, scope, type Tensor, tensor } from "@nn/tensor";
import { type Callback, callbackOf } from "../callbacks/callback.js";
import { monitored } from "../callbacks/monitor.js";
import { type Checkpoint, modelState, type Progress, prefixed, under } from "../checkpoint/checkpoint.js";
import { type Loader, loaderOf } from "../data/loader.js";
import { type Batch, dispose, sizeOfBatch } from "../structure.js";
import { type Evaluator, type Metrics, makeEvaluator, resultsOf, updateMetrics } from "./evaluate.js";
import { type EpochEvent, type History, type Logs, type StepEvent, type TrainEvent, validationName } from "./events.js";
import { Gate, settled } from "./gate.js";
import { rememberModes } from "./modes.js";
import { checkOptions, type FitOptions } from "./options.js";
import { runLength, type Scheduled, scheduleOf, wantsFigure } from "./schedule.js";
import { findNaN, makeStep, type Step, type StepOptions } from "./step.js";
import { turns } from "./turns.js";

/**
 * Trains a model in place. Await what comes back for the {@link History}, or iterate over it for an event per step and per epoch. Training begins
 * when it is awaited or iterated, and goes on as events are taken: leaving the loop stops it. (An async function that returns a run returns its
 * history, as it awaits it.)
 *
 * A model that is in evaluation mode is switched to training meanwhile; one in training mode is left as it is, so that parts of it may be in
 * evaluation. The last batch of an epoch may be smaller than the others.
 *
 * @throws on the way, what is wrong with options or data, and the reason of an aborted `signal`
 * @example
 * ```ts
 * const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
 * const run = fit(model, { loss: crossEntropy, optimizer, data: loader(train, { shuffle: true }), epochs: 10, validation });
 * for await (const event of run) if (event.type === "epoch") console.log(event.epoch, event.logs);
 * const history = await run;
 * ```
 */
export function fit(model: Module, options: FitOptions): Training {
  return new Training(model, options);
}

/** A run of training: see {@link fit}. */
export class Training implements AsyncIterable<TrainEvent>, PromiseLike<History> {
  readonly model: Module;
  readonly options: FitOptions;
  readonly #loader: Loader;
  readonly #validation: Loader | null;
  readonly #scheduled: Scheduled | null;
  readonly #callbacks: readonly Callback[];
  readonly #metrics: Metrics;
  readonly #outcome = settled<History>();
  readonly #turn = turns();
  readonly #gate = new Gate();
  #started = false;
  #stopped: string | null = null;
  // Where it is.
  #epoch = 0;
  #batch = 0;
  #step = 0;
  #loss = { sum: 0, samples: 0 };
  readonly #history: Logs[] = [];

  /** @internal Use {@link fit}. */
  constructor(model: Module, options: FitOptions) {
    this.model = model;
    this.options = options;
    checkOptions(options);
    this.#loader = loaderOf("fit", options.data);
    this.#validation = options.validation === undefined ? null : loaderOf("fit", options.validation);
    const { optimizer, epochs, accumulate = 1 } = options;
    this.#scheduled = scheduleOf(options, optimizer, runLength(epochs, accumulate, this.#loader));
    const callbacks = (options.callbacks ?? []).map(callbackOf);
    this.#callbacks = callbacks.sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
    this.#metrics = options.metrics ?? {};
  }

  /** What has been done so far. */
  get history(): History {
    return { epochs: [...this.#history], steps: this.#step, stopped: this.#stopped };
  }

  get paused(): boolean {
    return this.#gate.closed;
  }

  /** Holds training before the next step. */
  pause(): void {
    this.#gate.close();
  }

  /** Goes on after {@link pause}. */
  resume(): void {
    this.#gate.open();
  }

  /** Does one step, or several, and holds then. */
  step(count = 1): void {
    this.#gate.allow(count);
  }

  /** Ends training after the step at hand, and without an error; the epoch at hand gets no figures. A checkpoint can be resumed all the same. */
  stop(reason = "stop() was called"): void {
    this.#stopped ??= reason;
    this.resume();
  }

  /**
   * All that the run is, to be saved with `saveCheckpoint` and resumed. To be asked for in callbacks or between events. The tensors in it are
   * the caller's.
   */
  checkpoint(): Checkpoint {
    const { optimizer, scaler } = this.options;
    const kept = this.#callbacks.map((c) => c.save?.() ?? {});
    const progress: Progress = {
      epoch: this.#epoch,
      batch: this.#batch,
      step: this.#step,
      loss: { ...this.#loss },
      history: [...this.#history],
      lrs: optimizer.groups.map((g) => g.lr),
      schedule: this.#scheduled?.schedule.stateDict() ?? null,
      metrics: Object.fromEntries(Object.entries(this.#metrics).map(([name, m]) => [name, m.stateDict()])),
      callbacks: kept.map(({ json }) => json ?? null),
      data: this.#loader.signature,
    };
    const tensors: Record<string, Tensor> = {
      ...prefixed("model.", this.model.stateDict()),
      ...prefixed("optimizer.", optimizer.stateDict()),
      ...prefixed("scaler.", scaler?.stateDict() ?? {}),
      random: defaultGenerator().state.value,
    };
    for (const [i, { tensors: own }] of kept.entries()) Object.assign(tensors, prefixed(`callbacks.${i}.`, own ?? {}));
    return { tensors, progress };
  }

  [Symbol.asyncIterator](): AsyncIterator<TrainEvent> {
    if (this.#started) {
      fail({
        op: "fit",
        expected: "to be iterated once, before it is awaited",
        got: "a run that has begun",
        hint: "Call fit again for another run; await the run for its history.",
      });
    }
    this.#started = true;
    return this.#run();
  }

  // biome-ignore lint/suspicious/noThenProperty: a run is awaited for its history
  then<A = History, B = never>(
    fulfilled?: ((history: History) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    if (!this.#started) void this.#drain();
    return this.#outcome.promise.then(fulfilled, rejected);
  }

  async #drain(): Promise<void> {
    try {
      for await (const _ of this);
    } catch {
      // it is the outcome
    }
  }

  async *#run(): AsyncGenerator<TrainEvent, void, undefined> {
    let fault: { reason: unknown } | null = null;
    try {
      yield* this.#work();
    } catch (reason) {
      fault = { reason };
      throw reason;
    } finally {
      if (fault) this.#outcome.reject(fault.reason);
      else this.#outcome.resolve(this.history);
    }
  }

  async *#work(): AsyncGenerator<TrainEvent, void, undefined> {
    const { model, options } = this;
    const { clip, scaler, sampleWeights, maxTraces, resume } = options;
    const restore = rememberModes(model);
    const classWeights = options.classWeights && tensor([...options.classWeights]);
    const how: StepOptions = {
      model,
      optimizer: options.optimizer,
      loss: options.loss,
      accumulate: (options.accumulate ?? 1) > 1,
      outputs: Object.keys(this.#metrics).length > 0,
      guard: this.#callbacks.some((c) => c.guard),
      compile: options.compile ?? true,
      ...(clip === undefined ? {} : { clip }),
      ...(scaler ? { scaler } : {}),
      ...(sampleWeights ? { sampleWeights } : {}),
      ...(classWeights ? { classWeights } : {}),
      ...(maxTraces === undefined ? {} : { maxTraces }),
    };
    const step = makeStep(how);
    const evaluator = this.#validation && makeEvaluator(model, options);
    let failed = false;
    try {
      if (!model.training) model.train();
      if (resume) this.#goTo(resume);
      for (const callback of this.#callbacks) await callback.start?.(this);
      while (this.#epoch < options.epochs && this.#stopped === null) yield* this.#runEpoch(step, how, evaluator);
    } catch (reason) {
      failed = true;
      throw reason;
    } finally {
      try {
        if (!failed) await this.#end();
      } finally {
        step.dispose();
        evaluator?.dispose();
        classWeights?.dispose();
        restore();
        for (const callback of this.#callbacks) await callback.close?.();
      }
    }
  }

  async #end(): Promise<void> {
    if (this.#epoch < this.options.epochs) this.#stopped ??= "the loop over its events was left";
    for (const callback of this.#callbacks) await callback.end?.(this);
  }

  async *#runEpoch(
    step: Step,
    how: StepOptions,
    evaluator: Evaluator | null,
  ): AsyncGenerator<TrainEvent, void, undefined> {
    const { epochs, optimizer, accumulate = 1, signal } = this.options;
    const began = performance.now();
    let lr = optimizer.lr;
    let pending = 0;
    let last = 0; // the losses since the last update, each times its samples
    let samples = 0;
    const updated = async (): Promise<StepEvent> => {
      if (accumulate > 1) step.update();
      this.#step++;
      lr = optimizer.lr;
      if (this.#scheduled?.every === "step") this.#scheduled.schedule.step();
      const event: StepEvent = {
        type: "step",
        epoch: this.#epoch + 1,
        epochs,
        batch: this.#batch,
        batches: this.#loader.length,
        step: this.#step,
        loss: last / samples,
        lr,
      };
      pending = last = samples = 0;
      for (const callback of this.#callbacks) await callback.step?.(event, this);
      return event;
    };

    for await (const batch of this.#loader.epoch(this.#epoch, this.#batch)) {
      try {
        await this.#gate.pass(signal);
        signal?.throwIfAborted();
        if (this.#stopped !== null) return;
        const loss = await this.#train(step, how, batch);
        const n = sizeOfBatch(batch);
        last += n * loss;
        samples += n;
      } finally {
        dispose(batch);
      }
      this.#batch++;
      if (++pending === accumulate) yield await updated();
      if (this.#stopped !== null) return;
      await this.#turn();
    }
    if (pending > 0) yield await updated();
    if (this.#stopped !== null) return;
    yield await this.#finishEpoch(evaluator, lr, began);
  }

  /** One batch; its loss. */
  async #train(step: Step, how: StepOptions, batch: Batch): Promise<number> {
    const { loss, output, ok } = step.run(batch);
    try {
      const value = await loss.item();
      if (ok && !(Number.isFinite(value) && (await ok.item()))) this.#explain(how, batch, value);
      if (output) await updateMetrics(this.#metrics, output, batch[1]);
      const n = sizeOfBatch(batch);
      this.#loss.sum += n * value;
      this.#loss.samples += n;
      return value;
    } finally {
      loss.dispose();
      ok?.dispose();
      dispose(output ?? undefined);
    }
  }

  async #finishEpoch(evaluator: Evaluator | null, lr: number, began: number): Promise<EpochEvent> {
    const { epochs, monitor, signal } = this.options;
    if (this.#loss.samples === 0) fail({ op: "fit", expected: "at least one batch in each epoch", got: "none" });
    const logs: Record<string, Logs[string]> = {
      loss: this.#loss.sum / this.#loss.samples,
      ...resultsOf(this.#metrics),
    };
    if (evaluator && this.#validation) {
      for (const [name, value] of Object.entries(await evaluator.run(this.#validation, signal)))
        logs[validationName(name)] = value;
    }
    if (this.#scheduled?.every === "epoch") {
      const { schedule } = this.#scheduled;
      if (wantsFigure(schedule)) schedule.step(monitored("fit", logs, monitor).value);
      else schedule.step();
    }
    this.#history.push(logs);
    this.#epoch++;
    this.#batch = 0;
    this.#loss = { sum: 0, samples: 0 };
    for (const metric of Object.values(this.#metrics)) metric.reset();
    const seconds = (performance.now() - began) / 1000;
    const event: EpochEvent = { type: "epoch", epoch: this.#epoch, epochs, step: this.#step, logs, lr, seconds };
    for (const callback of this.#callbacks) await callback.epoch?.(event, this);
    return event;
  }

  #goTo({ tensors, progress }: Checkpoint): void {
    const { optimizer, scaler } = this.options;
    const schedule = this.#scheduled?.schedule;
    if (progress.data !== this.#loader.signature) {
      fail({
        op: "fit",
        expected: `the data that the checkpoint was made with: ${progress.data}`,
        got: this.#loader.signature,
        hint: "To train on other data, load the checkpoint's modelState into the model, and begin a new run.",
      });
    }
    if (progress.callbacks.length !== this.#callbacks.length) {
      fail({
        op: "fit",
        expected: `${progress.callbacks.length} callbacks, as when the checkpoint was made`,
        got: `${this.#callbacks.length}`,
      });
    }
    if ((progress.schedule === null) !== (schedule === undefined)) {
      const [then, now] = schedule ? ["no schedule", "one"] : ["a schedule", "none"];
      fail({ op: "fit", expected: `${then}, as when the checkpoint was made`, got: now });
    }
    scope(() => {
      this.model.loadStateDict(modelState({ tensors, progress }));
      optimizer.loadStateDict(under("optimizer.", tensors));
      scaler?.loadStateDict(under("scaler.", tensors));
      defaultGenerator().state.value = tensors["random"];
    });
    optimizer.groups.forEach((group, i) => {
      group.lr = progress.lrs[i];
    });
    schedule?.loadStateDict(progress.schedule);
    for (const [name, metric] of Object.entries(this.#metrics)) {
      if (name in progress.metrics) metric.loadStateDict(progress.metrics[name]);
    }
    for (const [i, callback] of this.#callbacks.entries()) {
      callback.load?.({ json: progress.callbacks[i], tensors: under(`callbacks.${i}.`, tensors) });
    }
    this.#epoch = progress.epoch;
    this.#batch = progress.batch;
    this.#step = progress.step;
    this.#loss = { ...progress.loss };
    this.#history.push(...progress.history);
  }

  #explain(how: StepOptions, batch: Batch, loss: number): never {
    const where = `epoch ${this.#epoch + 1}, batch ${this.#batch + 1} (step ${this.#step + 1})`;
    const found = findNaN(how, batch);
    return fail({
      op: found?.module ? `${found.module}: ${found.op}` : (found?.op ?? "fit"),
      expected: `a finite loss and finite gradients in ${where}`,
      got: found ? `${found.got}` : Number.isFinite(loss) ? "an infinite gradient" : `a loss of ${loss}`,
      hint:
        found?.hint ??
        "Nothing is NaN, but something grew beyond 3.4e38: lower the learning rate, or clip the gradients.",
    });
  }
}
