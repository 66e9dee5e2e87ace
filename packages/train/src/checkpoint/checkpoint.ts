// Checkpoints: all that a run of training is, in one safetensors file. Tensors: parameters and buffers, the optimiser's state,
// the random numbers' state, what callbacks keep. JSON, in the file's metadata: the rest. As it is one file, it is whole if it
// is there.

import { loadSafetensors, parseSafetensors, saveSafetensors } from "@nn/io";
import { fail, type Tensor } from "@nn/tensor";
import type { Logs } from "../fit/events.js";
import type { Store } from "./store.js";

/** Where a run is, besides its tensors. */
export interface Progress {
  /** Epochs done. */
  readonly epoch: number;
  /** Batches done of the epoch that runs. */
  readonly batch: number;
  /** Updates done. */
  readonly step: number;
  /** Of the epoch that runs: sum of the losses, each times its samples, and the samples. */
  readonly loss: { readonly sum: number; readonly samples: number };
  readonly history: readonly Logs[];
  /** Learning rates of the optimiser's groups, as the numbers that were set. */
  readonly lrs: readonly number[];
  readonly schedule: unknown;
  readonly metrics: Readonly<Record<string, unknown>>;
  readonly callbacks: readonly unknown[];
  /** What the batches depend on. */
  readonly data: string;
}

/** See {@link saveCheckpoint}. Tensors by name: `model.fc1.weight`, `optimizer.state.0.exp_avg`, `random`, `callbacks.0.…`. */
export interface Checkpoint {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly progress: Progress;
}

/**
 * Keeps a checkpoint in a store. `fit` can go on from it and ends with the same bits as if it had never stopped.
 *
 * @example
 * ```ts
 * await saveCheckpoint(store, "last", run.checkpoint());
 * ```
 */
export async function saveCheckpoint(store: Store, name: string, { tensors, progress }: Checkpoint): Promise<void> {
  await store.write(name, await saveSafetensors(tensors, { metadata: { [KEY]: encode(progress) } }));
}

/**
 * Reads a checkpoint, or null if there is none.
 *
 * @throws if it is damaged, or something else
 * @example
 * ```ts
 * const run = fit(model, { …, resume: await loadCheckpoint(store, "last") });
 * ```
 */
export async function loadCheckpoint(store: Store, name: string): Promise<Checkpoint | null> {
  const bytes = await store.read(name);
  if (bytes === null) return null;
  const text = parseSafetensors(bytes).metadata[KEY];
  if (text === undefined) {
    fail({
      op: "loadCheckpoint",
      expected: `"${name}" to be a checkpoint of saveCheckpoint`,
      got: `a safetensors file without ${KEY} in its metadata`,
      hint: "If these are weights alone, use loadSafetensors and model.loadStateDict.",
    });
  }
  return { tensors: loadSafetensors(bytes), progress: decode(name, text) };
}

/**
 * The model's state in a checkpoint, without the rest.
 *
 * @example
 * ```ts
 * model.loadStateDict(modelState((await loadCheckpoint(store, "best"))!));
 * ```
 */
export function modelState(checkpoint: Checkpoint): Record<string, Tensor> {
  return under("model.", checkpoint.tensors);
}

/** The tensors whose names begin with `prefix`, without it. */
export function under(prefix: string, tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const own = Object.entries(tensors).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, t]) => [key.slice(prefix.length), t]));
}

/** The same tensors with `prefix` before their names. */
export function prefixed(prefix: string, tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([key, t]) => [prefix + key, t]));
}

export function disposeCheckpoint({ tensors }: Checkpoint): void {
  for (const t of Object.values(tensors)) t.dispose();
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

const KEY = "nn.checkpoint";

/** JSON that keeps NaN and the infinities, too. */
function encode(progress: Progress): string {
  return JSON.stringify({ version: 1, ...progress }, (_, v) =>
    typeof v === "number" && !Number.isFinite(v) ? { $number: `${v}` } : v,
  );
}

function decode(name: string, text: string): Progress {
  const wrong = (got: string): never =>
    fail({ op: "loadCheckpoint", expected: `"${name}" to hold a checkpoint of version 1`, got });
  let value: any;
  try {
    value = JSON.parse(text, (_, v) => (v !== null && typeof v === "object" && "$number" in v ? Number(v.$number) : v));
  } catch (e) {
    wrong(`text that is no JSON (${(e as Error).message})`);
  }
  const { version, ...progress } = value ?? {};
  if (version !== 1) wrong(`version ${version}`);
  const counts = [progress.epoch, progress.batch, progress.step].every((n) => Number.isSafeInteger(n) && n >= 0);
  const lists = [progress.history, progress.lrs, progress.callbacks].every(Array.isArray);
  if (!counts || !lists || typeof progress.loss?.sum !== "number" || typeof progress.metrics !== "object") {
    wrong("one with parts missing");
  }
  return progress;
}
