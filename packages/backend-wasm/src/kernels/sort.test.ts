// The sort kernel against the reference backend: dtypes, axes, views, ties, NaN, zeros of both signs; and proof that it ran.

import {
  compile,
  flip,
  getBackend,
  grad,
  manualSeed,
  randint,
  reference,
  setBackend,
  sort,
  type Tensor,
  tensor,
  topK,
} from "@nn/tensor";
import { watched } from "@nn/testing";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { type WasmBackend, wasm } from "../wasm.js";
import { sortKernel } from "./sort.js";

const before = getBackend();
let ran = 0;
const kernels = watched([sortKernel], () => ran++);
const truth = reference();
const backends: Record<string, WasmBackend> = {
  "one thread": await wasm({ kernels, threads: 1 }),
  "two threads": await wasm({ kernels, threads: 2, parallelFrom: 0 }),
};
beforeEach(() => {
  ran = 0;
});
afterAll(() => {
  for (const b of Object.values(backends)) b.dispose();
  setBackend(before);
});

/** The same to the last bit on all backends. */
const numbers = (shape: number[]) =>
  randint(-1_000_000, 1_000_000, shape)
    .cast("f32")
    .mul(1 / 1024);
const odd = [Number.NaN, 0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-42, -1e-42, 3, 3, -3];
const inputs: Record<string, () => Tensor> = {
  "one row": () => numbers([1000]),
  "rows with ties": () => randint(-5, 5, [7, 300]),
  "large integers": () => tensor(Int32Array.from({ length: 192 }, (_, i) => Math.imul(i, 0x9e3779b9))).reshape([3, 64]),
  unsigned: () => tensor(Uint32Array.from({ length: 50 }, (_, i) => Math.imul(i, 0x9e3779b9) >>> 0)),
  bool: () => numbers([2, 40]).gt(0),
  "NaN, infinities and zeros": () => tensor(Array.from({ length: 50 }, (_, i) => odd[(i * 7) % 10]!)),
  "a transposed view": () => numbers([40, 3, 5]).transpose(0, 2),
  "a flipped slice": () => flip(numbers([4, 100]).slice([null, [10, 90, 2]]), 1),
  "a broadcast": () => numbers([1, 40]).expand([5, 40]),
};

describe.each(Object.keys(backends))("%s", (name) => {
  it.each(Object.keys(inputs))("%s", (input) => {
    const [got, want] = [backends[name]!, truth].map((backend) => {
      setBackend(backend);
      manualSeed(1);
      const x = inputs[input]!();
      const compiled = compile((x: Tensor) => sort(x, { descending: true }));
      return [false, true]
        .map((descending) => sort(x, { descending }))
        .concat(compiled(x))
        .concat(x.rank > 1 ? sort(x, { axis: 0 }) : [])
        .flatMap(({ values, indices }) => [[...values.readSync()], [...indices.readSync()]]);
    });
    expect(got).toEqual(want);
    expect(ran).toBeGreaterThan(1);
  });
});

it("hands the gradient back to where the elements were", () => {
  setBackend(backends["one thread"]!);
  const x = numbers([2, 64]);
  const [g] = grad(() => topK(x, 1).values.sum(), [x]);
  expect([...g!.readSync()].filter((v) => v === 1)).toHaveLength(2);
  expect(ran).toBe(1);
});
