// What a page and the worker that trains for it say to each other, and the ends they say it through. "Page" is whoever
// started the worker, in Node another thread.

import { fail, NNError } from "@nn/tensor";
import type { History, TrainEvent } from "../fit/events.js";

/** The worker died, and another goes on: steps since its last checkpoint come again. */
export interface CrashEvent {
  readonly type: "crash";
  /** How many have died so far. */
  readonly count: number;
  /** What it died of. */
  readonly reason: string;
}

/** What is told of training in a worker. */
export type WorkerEvent = TrainEvent | CrashEvent;

/** From the page. */
export type Command =
  | { readonly type: "start"; readonly options: unknown; readonly crashes: number }
  | { readonly type: "pause" | "resume" | "weights" | "ping" }
  | { readonly type: "step"; readonly count: number }
  | { readonly type: "stop"; readonly reason: string };

/** From the worker: it is there; it still is (the answer to a ping); something happened; what was asked for; the end, good or bad. */
export type Report =
  | { readonly type: "ready" | "alive" }
  | { readonly type: "event"; readonly event: TrainEvent }
  | { readonly type: "weights"; readonly bytes: Uint8Array }
  | { readonly type: "end"; readonly history: History; readonly weights: Uint8Array }
  | { readonly type: "error"; readonly error: ErrorText };

/** A `Worker` of a browser, or of `node:worker_threads`. */
export interface TrainerWorker {
  postMessage(message: any): void;
  terminate(): unknown;
  on?(name: string, listener: (event: any) => void): void;
  addEventListener?(name: string, listener: (event: any) => void): void;
}

/** The other end: a worker's global scope, or its `parentPort`. */
export interface WorkerPort {
  onmessage: ((event: { readonly data: any }) => void) | null;
  postMessage(message: any): void;
}

/** Listens to a worker. Of its messages those about this count, so that it may say other things to others. */
export function listen<Message>(
  worker: TrainerWorker,
  about: "trainer" | "done",
  told: (message: Message) => void,
  died: (reason: string) => void,
): void {
  const message = (data: any) => data?.[about] && told(data[about]);
  if (worker.on) {
    worker.on("message", message);
    worker.on("error", (error) => died(`${error?.message ?? error}`));
    worker.on("exit", (code) => died(`its thread ended with code ${code}`));
    return;
  }
  worker.addEventListener?.("message", ({ data }) => message(data));
  worker.addEventListener?.("error", (event) => {
    event.preventDefault?.(); // told here, it is no error of the page, too
    died(event.message || "its script could not be loaded");
  });
}

/** The port of the worker that this code runs in. */
export async function portToPage(): Promise<WorkerPort> {
  const host = globalThis as { WorkerGlobalScope?: unknown; process?: { versions?: { node?: string } } };
  if (host.WorkerGlobalScope) return globalThis as unknown as WorkerPort;
  const threads = host.process?.versions?.node && (await nodeModule("worker_threads"));
  return (
    threads?.parentPort ??
    fail({
      op: "serveTrainer",
      expected: "to be called in a worker",
      got: "the main thread",
      hint: "Put it into a file of its own, and start that with trainIn(() => new Worker(…)).",
    })
  );
}

/** A module of Node; bundlers for browsers must not look for it. */
const nodeModule = (name: string) => import(/* @vite-ignore */ /* webpackIgnore: true */ `node:${name}`);

/** An error as text: sent as an object, it would lose its name and what else it has. */
export interface ErrorText {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** An NNError's fields. */
  readonly failure: Pick<NNError, "op" | "expected" | "got" | "hint" | "module"> | null;
}

export function textOf(reason: unknown): ErrorText {
  if (!(reason instanceof Error)) return { name: "Error", message: `${reason}`, stack: undefined, failure: null };
  const { name, message, stack } = reason;
  if (!(reason instanceof NNError)) return { name, message, stack, failure: null };
  const { op, expected, got, hint, module } = reason;
  return { name, message, stack, failure: { op, expected, got, hint, module } };
}

export function errorOf({ name, message, stack, failure }: ErrorText): Error {
  const error: Error = Reflect.construct(Error, [message], failure ? NNError : Error); // not composing the message again
  return Object.assign(error, { name, stack }, failure);
}
