import { memory, randn, tensor, zeros } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { cosineSimilarity, normalize } from "./similarity.js";

const rounded = (t: { readSync(): Iterable<number> }) => [...t.readSync()].map((v) => +v.toFixed(5));

describe("normalize", () => {
  it("makes the norm 1 along an axis", () => {
    expect(
      rounded(
        normalize(
          tensor([
            [3, 4],
            [0, -2],
          ]),
        ),
      ),
    ).toEqual([0.6, 0.8, 0, -1]);
    expect(
      rounded(
        normalize(
          tensor([
            [3, 4],
            [1, -4],
          ]),
          { p: 1, axis: 0 },
        ),
      ),
    ).toEqual([0.75, 0.5, 0.25, -0.5]);
    expect(rounded(normalize(tensor([[3, -4]]), { p: Number.POSITIVE_INFINITY }))).toEqual([0.75, -1]);
    expect(rounded(normalize(zeros([1, 2])))).toEqual([0, 0]);
  });
});

describe("cosineSimilarity", () => {
  it("is the cosine of the angle; shapes broadcast", () => {
    const a = tensor([
      [3, 4],
      [1, 0],
      [0, 0],
    ]);
    expect(rounded(cosineSimilarity(a, tensor([[4, 3]])))).toEqual([0.96, 0.8, 0]);
    expect(cosineSimilarity(randn([2, 3, 4]), randn([3, 4]), { axis: -1 }).shape).toEqual([2, 3]);
  });

  it("leaves nothing behind, and names the fault", () => {
    const [a, b] = [randn([2, 3]), randn([2, 3])];
    const { tensors } = memory();
    cosineSimilarity(a, b).dispose();
    expect(memory().tensors).toBe(tensors);
    expect(() => normalize(zeros([3]))).toThrow(/axis/);
  });
});
