// What the parts of the conformance suite share: skipping with a reason, one kernel at a time, comparing.

import {
  type Backend,
  bytesOf,
  type Data,
  findKernel,
  type Signature,
  type Spec,
  setBackend,
  sizeOf,
  type View,
} from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { combine, coordinates, evaluate, type Memory, memoryOf, neutral, place, seenAs } from "../naive.js";

/** Tests that a backend leaves out, and why. A test is named after what it tests: an op, a kernel, or a word. */
export interface Skip {
  readonly ops: readonly string[];
  readonly reason: string;
}

/** What the tests of a part are given. */
export interface Bench {
  /** The backend under test; made before the first test, and current while a test runs. */
  readonly backend: () => Backend;
  /** `it`, unless the op is to be skipped; then the title has the reason. */
  test(op: string, body: () => void | Promise<void>): void;
}

export function bench(backend: () => Backend, skips: readonly Skip[], used: Set<string>): Bench {
  return {
    backend,
    test(op, body) {
      const skip = skips.find(({ ops }) => ops.includes(op));
      used.add(op);
      if (skip) it.skip(`${op} (skipped: ${skip.reason})`, () => undefined);
      else {
        it(op, async () => {
          setBackend(backend());
          await body();
        });
      }
    },
  };
}

export { describe, expect };

// ── one kernel ─────────────────────────────────────────────────────────────────────────────────────

/** A view and the memory it is of. */
export interface Operand {
  readonly view: View;
  readonly memory: Memory;
}

/** Runs one kernel as a plan of one step; returns the memory of its output, which starts as `start`. */
export async function runKernel(
  backend: Backend,
  op: string,
  ins: readonly Operand[],
  out: Operand,
  attrs: unknown,
  epilogue?: Signature["epilogue"],
): Promise<Memory> {
  const signature: Signature = {
    ins: ins.map((o) => o.view),
    outs: [out.view],
    attrs,
    ...(epilogue ? { epilogue } : {}),
  };
  const kernel = findKernel(backend, op, signature);
  if (!kernel) throw new Error(`${backend.name} has no kernel for ${op} that accepts ${JSON.stringify(signature)}`);
  const buffers = [...ins, out].map(({ memory }) => {
    const buffer = backend.alloc(memory.f32.byteLength);
    backend.write(buffer, new Uint8Array(memory.f32.buffer, 0, memory.f32.byteLength));
    return buffer;
  });
  const step = { code: kernel.emit(signature), ins: ins.map((_, input) => ({ input })), outs: [{ result: 0 }] };
  const executable = backend.load({ steps: [step], slots: [] });
  await executable.ready;
  executable.run(buffers.slice(0, -1), buffers.slice(-1));
  const bytes = await backend.read(buffers.at(-1)!);
  const copy = bytes.slice().buffer;
  executable.dispose();
  for (const b of buffers) backend.free(b);
  return memoryOf(copy);
}

/** An operand with numbers from a list, again and again, in all of its memory. */
export function operand(view: View, values: readonly number[], length = reach(view)): Operand {
  const memory = memoryOf(new ArrayBuffer(Math.max(1, length) * 4));
  const data = seenAs(memory, view.dtype);
  for (let i = 0; i < data.length; i++) data[i] = values[i % values.length]!;
  return { view, memory };
}

/** Elements of memory that a view needs. */
export function reach(view: View): number {
  if (sizeOf(view.shape) === 0) return 1;
  return (
    Math.max(
      ...view.shape.reduce((ends, d, i) => ends.flatMap((e) => [e, e + (d - 1) * view.strides[i]!]), [view.offset]),
    ) + 1
  );
}

/** What a map must leave behind. */
export function naiveMap(
  ins: readonly Operand[],
  out: Operand,
  { expr, accumulate = false }: { expr: Parameters<typeof evaluate>[0]; accumulate?: boolean },
): Memory {
  const memory = memoryOf(out.memory.f32.buffer.slice(0) as ArrayBuffer);
  const to = seenAs(memory, out.view.dtype);
  for (const at of coordinates(out.view.shape)) {
    const v = evaluate(expr, (i) => valueAt(ins[i]!, at), at);
    const p = place(out.view, at);
    to[p] = accumulate ? to[p]! + v : v;
  }
  return memory;
}

/** What a reduction must give; the output is contiguous. */
export function naiveReduce(
  ins: readonly Operand[],
  out: Operand,
  {
    of,
    axes,
    prologue,
  }: { of: "add" | "mul" | "max" | "min"; axes: readonly number[]; prologue: Parameters<typeof evaluate>[0] },
): Memory {
  const memory = memoryOf(out.memory.f32.buffer.slice(0) as ArrayBuffer);
  const to = seenAs(memory, out.view.dtype);
  const totals = coordinates(out.view.shape).map(() => neutral(of, prologue.dtype));
  for (const at of coordinates(ins[0]!.view.shape)) {
    const p = place(
      out.view,
      at.filter((_, axis) => !axes.includes(axis)),
    );
    totals[p] = combine(
      of,
      totals[p]!,
      evaluate(prologue, (i) => valueAt(ins[i]!, at), at),
      prologue.dtype,
    );
  }
  totals.forEach((v, i) => {
    to[i] = v;
  });
  return memory;
}

export function valueAt({ view, memory }: Operand, at: readonly number[]): number {
  return seenAs(memory, view.dtype)[place(view, at)]!;
}

// ── comparing ──────────────────────────────────────────────────────────────────────────────────────

/** Share of the value (and the same absolutely) that a float may be off. */
export const CLOSE = 5e-6;

/** Numbers must be equal; floats may be off by `close` of their size, if given. NaN is equal to NaN, 0 to −0. */
export function expectSame(got: ArrayLike<number>, want: ArrayLike<number>, what: string, close = 0): void {
  expect(got.length, `${what}: number of elements`).toBe(want.length);
  const wrong: string[] = [];
  for (let i = 0; i < want.length; i++) {
    const [g, w] = [got[i]!, want[i]!];
    if (g === w || (Number.isNaN(g) && Number.isNaN(w)) || Math.abs(g - w) <= close * (1 + Math.abs(w))) continue;
    wrong.push(`${i}: ${g} instead of ${w}`);
  }
  expect(wrong.slice(0, 5), what).toEqual([]);
}

/** The elements of a spec's worth of memory. */
export function elements(m: Memory, spec: Spec): Data {
  return seenAs(m, spec.dtype)
    .subarray(0, Math.floor(bytesOf(spec) / 4))
    .slice(0, sizeOf(spec.shape)) as Data;
}
