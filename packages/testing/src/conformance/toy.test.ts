// A backend in one file with the four floor kernels, one element at a time, and nothing else: all the rest lowers to
// them. It shows what a new backend has to write. It passes the suite that every backend passes, nothing skipped.

import {
  type AxisAttrs,
  type Backend,
  type Buffer,
  fail,
  type Kernel,
  type MapAttrs,
  type Plan,
  type ReduceAttrs,
  type Ref,
  type View,
} from "@nn/tensor";
import { expect, it } from "vitest";
import { combine, coordinates, evaluate, type Memory, memoryOf, neutral, place, seenAs } from "../naive.js";
import { testBackend } from "./conformance.js";

/** What a kernel becomes here: a function of the memory of its inputs and its output. */
type Code = (ins: readonly Memory[], out: Memory) => void;

interface ToyBuffer extends Buffer {
  readonly memory: Memory;
}

/** The element of an input at given coordinates. */
const load = (views: readonly View[], ins: readonly Memory[], at: readonly number[]) => (i: number) =>
  seenAs(ins[i]!, views[i]!.dtype)[place(views[i]!, at)]!;

const map: Kernel<MapAttrs, Code> = {
  op: "map",
  emit:
    ({ ins: views, outs: [view], attrs: { expr, accumulate } }) =>
    (ins, out) => {
      const to = seenAs(out, view!.dtype);
      for (const at of coordinates(view!.shape)) {
        const value = evaluate(expr, load(views, ins, at), at);
        if (accumulate) to[place(view!, at)]! += value;
        else to[place(view!, at)] = value;
      }
    },
};

const reduce: Kernel<ReduceAttrs, Code> = {
  op: "reduce",
  emit:
    ({ ins: views, outs: [view], attrs: { of, axes, prologue } }) =>
    (ins, out) => {
      const { dtype } = prologue;
      const totals = coordinates(view!.shape).map(() => neutral(of, dtype)); // the output is contiguous
      for (const at of coordinates(views[0]!.shape)) {
        const p = place(
          view!,
          at.filter((_, axis) => !axes.includes(axis)),
        );
        totals[p] = combine(of, totals[p]!, evaluate(prologue, load(views, ins, at), at), dtype);
      }
      seenAs(out, dtype).set(totals);
    },
};

/** `at`, moved along an axis to where the index says. */
function moved(at: readonly number[], axis: number, index: number, size: number): number[] {
  if (index < 0 || index >= size) fail({ op: "index", expected: `0…${size - 1}`, got: `${index}` });
  return at.with(axis, index);
}

const gather: Kernel<AxisAttrs, Code> = {
  op: "gather",
  emit:
    ({ ins: [x, index], outs: [view], attrs: { axis } }) =>
    ([values, indices], out) => {
      for (const at of coordinates(view!.shape)) {
        const from = moved(at, axis, seenAs(indices!, index!.dtype)[place(index!, at)]!, x!.shape[axis]!);
        seenAs(out, x!.dtype)[place(view!, at)] = seenAs(values!, x!.dtype)[place(x!, from)]!;
      }
    },
};

const scatterAdd: Kernel<AxisAttrs, Code> = {
  op: "scatterAdd",
  emit:
    ({ ins: [index, source], outs: [view], attrs: { axis } }) =>
    ([indices, values], out) => {
      const to = seenAs(out, view!.dtype);
      for (const at of coordinates(view!.shape)) to[place(view!, at)] = 0;
      for (const at of coordinates(index!.shape)) {
        const there = moved(at, axis, seenAs(indices!, index!.dtype)[place(index!, at)]!, view!.shape[axis]!);
        to[place(view!, there)]! += seenAs(values!, source!.dtype)[place(source!, at)]!;
      }
    },
};

function toy(): Backend<Code> {
  const bytesOf = (buffer: Buffer) => new Uint8Array((buffer as ToyBuffer).memory.f32.buffer);
  const alloc = (bytes: number): ToyBuffer => ({ bytes, memory: memoryOf(new ArrayBuffer(bytes)) });
  return {
    name: "toy",
    kernels: [map, reduce, gather, scatterAdd],
    alloc,
    free: () => undefined,
    write: (buffer, data, offset = 0) => bytesOf(buffer).set(data, offset),
    read: async (buffer) => bytesOf(buffer).slice(),
    load({ steps, slots }: Plan<Code>) {
      const temporary = slots.map((s) => alloc(s.bytes)); // placeSlots() would let them share memory
      return {
        ready: Promise.resolve(),
        run(inputs, results) {
          const at = (ref: Ref) =>
            ("input" in ref
              ? inputs[ref.input]
              : "slot" in ref
                ? temporary[ref.slot]
                : results[ref.result]) as ToyBuffer;
          for (const { code, ins, outs } of steps)
            code(
              ins.map((ref) => at(ref).memory),
              at(outs[0]!).memory,
            );
        },
        dispose: () => undefined,
      };
    },
  };
}

testBackend(toy);

it("has the floor only, in under 150 lines", async () => {
  expect(
    toy()
      .kernels.map((k) => k.op)
      .sort(),
  ).toEqual(["gather", "map", "reduce", "scatterAdd"]);
  const { readFileSync } = await import("node:fs");
  expect(readFileSync(new URL(import.meta.url), "utf8").split("\n").length).toBeLessThan(150);
});
