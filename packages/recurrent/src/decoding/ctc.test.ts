import { ctcLoss } from "@nn/layers";
import { manualSeed, NNError, randn, type Tensor, tensor, zeros } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { ctcBeamSearch, ctcGreedySearch } from "./ctc.js";

beforeEach(() => manualSeed(1));

/** (T, C) as numbers. */
const rowsOf = (t: Tensor): number[][] => {
  const [steps, classes] = t.shape as [number, number];
  const flat = Array.from(t.readSync());
  return Array.from({ length: steps }, (_, i) => flat.slice(i * classes, (i + 1) * classes));
};

const collapse = (path: readonly number[], blank: number) => path.filter((c, i) => c !== blank && c !== path[i - 1]);

/** All labels with their probabilities, from all alignments; the likeliest first. */
function everything(rows: readonly number[][], blank: number): [string, number][] {
  const found = new Map<string, number>();
  const walk = (path: number[], logProb: number) => {
    if (path.length === rows.length) {
      const key = collapse(path, blank).join();
      found.set(key, (found.get(key) ?? 0) + Math.exp(logProb));
    } else for (const [c, p] of rows[path.length]!.entries()) walk([...path, c], logProb + p);
  };
  walk([], 0);
  return [...found].sort((a, b) => b[1] - a[1]);
}

describe("ctcGreedySearch", () => {
  const best = (path: readonly number[]) => path.map((c) => [0, 1, 2].map((k) => (k === c ? -0.1 : -3)));

  it("joins repeats and drops blanks", async () => {
    const [one] = await ctcGreedySearch(best([0, 1, 1, 0, 1, 2, 2, 0]));
    expect(one).toEqual({ labels: [1, 1, 2], logProb: expect.closeTo(-0.8, 10) });
    expect((await ctcGreedySearch(best([0, 1, 1, 0, 1, 2, 2, 0]), { blank: 2 }))[0]!.labels).toEqual([0, 1, 0, 1, 0]);
    expect((await ctcGreedySearch(best([0, 0])))[0]!.labels).toEqual([]);
  });

  it("takes a batch, as a tensor or as numbers, and lengths", async () => {
    const [a, b] = [best([1, 2, 0, 1]), best([2, 2, 2, 1])];
    const batch = a.map((row, t) => [row, b[t]!]);
    const lengths = [2, 3];
    for (const given of [batch, tensor(batch)]) {
      expect((await ctcGreedySearch(given)).map((h) => h.labels)).toEqual([
        [1, 2, 1],
        [2, 1],
      ]);
      expect((await ctcGreedySearch(given, { lengths })).map((h) => h.labels)).toEqual([[1, 2], [2]]);
    }
    expect((await ctcGreedySearch(tensor(batch), { lengths: [0, 4] }))[0]).toEqual({ labels: [], logProb: 0 });
  });
});

