// One training run of a page, in a worker of its own: @nn/train's `trainIn`, and questions besides.

import { type TrainingInWorker, trainIn, type WorkerEvent } from "@nn/train";
import type { Answer, Hello, LaneOptions, Warning } from "../worker/protocol.js";

export class Lane {
  readonly name: string;
  readonly run: TrainingInWorker;
  /** Updates done. */
  step = 0;
  /** Of the last steps. */
  secondsPerStep = 0;
  hello: Hello | null = null;
  #worker: Worker | null = null;
  readonly #end = new AbortController();
  readonly #asked = new Map<number, { resolve(value: any): void; reject(error: Error): void }>();
  #questions = 0;
  #over = false;
  #awaited: { readonly step: number; done(): void } | null = null;

  /**
   * Held at first; see {@link advance}.
   *
   * @param told every event
   * @param failed what ended it, unless that was `dispose`
   * @param warned what is wrong with keeping checkpoints; "" when nothing is any more
   */
  constructor(
    start: () => Worker,
    options: LaneOptions,
    told: (event: WorkerEvent, lane: Lane) => void,
    failed: (error: unknown) => void,
    warned: (warning: string) => void,
  ) {
    this.name = options.lane;
    const begin = () => {
      this.#worker = start();
      this.#worker.addEventListener("message", ({ data }: MessageEvent<Partial<Answer & Warning>>) => {
        if (data.answer) this.#answered(data.answer);
        if (data.warning !== undefined) warned(data.warning);
      });
      return this.#worker;
    };
    this.run = trainIn(begin, options, { signal: this.#end.signal });
    this.run.pause();
    const follow = async () => {
      for await (const event of this.run) {
        if (event.type === "step") this.#stepped(event.step);
        told(event, this);
      }
    };
    follow().catch((error) => {
      this.#awaited?.done();
      this.#over = true;
      for (const { resolve } of this.#asked.values()) resolve(null);
      this.#asked.clear();
      if (!this.#end.signal.aborted) failed(error);
    });
  }

  /** Asks the worker something; it answers between two steps. Null if the run ends before: then somebody else tells why. */
  async ask<T = unknown>(what: string, value?: unknown): Promise<T | null> {
    if (this.#over) return null;
    const id = this.#questions++;
    this.#worker?.postMessage({ ask: { id, what, value } });
    return new Promise<T | null>((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
    });
  }

  /** Waits until all is set up; says where a resumed run is. Null if it ended before. */
  async ready(): Promise<Hello | null> {
    this.hello = await this.ask<Hello>("hello");
    if (this.hello) this.step = this.hello.step;
    return this.hello;
  }

  /** Does so many steps. */
  async advance(count: number): Promise<void> {
    const start = performance.now();
    const done = new Promise<void>((done) => {
      this.#awaited = { step: this.step + count, done };
    });
    this.run.step(count);
    await done;
    this.secondsPerStep = (performance.now() - start) / 1000 / count;
  }

  dispose(): void {
    this.#end.abort(new Error("the page ended it"));
  }

  #stepped(step: number): void {
    this.step = step;
    if (!this.#awaited || step < this.#awaited.step) return;
    this.#awaited.done();
    this.#awaited = null;
  }

  #answered(answer: Answer["answer"]): void {
    const asked = this.#asked.get(answer.id);
    this.#asked.delete(answer.id);
    if (answer.error !== undefined) asked?.reject(new Error(answer.error));
    else asked?.resolve(answer.value);
  }
}
