// The page's side of training in a worker: looks like the run that `fit` gives. The worker's side is serve.ts.

import { fail } from "@nn/tensor";
import { checkWhole } from "../check.js";
import type { History } from "../fit/events.js";
import { type Settled, settled } from "../fit/gate.js";
import { type Command, errorOf, listen, type Report, type TrainerWorker, type WorkerEvent } from "./messages.js";

/** See {@link trainIn}. */
export interface TrainInOptions {
  /** Ends training with an error, the signal's reason: the worker is terminated at once. */
  readonly signal?: AbortSignal;
  /** How many workers that die are replaced (default 0: the first death is the run's error). */
  readonly respawn?: number;
  /**
   * After how many milliseconds of silence a worker counts as dead (default 300,000; `Infinity`: never). It is asked
   * whether it lives, and answers between two steps, paused ones too: allow for the longest step, and for the tracing of the first.
   */
  readonly timeout?: number;
}

/** So often within the timeout a worker is asked. By the page's own timer: while a computer sleeps, nothing counts. */
const PINGS = 4;

/**
 * Trains in a worker, which leaves the thread of the page to the page. The worker's file calls {@link serveTrainer}. It begins at once, does not wait
 * for anybody who takes its events, and is terminated at the end.
 *
 * A worker that dies (an error that nobody caught, a script that cannot be loaded, in Node a thread that ends or runs out of memory), that is silent for
 * longer than `timeout` (it hangs), or in which anything but an {@link NNError} is thrown, is replaced as often as `respawn` says. The new one gets the same options; if its function loads a
 * checkpoint, it goes on from there, and ends with the same bits. An NNError is a mistake, and would come again.
 *
 * @param start gives a new worker, e.g. `() => new Worker(new URL("./trainer.js", import.meta.url), { type: "module" })`
 * @param options what the worker's function gets, copied by structured cloning
 * @throws on the way: what is thrown in the worker, with its text and an NNError's fields; the reason of an aborted `signal`
 * @example
 * ```ts
 * const run = trainIn(() => new Worker(new URL("./trainer.js", import.meta.url), { type: "module" }), { epochs: 10 });
 * pauseButton.onclick = () => (run.paused ? run.resume() : run.pause());
 * for await (const event of run) if (event.type === "step") bar.value = event.step;
 * const history = await run;
 * model.loadStateDict(loadSafetensors(await run.weights()));
 * ```
 */
export function trainIn(start: () => TrainerWorker, options: unknown = {}, how: TrainInOptions = {}): TrainingInWorker {
  return new TrainingInWorker(start, options, how);
}

/** Training in a worker: see {@link trainIn}. */
export class TrainingInWorker implements AsyncIterable<WorkerEvent>, PromiseLike<History> {
  readonly #start: () => TrainerWorker;
  readonly #options: unknown;
  readonly #signal: AbortSignal | undefined;
  readonly #respawn: number;
  readonly #outcome = settled<History>();
  readonly #listeners = new Set<Listener>();
  #worker: TrainerWorker | null = null; // null when all is over
  #ready = false;
  #early: Command[] = []; // told before the worker was ready
  #crashes = 0;
  #paused = false;
  #stopped: string | null = null;
  #asked: Settled<Uint8Array>[] = [];
  #weights: Uint8Array | null = null;
  #unanswered = 0;
  #pulse: ReturnType<typeof setInterval> | undefined;

