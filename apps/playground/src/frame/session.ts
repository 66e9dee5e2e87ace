// The runs of a page, one or several side by side: they take turns, so that each has the machine to itself while it works. Pause,
// step and reset are those of all.

import type { WorkerEvent } from "@nn/train";
import type { BackendKind, Hello, LaneOptions } from "../worker/protocol.js";
import { Lane } from "./lane.js";
import { reason } from "./reason.js";

export type State = "loading" | "paused" | "training" | "failed";

export interface SessionOptions {
  /** Name of the page's database. */
  readonly database: string;
  /** The runs by name, and what starts the worker of each. */
  readonly lanes: () => Readonly<Record<string, () => Worker>>;
  readonly settings: () => unknown;
  readonly backend: () => { readonly backend: BackendKind; readonly threads: number };
  /** After how many steps it pauses by itself. */
  readonly goal: () => number;
  onState(state: State, message: string): void;
  onReady(lane: Lane, hello: Hello): void;
  onEvent(event: WorkerEvent, lane: Lane): void;
  /** What is wrong with keeping checkpoints; "" when nothing is any more. Training goes on. */
  onWarning(warning: string): void;
}

/** How long a turn takes, in seconds. */
const TURN = 0.12;

export class Session {
  state: State = "loading";
  lanes: readonly Lane[] = [];
  readonly #options: SessionOptions;
  #wanted = false; // whether it is to train
  #loop: Promise<void> | null = null;
  #generation = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Starts the workers: anew, or where the last checkpoint was. */
  async open(fresh = false): Promise<void> {
    const { database, lanes, settings, backend, onReady, onEvent, onWarning } = this.#options;
    const again = this.#wanted;
    this.close();
    const generation = ++this.#generation;
    this.#say("loading", "Getting ready …");
    this.lanes = Object.entries(lanes()).map(([lane, start]) => {
      const options: LaneOptions = { ...backend(), database, lane, fresh, settings: settings() };
      return new Lane(
        start,
        options,
        (event, of) => this.#is(generation) && onEvent(event, of),
        (error) => {
          if (this.#is(generation)) this.#fail(error);
        },
        (warning) => this.#is(generation) && onWarning(warning),
      );
    });
    onWarning("");
    await Promise.all(
      this.lanes.map(async (lane) => {
        const hello = await lane.ready();
        if (hello && this.#is(generation)) onReady(lane, hello);
      }),
    );
    if (!this.#is(generation)) return;
    const resumed = this.lanes.some(({ hello }) => hello?.resumed);
    this.#say("paused", resumed ? `Resumed at step ${this.step}.` : "Ready. Press Train.");
    if (again) void this.train();
  }

  /** Asks the first run; null if there is none that could answer. */
  async ask<T = unknown>(what: string, value?: unknown): Promise<T | null> {
    const [lane] = this.lanes;
    return lane?.hello ? lane.ask<T>(what, value) : null;
  }

  /** Ends all workers. */
  close(): void {
    this.#generation++;
    this.#wanted = false;
    this.#loop = null;
    for (const lane of this.lanes) lane.dispose();
    this.lanes = [];
  }

  /** Updates that all have done. */
  get step(): number {
    return Math.min(...this.lanes.map(({ step }) => step));
  }

  async train(): Promise<void> {
    await this.#idle();
    if (this.state !== "paused") return;
    this.#wanted = true;
    this.#say("training", "Training.");
    this.#loop = this.#work(this.#generation);
  }

  async pause(): Promise<void> {
    this.#wanted = false;
    await this.#loop;
  }

  /** One step of every run. */
  async one(): Promise<void> {
    await this.#idle();
    if (this.state !== "paused") return;
    const generation = this.#generation;
    const work = async () => {
      for (const lane of this.lanes) await lane.advance(1);
      await this.#rest(generation, `Step ${this.step}.`);
      if (this.#is(generation)) this.#loop = null;
    };
    this.#loop = work();
    await this.#loop;
  }

  /** Waits for a step that is being done: what is pressed meanwhile is not lost. */
  async #idle(): Promise<void> {
    while (this.state === "paused" && this.#loop) await this.#loop;
  }

  async #work(generation: number): Promise<void> {
    const from = this.step;
    const end = () => (this.#options.goal() > from ? this.#options.goal() : Number.POSITIVE_INFINITY);
    while (this.#wanted && this.#is(generation) && this.step < end()) {
      const slowest = Math.max(...this.lanes.map(({ secondsPerStep }) => secondsPerStep));
      const turn = slowest > 0 ? Math.min(Math.max(1, Math.round(TURN / slowest)), 500) : 1;
      const next = Math.min(this.step + turn, end());
      for (const lane of this.lanes) {
        if (this.#is(generation) && lane.step < next) await lane.advance(next - lane.step);
      }
    }
    if (!this.#is(generation)) return;
    this.#loop = null;
    const done = this.step >= end();
    this.#wanted = false;
    await this.#rest(
      generation,
      done ? `Done: ${this.step} steps. Press Train to go on.` : `Paused at step ${this.step}.`,
    );
  }

  /** Checkpoints are written while nothing happens. */
  async #rest(generation: number, message: string): Promise<void> {
    await this.save();
    if (this.#is(generation)) this.#say("paused", message);
  }

  /** Writes checkpoints. */
  async save(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.ask("save")));
  }

  #is(generation: number): boolean {
    return generation === this.#generation;
  }

  #fail(error: unknown): void {
    this.close();
    this.#say("failed", reason(error));
  }

  #say(state: State, message: string): void {
    this.state = state;
    this.#options.onState(state, message);
  }
}
