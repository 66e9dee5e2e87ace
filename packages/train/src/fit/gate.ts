// The gate before each step: where training is held, and let through.

import { checkWhole } from "../check.js";

/** Open, or closed; a closed one lets as many steps through as were allowed. */
export class Gate {
  #closed: Settled<void> | null = null;
  #allowed = 0;

  get closed(): boolean {
    return this.#closed !== null;
  }

  close(): void {
    this.#closed ??= settled();
    this.#allowed = 0;
  }

  open(): void {
    this.#closed?.resolve();
    this.#closed = null;
  }

  /** Closes it, and lets `count` steps through. */
  allow(count: number): void {
    const before = this.#closed;
    this.#closed = settled();
    this.#allowed += checkWhole("fit", "the number of steps", count);
    before?.resolve();
  }

  /** Waits until a step may be done, or the signal is aborted. */
  async pass(signal: AbortSignal | undefined): Promise<void> {
    while (this.#closed && !signal?.aborted) {
      if (this.#allowed > 0) {
        this.#allowed--;
        return;
      }
      const closed = this.#closed;
      const abort = () => closed.resolve();
      signal?.addEventListener("abort", abort);
      await closed.promise;
      signal?.removeEventListener("abort", abort);
    }
  }
}

/** A promise with what settles it. */
export interface Settled<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/** A promise that is settled from outside. An error that nobody waits for is none. */
export function settled<T>(): Settled<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
