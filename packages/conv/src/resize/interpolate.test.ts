import { checkGradients, grad, memory, randn, type Tensor, tensor, zeros } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { type InterpolateMode, type InterpolateOptions, interpolate } from "./interpolate.js";
import { Upsample, UpsamplingBilinear2d, UpsamplingNearest2d } from "./layers.js";

const square = tensor([
  [
    [
      [1, 2],
      [3, 4],
    ],
  ],
]);
const row = (t: Tensor) => [...t.readSync()].map((v) => Number(v.toFixed(4)));
const line = (data: number[], options: InterpolateOptions) => row(interpolate(tensor([[data]]), options));

describe("interpolate", () => {
  it("gives the figures of PyTorch's documentation", () => {
    expect(row(new Upsample({ scaleFactor: 2 }).forward(square))).toEqual([
      1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4,
    ]);
    expect(row(new Upsample({ scaleFactor: 2, mode: "bilinear" }).forward(square))).toEqual([
      1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4,
    ]);
    expect(row(new UpsamplingBilinear2d({ scaleFactor: 2 }).forward(square))).toEqual([
      1, 1.3333, 1.6667, 2, 1.6667, 2, 2.3333, 2.6667, 2.3333, 2.6667, 3, 3.3333, 3, 3.3333, 3.6667, 4,
    ]);
  });

  it("takes the element before, or the nearest", () => {
    expect(line([0, 1, 2, 3, 4], { size: 3 })).toEqual([0, 1, 3]); // ⌊i · 5/3⌋
    expect(line([0, 1, 2, 3, 4], { size: 3, mode: "nearest-exact" })).toEqual([0, 2, 4]); // ⌊(i + ½) · 5/3⌋
    expect(line([0, 1], { size: 6 })).toEqual([0, 0, 0, 1, 1, 1]);
    expect(line([0, 1, 2, 3], { scaleFactor: 0.5 })).toEqual([0, 2]);
    expect(row(new UpsamplingNearest2d({ size: [1, 4] }).forward(square))).toEqual([1, 1, 2, 2]);
  });

  it("takes positions from the factor as given, or from the sizes", () => {
    // 5 · 1.3 = 6.5: six elements, 1/1.3 or 5/6 apart.
    const data = [0, 10, 20, 30, 40];
    const at = (scale: number) =>
      [0, 1, 2, 3, 4, 5].map((i) => 10 * Math.min(4, Math.max(0, (i + 0.5) * scale - 0.5))).map((v) => +v.toFixed(4));
    expect(line(data, { scaleFactor: 1.3, mode: "linear" })).toEqual(at(1 / 1.3));
    expect(line(data, { scaleFactor: 1.3, mode: "linear", recomputeScaleFactor: true })).toEqual(at(5 / 6));
  });

  it.each<[InterpolateMode, number]>([
    ["linear", 1],
    ["bilinear", 2],
    ["bicubic", 2],
    ["trilinear", 3],
  ])("%s keeps constants, and with alignCorners the corners", (mode, axes) => {
    const from = [3, 4, 2].slice(0, axes);
    const size = [5, 3, 7].slice(0, axes);
    for (const v of interpolate(zeros([1, 1, ...from]).add(3), { size, mode }).readSync()) expect(v).toBeCloseTo(3, 5);
    const x = randn([1, 1, ...from]);
    const y = interpolate(x, { size, mode, alignCorners: true });
    expect(y.readSync()[0]).toBeCloseTo(x.readSync()[0]!, 5);
    expect(y.readSync().at(-1)).toBeCloseTo(x.readSync().at(-1)!, 5);
  });

  it("reproduces straight lines, and the same size", () => {
    expect(line([0, 1, 2, 3], { size: 7, mode: "linear", alignCorners: true })).toEqual([0, 0.5, 1, 1.5, 2, 2.5, 3]);
    const x = randn([2, 3, 4, 5]);
    expect([...interpolate(x, { size: [4, 5], mode: "bicubic" }).readSync()]).toEqual([...x.readSync()]);
    expect(line([1, 2, 3], { size: 1, mode: "linear", alignCorners: true })).toEqual([1]);
  });

  it("differentiates twice", async () => {
    const x = randn([1, 1, 3, 4]);
    const f = (t: Tensor) =>
      grad(
        () =>
          interpolate(t, { size: [5, 3], mode: "bicubic" })
            .square()
            .mul(0.5)
            .sum(),
        [t],
      )[0]!;
    await checkGradients((t) => f(t!), [x], { tolerance: 4e-3 });
  });

  it("leaves nothing behind", () => {
    const x = randn([1, 2, 3, 4]);
    const { tensors } = memory();
    interpolate(x, { size: 5, mode: "bilinear" }).dispose();
    interpolate(x, { scaleFactor: [2, 1.5] }).dispose();
    expect(memory().tensors).toBe(tensors);
  });

  const x = zeros([1, 2, 4, 4]);
  it.each<[string, () => unknown, RegExp]>([
    ["mode", () => interpolate(x, { size: 2, mode: "area" as never }), /expected mode "nearest" or .*, got "area"/],
    ["axes", () => interpolate(x, { size: 2, mode: "linear" }), /x \(N, C, L\) for mode "linear", got \(1, 2, 4, 4\)/],
    ["no batch", () => interpolate(zeros([4, 4]), { size: 2 }), /x \(N, C, …\) with 1, 2 or 3 spatial axes for mode/],
    ["neither", () => new Upsample({}), /^Upsample: expected either size or scaleFactor, got neither/],
    ["both", () => interpolate(x, { size: 2, scaleFactor: 2 }), /either size or scaleFactor, got both/],
    ["alignCorners", () => interpolate(x, { size: 2, alignCorners: true }), /no alignCorners with mode "nearest"/],
    ["size", () => interpolate(x, { size: [2] }), /size: an integer ≥ 1, or 2 of them \(H, W\), got \[2\]/],
    ["scaleFactor", () => interpolate(x, { scaleFactor: 0.1 }), /that leave at least 1 of \(4, 4\), got 0.1/],
  ])("names the fault: %s", (_, f, message) => {
    expect(f).toThrow(message);
  });
});
