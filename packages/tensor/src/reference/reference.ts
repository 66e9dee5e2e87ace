// The reference backend: plain loops in JavaScript. Slow, everywhere, and what every other backend is compared with.

import type { Backend, Buffer, Kernel, Plan, Ref } from "../backend.js";
import { placeSlots } from "../slots.js";
import { countPlan } from "../storage.js";
import type { Words } from "./evaluate.js";
import { type Run, referenceKernels } from "./kernels.js";

/** Freed buffers kept for the next request of the same size, at most so many bytes in all. */
const KEPT_BYTES = 67_108_864;

/**
 * Makes a reference backend: no device, no set-up, runs wherever JavaScript runs.
 *
 * @param options.kernels kernels tried before its own, e.g. to test a layout
 * @example
 * ```ts
 * setBackend(reference());
 * ```
 */
export function reference(options: { kernels?: readonly Kernel<never, Run>[] } = {}): Backend<Run> {
  const kept = new Map<number, Block[]>();
  let keptBytes = 0;
  return {
    name: "reference",
    kernels: [...(options.kernels ?? []), ...referenceKernels],
    alloc(bytes) {
      const block = kept.get(bytes)?.pop();
      if (!block) return blockOf(new ArrayBuffer(bytes), 0, bytes);
      keptBytes -= bytes;
      return block;
    },
    free(buffer) {
      if (keptBytes + buffer.bytes > KEPT_BYTES) return;
      keptBytes += buffer.bytes;
      const list = kept.get(buffer.bytes);
      if (list) list.push(buffer as Block);
      else kept.set(buffer.bytes, [buffer as Block]);
    },
    write: (buffer, data, offset = 0) => bytesOf(buffer).set(data, offset),
    read: async (buffer) => bytesOf(buffer),
    readSync: bytesOf,
    load,
  };
}

interface Block extends Buffer, Words {}

function blockOf(memory: ArrayBuffer, offset: number, bytes: number): Block {
  const n = bytes / 4;
  return {
    bytes,
    f32: new Float32Array(memory, offset, n),
    i32: new Int32Array(memory, offset, n),
    u32: new Uint32Array(memory, offset, n),
  };
}

function bytesOf(buffer: Buffer): Uint8Array {
  const { f32 } = buffer as Block;
  return new Uint8Array(f32.buffer, f32.byteOffset, buffer.bytes);
}

function load({ steps, slots }: Plan<Run>) {
  const { offsets, bytes } = placeSlots(slots);
  const memory = new ArrayBuffer(bytes);
  const temporary = slots.map((s, i) => blockOf(memory, offsets[i]!, s.bytes));
  countPlan(bytes);
  let gone = false;
  return {
    ready: Promise.resolve(),
    run(inputs: readonly Buffer[], results: readonly Buffer[]) {
      const at = (ref: Ref) =>
        ("input" in ref ? inputs[ref.input] : "slot" in ref ? temporary[ref.slot] : results[ref.result]) as Block;
      for (const { code, ins, outs } of steps) code(ins.map(at), outs.map(at));
    },
    dispose() {
      if (!gone) countPlan(-bytes);
      gone = true;
    },
  };
}