describe("ctcBeamSearch", () => {
  it.each([
    [5, 3, 0],
    [4, 4, 3],
    [6, 3, 1],
  ])("finds what all alignments say: %i steps, %i classes, blank %i", async (steps, classes, blank) => {
    for (let round = 0; round < 3; round++) {
      const x = randn([steps, classes]).mul(1.5).logSoftmax(-1);
      const rows = rowsOf(x);
      const want = everything(rows, blank);
      for (const given of [x, rows]) {
        const [all] = await ctcBeamSearch(given, { blank, beamWidth: 5000, nBest: 5000 });
        expect(all!.map((h) => h.labels.join())).toEqual(want.map(([labels]) => labels));
        expect(all!.map((h) => Math.exp(h.logProb))).toEqual(want.map(([, p]) => expect.closeTo(p, 10)));
        expect((await ctcBeamSearch(given, { blank, beamWidth: 5000 }))[0]).toEqual(all!.slice(0, 1));
      }
    }
  });

  it("says of its labels what the loss says", async () => {
    const x = randn([12, 1, 5]).logSoftmax(-1);
    const [all] = await ctcBeamSearch(x, { beamWidth: 2000, nBest: 3 });
    for (const { labels, logProb } of all!) {
      const loss = ctcLoss(x, tensor(Int32Array.from(labels), { shape: [1, labels.length] }), [12], [labels.length], {
        reduction: "sum",
      });
      // What fell off the beam on the way counts in the loss.
      expect(logProb).toBeLessThan(-loss.readSync()[0]! + 1e-4);
      expect(logProb).toBeCloseTo(-loss.readSync()[0]!, 2);
    }
  });

  it("finds labels that no likeliest alignment has", async () => {
    // Blank is the likeliest at both steps, but "1" has three alignments: 0.24 + 0.24 + 0.16 > 0.36.
    const rows = [0, 1].map(() => [Math.log(0.6), Math.log(0.4)]);
    expect((await ctcGreedySearch(rows))[0]!.labels).toEqual([]);
    const [[first]] = (await ctcBeamSearch(rows)) as [[{ labels: number[]; logProb: number }]];
    expect(first.labels).toEqual([1]);
    expect(Math.exp(first.logProb)).toBeCloseTo(0.64, 10);
  });

  it("keeps a narrow beam, and leaves out what is unlikely at a step", async () => {
    const x = randn([20, 2, 6]).mul(3).logSoftmax(-1);
    const [wide, narrow, pruned] = await Promise.all([
      ctcBeamSearch(x, { beamWidth: 200 }),
      ctcBeamSearch(x, { beamWidth: 2, nBest: 9 }),
      ctcBeamSearch(x, { beamWidth: 200, minLogProb: Math.log(1e-3) }),
    ]);
    expect(narrow.map((list) => list.length)).toEqual([2, 2]);
    for (const n of [0, 1]) {
      expect(narrow[n]![0]!.logProb).toBeLessThanOrEqual(wide[n]![0]!.logProb + 1e-9);
      expect(pruned[n]![0]!.labels).toEqual(wide[n]![0]!.labels);
      expect(pruned[n]![0]!.logProb).toBeCloseTo(wide[n]![0]!.logProb, 1);
    }
    // With nothing but the likeliest class and the blank, there is no choice of labels.
    const greedy = await ctcGreedySearch(x);
    const single = await ctcBeamSearch(x, { beamWidth: 1, minLogProb: 0 });
    const classes = new Set(greedy[0]!.labels);
    expect(single[0]![0]!.labels.every((c) => classes.has(c))).toBe(true);
  });

  it("heeds lengths, and probabilities of 0", async () => {
    const x = randn([6, 2, 3]).logSoftmax(-1);
    const both = await ctcBeamSearch(x, { lengths: [3, 0], nBest: 2 });
    const [alone] = await ctcBeamSearch(
      x.slice([
        [0, 3],
        [0, 1],
      ]),
      { nBest: 2 },
    );
    expect(both[0]).toEqual(alone);
    expect(both[1]).toEqual([{ labels: [], logProb: 0 }]);
    const never = Number.NEGATIVE_INFINITY;
    const sure = [
      [never, 0, never],
      [never, never, 0],
    ];
    expect(await ctcBeamSearch(sure, { nBest: 9 })).toEqual([[{ labels: [1, 2], logProb: 0 }]]);
    expect(await ctcBeamSearch([[never, never]])).toEqual([[]]);
  });

  it("names the fault", async () => {
    await expect(ctcBeamSearch(zeros([3]))).rejects.toThrow(
      "ctcBeamSearch: expected logProbs (T, N, C) or (T, C), got (3)",
    );
    await expect(ctcBeamSearch(zeros([3, 4]), { blank: 4 })).rejects.toThrow("blank from 0 to 3, got 4");
    await expect(ctcGreedySearch(zeros([3, 1, 4]), { lengths: [4] })).rejects.toThrow("lengths from 0 to 3, got 4");
    await expect(ctcGreedySearch(zeros([3, 1, 4]), { lengths: [3, 3] })).rejects.toThrow("1 lengths");
    await expect(ctcGreedySearch([[0, Number.NaN]])).rejects.toThrow("log-probabilities, got NaN");
    await expect(ctcGreedySearch([[0, 1], [0]])).rejects.toThrow(NNError);
    await expect(ctcGreedySearch([])).rejects.toThrow(NNError);
    await expect(ctcBeamSearch([[0, 1]], { beamWidth: 0 })).rejects.toThrow("beamWidth, a whole number ≥ 1, got 0");
  });
});
