// Saving checkpoints while a model trains: the last state, and the best one.

import { checkWhole } from "../check.js";
import { disposeCheckpoint, saveCheckpoint } from "../checkpoint/checkpoint.js";
import type { Store } from "../checkpoint/store.js";
import type { EpochEvent } from "../fit/events.js";
import type { Training } from "../fit/fit.js";
import type { Callback, CallbackState } from "./callback.js";
import { lessIsBetter, type Monitor, monitored } from "./monitor.js";

/** Options of {@link saveLast}. */
export interface SaveLastOptions {
  /** Name in the store (default `"last"`). */
  readonly name?: string;
  /** Also after this many steps (default: after epochs only). */
  readonly everySteps?: number;
}

/**
 * Saves where the run is, after each epoch and every so many steps: to be resumed from there.
 *
 * @example
 * ```ts
 * const store = files("runs/digits"); // of @nn/train/node
 * await fit(model, { …, callbacks: [saveLast(store)], resume: await loadCheckpoint(store, "last") });
 * ```
 */
export function saveLast(store: Store, { name = "last", everySteps }: SaveLastOptions = {}): Callback {
  if (everySteps !== undefined) checkWhole("saveLast", "everySteps", everySteps);
  return {
    order: 2, // what saveBest has just saved is part of it
    step: ({ step }, run) => (everySteps && step % everySteps === 0 ? save(store, name, run) : undefined),
    epoch: (_, run) => save(store, name, run),
  };
}

/** Options of {@link saveBest}. */
export interface SaveBestOptions extends Monitor {
  /** Name in the store (default `"best"`). */
  readonly name?: string;
}

/**
 * Saves the run after each epoch that was better than all before.
 *
 * @example
 * ```ts
 * callbacks: [saveBest(store, { monitor: "valAccuracy" })]
 * // … and later
 * model.loadStateDict(modelState((await loadCheckpoint(store, "best"))!));
 * ```
 */
export function saveBest(store: Store, { name = "best", monitor, mode }: SaveBestOptions = {}): Callback {
  let best: number | null = null;
  return {
    order: 1,
    async epoch({ logs }: EpochEvent, run) {
      const now = monitored("saveBest", logs, monitor);
      const better = best === null || (lessIsBetter(now.name, mode) ? now.value < best : now.value > best);
      if (Number.isNaN(now.value) || !better) return;
      best = now.value;
      await save(store, name, run);
    },
    save: () => ({ json: best }),
    load: ({ json }: CallbackState) => {
      best = json as number | null;
    },
  };
}

async function save(store: Store, name: string, run: Training): Promise<void> {
  const checkpoint = run.checkpoint();
  try {
    await saveCheckpoint(store, name, checkpoint);
  } finally {
    disposeCheckpoint(checkpoint);
  }
}
