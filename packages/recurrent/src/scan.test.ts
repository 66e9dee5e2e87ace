// The scans as ops: their shape rules, and that a kernel can take the place of the loop.

import {
  apply,
  compile,
  getBackend,
  type Kernel,
  NNError,
  randn,
  reference,
  setBackend,
  type Tensor,
  tensor,
  valueAndGrad,
} from "@nn/tensor";
import { expect, test } from "vitest";
import { gruScan, gruScanOp, lstmScan, RNN, type RnnScanAttrs, rnnScan, rnnScanOp } from "./index.js";

const [T, N, I, H] = [4, 2, 3, 5];
const none = { bias: false, reverse: false, lengths: false };

const inputs = (gates: number) => ({
  x: randn([T, N, I]),
  states: [randn([N, H])],
  weightIh: randn([gates * H, I]),
  weightHh: randn([gates * H, H]),
});

test("outputs are the sequence and the final states; the last output is the final state", async () => {
  const [y, h] = gruScan(inputs(3), none);
  expect([y!.shape, h!.shape]).toEqual([
    [T, N, H],
    [N, H],
  ]);
  expect(await y!.select(0, -1).sub(h!).abs().max().item()).toBe(0);
  const [p, r, c] = lstmScan(
    { ...inputs(4), states: [randn([N, 2]), randn([N, H])], weightHh: randn([4 * H, 2]), weightHr: randn([2, H]) },
    { ...none, projection: true, reverse: true },
  );
  expect([p!.shape, r!.shape, c!.shape]).toEqual([
    [T, N, 2],
    [N, 2],
    [N, H],
  ]);
  expect(await p!.select(0, 0).sub(r!).abs().max().item()).toBe(0);
});

test.each<[string, () => unknown, string]>([
  [
    "x",
    () => gruScan({ ...inputs(3), x: randn([N, I]) }, none),
    "recurrent/gruScan: expected x (T, N, I) f32, got (2, 3) f32",
  ],
  ["no steps", () => gruScan({ ...inputs(3), x: randn([0, N, I]) }, none), "expected x (T, N, I) with T ≥ 1"],
  [
    "gates",
    () => gruScan({ ...inputs(3), weightIh: randn([14, I]) }, none),
    "expected weightIh (12, 3) f32, got (14, 3) f32",
  ],
  [
    "weightHh",
    () => gruScan({ ...inputs(3), weightHh: randn([3 * H, 4]) }, none),
    "expected weightHh (15, 5) f32, got (15, 4) f32",
  ],
  ["state", () => gruScan({ ...inputs(3), states: [randn([3, H])] }, none), "expected h0 (2, 5) f32, got (3, 5) f32"],
  ["too few inputs", () => apply(gruScanOp, [randn([T, N, I])], none), "expected 4 inputs, got 1"],
  [
    "biases not announced",
    () => gruScan({ ...inputs(3), biasIh: randn([15]), biasHh: randn([15]) }, none),
    "expected 4 inputs, got 6",
  ],
  [
    "lengths",
    () => gruScan({ ...inputs(3), lengths: randn([N]) }, { ...none, lengths: true }),
    "expected lengths (2) i32, got (2) f32",
  ],
])("error: %s", (_, run, message) => {
  expect(run).toThrow(NNError);
  expect(run).toThrow(message);
});

test("a kernel takes the place of the loop, where the backend has one", async () => {
  const before = getBackend();
  try {
    const [layer, x] = [new RNN(I, H, { bidirectional: true }), randn([T, N, I])];
    const want = await numbers(layer.forward(x).output);
    const given = (await x.toArray()) as number[][];
    const state: Record<string, number[][]> = {};
    for (const [key, t] of Object.entries(layer.stateDict())) state[key] = (await t.toArray()) as number[][];

    let runs = 0;
    setBackend(reference({ kernels: [rnnKernel(() => runs++)] }));
    const [other, y] = [new RNN(I, H, { bidirectional: true }), tensor(given)];
    other.loadStateDict(Object.fromEntries(Object.entries(state).map(([key, v]) => [key, tensor(v)])));
    const isRight = async (t: Tensor) => {
      const got = await numbers(t);
      expect(Math.max(...got.map((v, i) => Math.abs(v - want[i]!)))).toBeLessThan(1e-6);
    };

    await isRight(other.forward(y).output);
    expect(runs).toBe(2); // once per direction
    await isRight(compile((y: Tensor) => other.forward(y).output)(y));
    expect(runs).toBe(4);

    // A scan has no vjp: training goes round such a kernel, through the lowering. Its loop is what has one.
    const [total] = valueAndGrad(() => other.forward(y).output.sum(), other.parameters());
    expect(await total.item()).toBeCloseTo(
      want.reduce((a, b) => a + b, 0),
      4,
    );
    expect(runs).toBe(4);
  } finally {
    setBackend(before);
  }
});

test("the plain scan is the same with and without names", async () => {
  const { x, states, weightIh, weightHh } = inputs(1);
  const attrs = { ...none, nonlinearity: "tanh" } as const;
  const [a] = rnnScan({ x, states, weightIh, weightHh }, attrs);
  const [b] = apply(rnnScanOp, [x, states[0]!, weightIh, weightHh], attrs);
  expect(await a!.sub(b!).abs().max().item()).toBe(0);
});

// ───────────────────────────────────────────────────────────────────────────────────────────────────

async function numbers(t: Tensor): Promise<number[]> {
  return Array.from(await t.read());
}

type Words = { readonly f32: Float32Array };
type Run = (ins: readonly Words[], outs: readonly Words[]) => void;

/** tanh with biases, in plain loops over whatever strides come. */
function rnnKernel(ran: () => void): Kernel<never, Run> {
  const kernel: Kernel<RnnScanAttrs, Run> = {
    op: "recurrent/rnnScan",
    accepts: ({ attrs }) => attrs.nonlinearity === "tanh" && attrs.bias && !attrs.lengths,
    emit:
      ({ ins, attrs }) =>
      (given, [y, last]) => {
        ran();
        const at = (k: number, ...index: number[]) =>
          given[k]!.f32[index.reduce((sum, i, axis) => sum + i * ins[k]!.strides[axis]!, ins[k]!.offset)]!;
        const [steps, rows, features] = ins[0]!.shape as [number, number, number];
        const size = ins[1]!.shape[1]!;
        for (let n = 0; n < rows; n++) {
          let h = Array.from({ length: size }, (_, j) => at(1, n, j));
          for (let i = 0; i < steps; i++) {
            const t = attrs.reverse ? steps - 1 - i : i;
            h = h.map((_, j) => {
              let sum = at(4, j) + at(5, j);
              for (let k = 0; k < features; k++) sum += at(2, j, k) * at(0, t, n, k);
              for (let k = 0; k < size; k++) sum += at(3, j, k) * h[k]!;
              return Math.tanh(sum);
            });
            y!.f32.set(h, (t * rows + n) * size);
          }
          last!.f32.set(h, n * size);
        }
      },
  };
  return kernel;
}
