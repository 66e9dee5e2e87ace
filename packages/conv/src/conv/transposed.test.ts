import { checkGradients, grad, manualSeed, memory, type Padding, randn, type Tensor, zeros } from "@nn/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { conv } from "./conv.js";
import { type ConvTransposeOptions, convTranspose } from "./transposed.js";
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from "./transposed-layers.js";

/** One axis of everything. */
interface Axis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padding: Padding;
  readonly more: number;
}

const axis: fc.Arbitrary<Axis> = fc
  .record({
    size: fc.integer({ min: 1, max: 4 }),
    kernel: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 3 }),
    dilation: fc.integer({ min: 1, max: 3 }),
    padding: fc.tuple(fc.nat(2), fc.nat(2)),
    more: fc.nat(2),
  })
  .map((a) => ({ ...a, more: a.more % Math.max(a.stride, a.dilation) }))
  .filter((a) => (a.size - 1) * a.stride + a.dilation * (a.kernel - 1) + 1 - a.padding[0] - a.padding[1] >= 1);

const small = fc.integer({ min: 1, max: 2 });

describe("convTranspose", () => {
  it("adds every element's multiple of the kernel, as the definition says", () => {
    const cases = fc.record({
      axes: fc.array(axis, { minLength: 1, maxLength: 3 }),
      batch: small,
      groups: small,
      inPerGroup: small,
      outPerGroup: small,
      bias: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, ({ axes, batch, groups, inPerGroup, outPerGroup, bias }) => {
        const x = randn([batch, groups * inPerGroup, ...axes.map((a) => a.size)]);
        const w = randn([groups * inPerGroup, outPerGroup, ...axes.map((a) => a.kernel)]);
        const b = bias ? randn([groups * outPerGroup]) : null;
        const y = convTranspose(x, w, b, optionsOf(axes, groups));
        close(y, naive(x, w, b, axes, groups));
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it("is the adjoint of conv: ⟨conv(u), x⟩ = ⟨u, convTranspose(x)⟩", () => {
    const options = { stride: [2, 3], padding: [[1, 0], 2] as const, dilation: [2, 1], groups: 2 };
    const [u, w] = [randn([2, 4, 9, 8]), randn([6, 2, 3, 4])];
    const y = conv(u, w, null, options);
    const x = randn(y.shape);
    const padded = convTranspose(x, w, null, { ...options, outputPadding: fits([9, 8], x, w, options) });
    expect(padded.shape).toEqual(u.shape);
    expect(y.mul(x).sum().readSync()[0]).toBeCloseTo(u.mul(padded).sum().readSync()[0]!, 2);
  });

  it("has gradients of every order", async () => {
    const [x, w, b] = [randn([2, 4, 3, 2]).mul(0.5), randn([4, 1, 2, 3]).mul(0.5), randn([2])];
    const f = (a: Tensor, v: Tensor, c: Tensor) =>
      convTranspose(a, v, c, { stride: [2, 1], padding: [[1, 0], 1], outputPadding: [1, 0], groups: 2 });
    await checkGradients((a, v, c) => f(a!, v!, c!).square(), [x, w, b], { tolerance: 4e-3 });
    const loss = (a: Tensor, v: Tensor) => f(a, v, b).square().sum();
    await checkGradients((a, v) => grad(() => loss(a!, v!), [a!])[0]!, [x, w], { tolerance: 5e-3 });
    await checkGradients((a, v) => grad(() => loss(a!, v!), [v!])[0]!, [x, w], { tolerance: 5e-3 });
  });

  it("takes one sample without a batch, and empty batches", () => {
    const [one, w, b] = [randn([3, 4]), randn([3, 2, 3]), randn([2])];
    const y = convTranspose(one, w, b, { stride: 2 });
    expect(y.shape).toEqual([2, 9]);
    close(y, [...convTranspose(one.unsqueeze(0), w, b, { stride: 2 }).readSync()]);
    expect(convTranspose(zeros([0, 3, 4]), w, b).shape).toEqual([0, 2, 6]);
  });
});

describe("ConvTranspose layers", () => {
  it("have PyTorch's keys, shapes and first values", () => {
    manualSeed(0);
    const layer = new ConvTranspose2d(16, 8, [3, 5], { groups: 2, stride: 2 });
    const state = layer.stateDict();
    expect(state["weight"]!.shape).toEqual([16, 4, 3, 5]);
    expect(state["bias"]!.shape).toEqual([8]);
    const bound = 1 / Math.sqrt(4 * 3 * 5); // PyTorch counts the second axis, here too
    const values = [...state["weight"]!.readSync()];
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(bound);
    const variance = values.reduce((sum, v) => sum + v * v, 0) / values.length;
    expect(variance / (bound ** 2 / 3)).toBeCloseTo(1, 1);
    expect(Object.keys(new ConvTranspose1d(1, 2, 3, { bias: false }).stateDict())).toEqual(["weight"]);
  });

  it("give PyTorch's sizes, or the one asked for", () => {
    const x = zeros([1, 2, 5, 5]);
    const layer = new ConvTranspose2d(2, 3, 3, { stride: 2, padding: 1 });
    expect(layer.forward(x).shape).toEqual([1, 3, 9, 9]);
    expect(layer.forward(x, [10, 9]).shape).toEqual([1, 3, 10, 9]);
    expect(layer.forward(zeros([2, 5, 5]), [10, 10]).shape).toEqual([3, 10, 10]);
    expect(new ConvTranspose3d(4, 2, 2, { stride: 2 }).forward(zeros([1, 4, 3, 8, 8])).shape).toEqual([
      1, 2, 6, 16, 16,
    ]);
    expect(() => layer.forward(x, [11, 9])).toThrow(
      /^ConvTranspose2d: expected outputSize from \(9, 9\) to \(10, 10\), got \(11, 9\)/,
    );
  });

  it("leave nothing behind", () => {
    const layer = new ConvTranspose1d(2, 3, 3, { stride: 2 });
    const x = randn([2, 6]);
    const { tensors } = memory();
    layer.forward(x).dispose();
    expect(memory().tensors).toBe(tensors);
  });
});

describe("errors", () => {
  const x = zeros([8, 16, 5, 5]);
  const w = zeros([16, 4, 3, 3]);
  it.each<[string, () => unknown, RegExp]>([
    [
      "channels",
      () => convTranspose(zeros([8, 4, 5, 5]), w),
      /^convTranspose: expected x \(N, 16, H, W\), got \(8, 4, 5, 5\): channel 4 ≠ inChannels 16\. The weight .* \(in, out/,
    ],
    ["rank", () => convTranspose(zeros([5]), w), /expected x \(N, 16, H, W\) or \(16, H, W\), got \(5\)/],
    ["groups", () => convTranspose(x, w, null, { groups: 3 }), /groups that divide 16 input and 12 output channels/],
    ["bias", () => convTranspose(x, w, zeros([16])), /expected bias \(4\), got \(16\)/],
    ["words", () => convTranspose(x, w, null, { padding: "same" as never }), /expected padding as numbers, got "same"/],
    ["dtype", () => convTranspose(x.cast("i32"), w), /f32/],
    ["size", () => convTranspose(x, w, null, { padding: 4 }), /at least 1 per axis \(H, W\), got \(-1, -1\) for/],
    [
      "outputPadding",
      () => new ConvTranspose2d(1, 1, 3, { outputPadding: 1 }),
      /^ConvTranspose2d: expected outputPadding at most \(0, 0\): less than the stride or the dilation, got \(1, 1\)/,
    ],
    ["kernel axes", () => convTranspose(x, zeros([16, 4])), /1, 2 or 3 kernel axes, got 0/],
  ])("name the fault: %s", (_, f, message) => {
    expect(f).toThrow(message);
  });
});

// ───────────────────────────────────────────────────────────────────────────────────────────────────

const optionsOf = (axes: readonly Axis[], groups: number): ConvTransposeOptions => ({
  groups,
  stride: axes.map((a) => a.stride),
  dilation: axes.map((a) => a.dilation),
  padding: axes.map((a) => a.padding),
  outputPadding: axes.map((a) => a.more),
});

/** The outputPadding with which the output has these sizes. */
function fits(size: readonly number[], x: Tensor, w: Tensor, options: ConvTransposeOptions): number[] {
  const { shape } = convTranspose(x, w, null, options);
  return size.map((d, i) => d - shape[2 + i]!);
}

function close(t: Tensor, want: readonly number[]): void {
  const got = [...t.readSync()];
  expect(got.length).toBe(want.length);
  for (const [i, v] of want.entries()) expect(got[i]).toBeCloseTo(v, 4);
}

/** All index tuples of a shape. */
const indices = (shape: readonly number[]): number[][] =>
  shape.reduce<number[][]>((list, d) => list.flatMap((at) => Array.from({ length: d }, (_, i) => [...at, i])), [[]]);

const flat = (shape: readonly number[], at: readonly number[]): number => at.reduce((n, i, k) => n * shape[k]! + i, 0);

function naive(x: Tensor, w: Tensor, b: Tensor | null, axes: readonly Axis[], groups: number): number[] {
  const [xs, ws, bs] = [x.readSync(), w.readSync(), b?.readSync()];
  const perGroup = w.shape[1]!;
  const size = axes.map(
    (a) => (a.size - 1) * a.stride + a.dilation * (a.kernel - 1) + 1 - a.padding[0] - a.padding[1] + a.more,
  );
  const shape = [x.shape[0]!, perGroup * groups, ...size];
  const y = indices(shape).map(([, o]) => bs?.[o!] ?? 0);
  for (const [n, c, ...at] of indices(x.shape) as [number, number, ...number[]][]) {
    const group = Math.floor(c / (x.shape[1]! / groups));
    for (const [o, ...k] of indices([perGroup, ...w.shape.slice(2)]) as [number, ...number[]][]) {
      const to = axes.map((a, i) => at[i]! * a.stride + k[i]! * a.dilation - a.padding[0]);
      if (to.some((v, i) => v < 0 || v >= size[i]!)) continue;
      const value = xs[flat(x.shape, [n, c, ...at])]! * ws[flat(w.shape, [c, o, ...k])]!;
      y[flat(shape, [n, group * perGroup + o, ...to])]! += value;
    }
  }
  return y;
}