  /** @internal Use {@link trainIn}. */
  constructor(
    start: () => TrainerWorker,
    options: unknown,
    { signal, respawn = 0, timeout = 300_000 }: TrainInOptions,
  ) {
    if (typeof start !== "function") {
      fail({
        op: "trainIn",
        expected: "a function that gives a new worker",
        got: typeof start,
        hint: 'E.g. () => new Worker(new URL("./trainer.js", import.meta.url), { type: "module" }).',
      });
    }
    this.#start = start;
    this.#options = options;
    this.#signal = signal;
    this.#respawn = checkWhole("trainIn", "respawn", respawn, 0);
    if (!(timeout > 0)) fail({ op: "trainIn", expected: "timeout in milliseconds, > 0", got: `${timeout}` });
    if (signal?.aborted) {
      this.#outcome.reject(signal.reason);
    } else {
      this.#begin();
      if (timeout < Infinity) this.#pulse = setInterval(() => this.#ask(timeout), timeout / PINGS);
      signal?.addEventListener("abort", this.#abort);
    }
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Holds training before the next step. */
  pause(): void {
    this.#paused = true;
    this.#send({ type: "pause" });
  }

  /** Goes on after {@link pause}. */
  resume(): void {
    this.#paused = false;
    this.#send({ type: "resume" });
  }

  /** Does one step, or several, and holds then. */
  step(count = 1): void {
    checkWhole("trainIn", "the number of steps", count);
    this.#paused = true;
    this.#send({ type: "step", count });
  }

  /** Ends training after the step at hand, and without an error. */
  stop(reason = "stop() was called"): void {
    this.#stopped ??= reason;
    this.#paused = false;
    this.#send({ type: "stop", reason });
  }

  /** The model's state as it is now, or was at the end: a safetensors file, for `loadSafetensors` of @nn/io. */
  weights(): Promise<Uint8Array> {
    if (!this.#worker) return this.#outcome.promise.then(() => this.#weights!);
    const asked = settled<Uint8Array>();
    this.#asked.push(asked);
    this.#send({ type: "weights" });
    return asked.promise;
  }

  /** What happens from now on. Leaving the loop stops training. */
  async *[Symbol.asyncIterator](): AsyncGenerator<WorkerEvent, void, undefined> {
    const mine: Listener = { events: [], news: settled() };
    this.#listeners.add(mine);
    try {
      while (this.#worker || mine.events.length > 0) {
        if (mine.events.length === 0) await mine.news.promise;
        mine.news = settled();
        for (const event of mine.events.splice(0)) yield event;
      }
      await this.#outcome.promise; // its error, if it ended with one
    } finally {
      this.#listeners.delete(mine);
      if (this.#worker) this.stop("the loop over its events was left");
    }
  }

  // biome-ignore lint/suspicious/noThenProperty: a run is awaited for its history
  then<A = History, B = never>(
    fulfilled?: ((history: History) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#outcome.promise.then(fulfilled, rejected);
  }

  #begin(): void {
    const worker = this.#start();
    this.#worker = worker;
    this.#unanswered = 0;
    listen(
      worker,
      "trainer",
      (report: Report) => worker === this.#worker && this.#told(report),
      (reason) => worker === this.#worker && this.#died(new Error(`trainIn: the worker died: ${reason}`)),
    );
  }

  #send(command: Command): void {
    if (this.#ready) this.#worker?.postMessage({ trainer: command });
    else this.#early.push(command);
  }

  #ask(timeout: number): void {
    if (this.#unanswered++ === PINGS)
      this.#died(new Error(`trainIn: the worker hangs: it was silent for ${timeout} ms`));
    else if (this.#ready) this.#send({ type: "ping" });
  }

  #told(report: Report): void {
    this.#unanswered = 0;
    switch (report.type) {
      case "alive":
        break;
      case "ready":
        this.#ready = true;
        this.#send({ type: "start", options: this.#options, crashes: this.#crashes });
        for (const command of this.#early.splice(0)) this.#send(command);
        break;
      case "event":
        this.#emit(report.event);
        break;
      case "weights":
        this.#asked.shift()?.resolve(report.bytes);
        break;
      case "end":
        this.#weights = report.weights;
        for (const asked of this.#asked) asked.resolve(report.weights);
        this.#outcome.resolve(report.history);
        this.#end();
        break;
      case "error":
        if (report.error.failure) this.#fail(errorOf(report.error));
        else this.#died(errorOf(report.error));
        break;
      default:
        report satisfies never;
    }
  }

  #died(reason: Error): void {
    if (this.#crashes === this.#respawn) {
      this.#fail(reason);
      return;
    }
    this.#worker?.terminate(); // in a browser, an error that nobody caught does not end it
    this.#crashes++;
    this.#ready = false;
    this.#early = [];
    if (this.#paused) this.#early.push({ type: "pause" });
    if (this.#stopped !== null) this.#early.push({ type: "stop", reason: this.#stopped });
    for (const _ of this.#asked) this.#early.push({ type: "weights" });
    this.#emit({ type: "crash", count: this.#crashes, reason: reason.message });
    try {
      this.#begin();
    } catch (error) {
      this.#fail(error);
    }
  }

  #emit(event: WorkerEvent): void {
    for (const listener of this.#listeners) {
      listener.events.push(event);
      listener.news.resolve();
    }
  }

  readonly #abort = (): void => this.#fail(this.#signal!.reason);

  #fail(reason: unknown): void {
    for (const asked of this.#asked) asked.reject(reason);
    this.#outcome.reject(reason);
    this.#end();
  }

  #end(): void {
    clearInterval(this.#pulse);
    this.#worker?.terminate();
    this.#worker = null;
    this.#asked = [];
    this.#signal?.removeEventListener("abort", this.#abort);
    for (const { news } of this.#listeners) news.resolve();
  }
}

interface Listener {
  readonly events: WorkerEvent[];
  news: Settled<void>;
}
