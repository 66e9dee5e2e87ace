// Buffers that several tensors share, counted; and the sum of what is alive.

import { type Backend, type Buffer, bytesOf } from "./backend.js";
import type { Spec } from "./spec.js";

/** A buffer and how many handles (tensors, views, Variables) hold it. */
export interface Storage {
  readonly backend: Backend;
  readonly buffer: Buffer;
  refs: number;
}

const live = { tensors: 0, bytes: 0, plans: 0 };

/** What is alive now. */
export interface Memory {
  /** Handles: tensors not yet disposed, the values of Variables included. */
  readonly tensors: number;
  /** Bytes of the buffers they hold (views share one buffer). */
  readonly bytes: number;
  /** Bytes of the buffers that compiled steps keep between their runs. */
  readonly plans: number;
}

/**
 * Live tensors and bytes, on all backends together.
 *
 * @example
 * ```ts
 * const before = memory().bytes;
 * trainOneStep();
 * console.log(memory().bytes - before); // 0 after the second step
 * ```
 */
export function memory(): Memory {
  return { ...live };
}

/** A new buffer, held once. */
export function allocate(backend: Backend, spec: Spec): Storage {
  const storage: Storage = { backend, buffer: backend.alloc(bytesOf(spec), spec), refs: 1 };
  live.tensors++;
  live.bytes += storage.buffer.bytes;
  return storage;
}

export function retain(storage: Storage): Storage {
  storage.refs++;
  live.tensors++;
  return storage;
}

export function release(storage: Storage): void {
  live.tensors--;
  if (--storage.refs > 0) return;
  live.bytes -= storage.buffer.bytes;
  storage.backend.free(storage.buffer);
}

/** Bytes that a compiled step holds (negative when it lets go of them). */
export function countPlan(bytes: number): void {
  live.plans += bytes;
}
