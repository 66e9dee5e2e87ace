import { manualSeed, randn, tensor, zeros } from "@nn/tensor";
import { expect, it } from "vitest";
import { RMSNorm } from "./rms-norm.js";

it("divides by the root mean square, times the weight", async () => {
  const layer = new RMSNorm(4, { eps: 0 });
  layer.weight!.value = tensor([1, 2, 3, 4]);
  const rows = [
    [1, -1, 1, 1], // root mean square 1
    [2, 0, 0, 0], // 1
    [1, 5, 5, 7], // 5
  ];
  const want = [
    [1, -2, 3, 4],
    [2, 0, 0, 0],
    [0.2, 2, 3, 5.6],
  ];
  const y = (await layer.forward(tensor(rows)).toArray()) as number[][];
  for (const [i, row] of y.entries()) for (const [k, v] of row.entries()) expect(v).toBeCloseTo(want[i]![k]!, 5);
  expect(Object.keys(layer.stateDict())).toEqual(["weight"]);
});

it("takes several axes, and zeros; eps is added to the mean square", async () => {
  manualSeed(1);
  const x = randn([2, 3, 4]);
  const y = new RMSNorm([3, 4], { eps: 0.5, elementwiseAffine: false }).forward(x);
  const [flat, got] = [Array.from(x.readSync()), Array.from(y.readSync())];
  for (const i of [0, 1]) {
    const sample = flat.slice(12 * i, 12 * i + 12);
    const root = Math.sqrt(sample.reduce((s, v) => s + v * v, 0) / 12 + 0.5);
    for (const [k, v] of sample.entries()) expect(got[12 * i + k]).toBeCloseTo(v / root, 5);
  }
  expect(await new RMSNorm(2).forward(zeros([1, 2])).toArray()).toEqual([[0, 0]]);
});

it("says what is wrong", () => {
  expect(() => new RMSNorm(4).forward(zeros([4, 3]))).toThrow("RMSNorm: expected x (…, 4), got (4, 3)");
  expect(() => new RMSNorm(0)).toThrow("RMSNorm: expected normalizedShape to be a whole number ≥ 1");
  expect(() => new RMSNorm(3, { eps: -1 })).toThrow("RMSNorm: expected eps");
});
