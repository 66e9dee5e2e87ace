import { checkGradients, manualSeed, memory, randn, type Tensor, tensor, zeros } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { Bilinear } from "./bilinear.js";

const list = (t: Tensor) => Array.from(t.readSync());
beforeEach(() => manualSeed(9));

describe("Bilinear", () => {
  it("sums all products, for any leading axes", async () => {
    const layer = new Bilinear(2, 3, 1);
    layer.weight.value = tensor([
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ]);
    layer.bias!.value = tensor([0.5]);
    expect(list(layer.forward(tensor([2, 1]), tensor([1, 0, -1])))).toEqual([2 * (1 - 3) + (4 - 6) + 0.5]);
    const wide = new Bilinear(2, 3, 4, { bias: false });
    expect(wide.forward(randn([5, 6, 2]), randn([5, 6, 3])).shape).toEqual([5, 6, 4]);
    expect(Object.keys(wide.stateDict())).toEqual(["weight"]);
    await checkGradients((a, b) => wide.forward(a, b), [randn([2, 2]), randn([2, 3]), wide.weight] as never);
  });

  it("begins within ±1/√in1Features, and leaves nothing behind", () => {
    const layer = new Bilinear(16, 3, 4);
    expect(list(layer.weight.value).every((v) => Math.abs(v) <= 0.25)).toBe(true);
    const [a, b] = [zeros([2, 16]), zeros([2, 3])];
    const { tensors } = memory();
    layer.forward(a, b).dispose();
    expect(memory().tensors).toBe(tensors);
  });

  it("names the fault", () => {
    const layer = new Bilinear(2, 3, 1);
    expect(() => layer.forward(zeros([4, 2]), zeros([5, 3]))).toThrow(
      "expected x1 (…, 2) and x2 (…, 3), got (4, 2) and (5, 3)",
    );
    expect(() => new Bilinear(0, 3, 1)).toThrow("Bilinear: expected in1Features to be a whole number ≥ 1, got 0");
  });
});
