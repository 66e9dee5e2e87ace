// Linear memory: alignment, neighbours that merge, reuse, growth, and what the error says when there is no more.

import { NNError } from "@nn/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeHeap } from "./heap.js";

const PAGE = 65536;
const START = 1024;
const heapOf = (initial: number, maximum: number) => makeHeap(new WebAssembly.Memory({ initial, maximum }), START);

describe("heap", () => {
  it("gives addresses at multiples of 64, none twice", () => {
    const heap = heapOf(1, 4);
    const at = [1, 64, 65, 0, 1000].map((bytes) => heap.alloc(bytes));
    expect(at).toEqual([START, START + 64, START + 128, START + 256, START + 320]);
    expect(heap.used).toBe(64 + 64 + 128 + 64 + 1024);
  });

  it("reuses a freed block of the same size at once", () => {
    const heap = heapOf(1, 1);
    const [a, b] = [heap.alloc(500), heap.alloc(500)];
    heap.free(a);
    expect(heap.alloc(480)).toBe(a); // both are 512
    heap.free(b);
    heap.free(b); // nothing is freed twice
    expect(heap.alloc(512)).toBe(b);
    expect(heap.alloc(512)).not.toBe(b);
  });

  it("merges neighbours, whatever the order they were freed in", () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [0, 2, 1],
      [1, 0, 2],
    ]) {
      const heap = heapOf(1, 1);
      const all = PAGE - START;
      const third = Math.floor(all / 3 / 64) * 64;
      const at = [third, third, all - 2 * third].map((bytes) => heap.alloc(bytes));
      expect(() => heap.alloc(1)).toThrow(NNError);
      for (const i of order) heap.free(at[i]!);
      expect(heap.alloc(all)).toBe(START);
      heap.free(START);
      expect(heap.used).toBe(0);
    }
  });

  it("grows, and joins what is new to what was free", () => {
    const heap = heapOf(1, 8);
    expect(heap.alloc(PAGE)).toBe(START);
    expect(heap.memory.buffer.byteLength).toBe(2 * PAGE);
    expect(heap.alloc(4 * PAGE)).toBe(START + PAGE);
    expect(heap.memory.buffer.byteLength).toBeLessThanOrEqual(8 * PAGE);
  });

  it("uses all there is, to the last page", () => {
    const heap = heapOf(1, 3);
    expect(heap.alloc(3 * PAGE - START)).toBe(START);
    expect(() => heap.alloc(1)).toThrow(NNError);
  });

  it("names what is largest when there is no more", () => {
    const heap = heapOf(1, 40);
    heap.alloc(1 << 20, { shape: [512, 512], dtype: "f32" });
    heap.alloc(1 << 19, { shape: [131072], dtype: "i32" });
    heap.alloc(1 << 18);
    expect(() => heap.alloc(2 << 20, { shape: [64, 8192], dtype: "f32" })).toThrow(
      "alloc: expected (64, 8192) f32 2.0 MiB of WebAssembly memory, which has 4 GiB at most, got 1.8 MiB in use; " +
        "the largest: (512, 512) f32 1.0 MiB, (131072) i32 0.5 MiB, temporaries 0.3 MiB. Free tensors",
    );
    heap.alloc(1 << 18); // and goes on
  });

  it("never lets two blocks overlap", () => {
    const step = fc.tuple(fc.boolean(), fc.nat(20_000));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const heap = heapOf(1, 12);
        const live: { at: number; end: number }[] = [];
        for (const [free, n] of steps) {
          if (free) {
            const [block] = live.splice(n % Math.max(1, live.length), 1);
            if (block) heap.free(block.at);
            continue;
          }
          try {
            const at = heap.alloc(n);
            live.push({ at, end: at + Math.max(1, n) });
          } catch (e) {
            expect(e).toBeInstanceOf(NNError);
          }
        }
        live.sort((a, b) => a.at - b.at);
        for (let i = 1; i < live.length; i++) expect(live[i]!.at).toBeGreaterThanOrEqual(live[i - 1]!.end);
        expect(live.at(-1)?.end ?? 0).toBeLessThanOrEqual(heap.memory.buffer.byteLength);
      }),
    );
  });
});
