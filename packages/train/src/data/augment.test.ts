import { Generator, type Tensor, tensor } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { randomStream } from "../random.js";
import type { Batch } from "../structure.js";
import { augment, cutout, mixup, noise, randomCrop, randomFlip, randomRotation, randomShift } from "./augment.js";

const image = (h: number, w: number) =>
  tensor(
    Float32Array.from({ length: 8 * 2 * h * w }, (_, i) => 1 + (i % (h * w))),
    { shape: [8, 2, h, w] },
  );
const random = () => ({ generator: new Generator(3) });
const planes = async (x: Tensor): Promise<number[][][][]> => (await x.toArray()) as number[][][][];

describe("augmentation", () => {
  it("flips some images, whole", async () => {
    const x = image(2, 3);
    const flipped = await planes(x.flip(3));
    const plain = await planes(x);
    const got = await planes(randomFlip()(x, random()));
    const kinds = got.map((one) => [plain[0], flipped[0]].findIndex((p) => JSON.stringify(p) === JSON.stringify(one)));
    expect(new Set(kinds)).toEqual(new Set([0, 1]));
    expect(await planes(randomFlip({ p: 1, vertical: true })(x, random()))).toEqual(await planes(x.flip(2)));
    expect(await planes(randomFlip({ p: 0 })(x, random()))).toEqual(plain);
  });

  it("crops and shifts: every result is a part of the padded image", async () => {
    const x = image(3, 4);
    const [base] = (await planes(x))[0];
    const at = (r: number, c: number) => base[r]?.[c] ?? 0;
    const found = new Set<string>();
    for (const [one] of await planes(randomShift(1)(x, random()))) {
      for (const dr of [-1, 0, 1]) {
        for (const dc of [-1, 0, 1]) {
          const moved = base.map((row, r) => row.map((_, c) => at(r + dr, c + dc)));
          if (JSON.stringify(moved) === JSON.stringify(one)) found.add(`${dr} ${dc}`);
        }
      }
    }
    expect(found.size).toBeGreaterThan(2);
    const cropped = await planes(randomCrop(2)(x, random()));
    for (const [a, b] of cropped) {
      expect(a).toEqual(b); // both channels at the same place
      expect(a[1][0] - a[0][0]).toBe(4);
      expect(a[0][1] - a[0][0]).toBe(1);
    }
    expect(() => randomCrop(9)(x, random())).toThrow("images of at least 9×9 after padding, got 3×4");
  });

  it("rotates: by nothing nothing changes, and a disc stays a disc", async () => {
    const x = image(4, 4);
    expect(await planes(randomRotation(0)(x, random()))).toEqual(await planes(x));
    const disc = tensor(
      Float32Array.from({ length: 225 }, (_, i) =>
        Math.exp(-(((i % 15) - 7) ** 2 + (Math.floor(i / 15) - 7) ** 2) / 8),
      ),
      { shape: [1, 1, 15, 15] },
    );
    const turned = randomRotation(180)(disc, random());
    expect(await turned.sub(disc).abs().max().item()).toBeLessThan(0.05);
    expect(await turned.sub(disc).abs().max().item()).toBeGreaterThan(0);
  });

  it("adds noise, cuts out squares", async () => {
    const x = image(6, 6);
    const n = noise(0.5)(x, random()).sub(x);
    expect(await n.square().mean().item()).toBeCloseTo(0.25, 1);
    const holes = (await planes(cutout(3)(x, random()))).map(([a]) => a.flat().filter((v) => v === 0).length);
    expect(Math.max(...holes)).toBeLessThanOrEqual(9);
    expect(Math.min(...holes)).toBeGreaterThanOrEqual(4); // in a corner
  });

  it("mixes samples and targets by the same share", async () => {
    const map = mixup(0.4, { numClasses: 4 });
    const batch: Batch = [tensor([[0], [1], [2], [3]]), tensor(Int32Array.of(0, 1, 2, 3))];
    const [x, y] = (await map(batch, { ...random(), random: randomStream(5) })) as readonly [Tensor, Tensor];
    const [xs, ys] = [(await x.toArray()) as number[][], (await y.toArray()) as number[][]];
    for (const [i, row] of ys.entries()) {
      expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
      expect(row.reduce((sum, p, c) => sum + p * c, 0)).toBeCloseTo(xs[i][0], 5);
    }
    const again: Batch = [tensor([[0]]), tensor(Int32Array.of(0))];
    expect(() => mixup(1)(again, { ...random(), random: randomStream(1) })).toThrow("numClasses");
  });

  it("is a loader's map", async () => {
    const [x, y] = (await augment(randomFlip({ p: 1 }), noise(0))([image(2, 2), tensor([1])], {
      ...random(),
      random: randomStream(1),
    })) as readonly [Tensor, Tensor];
    expect(await planes(x)).toEqual(await planes(image(2, 2).flip(3)));
    expect(await y.toArray()).toEqual([1]);
    expect(() => augment()([tensor([1])], { ...random(), random: randomStream(1) })).toThrow(
      "images x (N, C, H, W), got (1)",
    );
  });
});
