// Metrics against examples worked by hand, against naive definitions, and batch by batch against all at once.

import { tensor } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { randomStream } from "../random.js";
import { AUC } from "./auc.js";
import { Accuracy, ConfusionMatrix, F1, MeanIoU, Precision, Recall, TopKAccuracy } from "./classification.js";
import type { Metric, MetricValue, Nested } from "./metric.js";
import { Perplexity } from "./perplexity.js";
import { MAE, MAPE, MSE, R2, RMSE } from "./regression.js";
import { BLEU, CharacterErrorRate, editDistance, WordErrorRate } from "./text.js";

const of = async (metric: Metric, output: unknown, target: unknown): Promise<MetricValue> => {
  metric.reset();
  await metric.update(output, target);
  return metric.result();
};

const oneHot = (c: number, n: number) => Array.from({ length: n }, (_, i) => (i === c ? 1 : 0));

describe("by hand", () => {
  // actual 0 0 0 1 1 2, predicted 0 0 1 1 0 2
  const output = [0, 0, 1, 1, 0, 2].map((c) => oneHot(c, 3));
  const target = [0, 0, 0, 1, 1, 2];

  it("accuracy and the confusion matrix", async () => {
    expect(await of(new Accuracy(), output, target)).toBe(4 / 6);
    expect(await of(new Accuracy(), tensor(output), tensor(Int32Array.from(target)))).toBe(4 / 6);
    expect(await of(new ConfusionMatrix(), output, target)).toEqual([
      [2, 1, 0],
      [1, 1, 0],
      [0, 0, 1],
    ]);
    expect(await of(new ConfusionMatrix({ numClasses: 4 }), [oneHot(0, 4)], [3])).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [1, 0, 0, 0],
    ]);
    expect(await of(new Accuracy(), output, [-100, 0, 0, 1, 1, 2])).toBe(3 / 5);
    expect(new Accuracy().result()).toBeNaN();
  });

  it("precision, recall, F1 and IoU, by class, macro and micro", async () => {
    const none = { average: "none" } as const;
    expect(await of(new Precision(none), output, target)).toEqual([2 / 3, 1 / 2, 1]);
    expect(await of(new Recall(none), output, target)).toEqual([2 / 3, 1 / 2, 1]);
    expect(await of(new F1(none), output, target)).toEqual([2 / 3, 1 / 2, 1]);
    expect(await of(new MeanIoU(none), output, target)).toEqual([2 / 4, 1 / 3, 1]);
    expect(await of(new F1(), output, target)).toBeCloseTo((2 / 3 + 1 / 2 + 1) / 3, 12);
    expect(await of(new MeanIoU(), output, target)).toBeCloseTo((1 / 2 + 1 / 3 + 1) / 3, 12);
    expect(await of(new F1({ average: "micro" }), output, target)).toBe(4 / 6);
    // a class that does not occur counts in none of them; one that is only predicted counts as 0
    expect(await of(new F1(), [oneHot(0, 4), oneHot(1, 4)], [0, 0])).toBeCloseTo((2 / 3 + 0) / 2, 12);
    expect(await of(new Recall(none), [oneHot(0, 3)], [0])).toEqual([1, Number.NaN, Number.NaN]);
    expect(() => new F1({ average: "weighted" as any })).toThrow('average "macro", "micro", "binary" or "none"');
  });

  it("decisions of single numbers", async () => {
    const binary = { average: "binary" } as const;
    const scores = [0.9, 0.4, 0.6, 0.2];
    expect(await of(new Precision(binary), scores, [1, 1, 0, 0])).toBe(1 / 2);
    expect(await of(new Recall(binary), scores, [1, 1, 0, 0])).toBe(1 / 2);
    expect(await of(new Accuracy({ threshold: 0.3 }), scores, [1, 1, 0, 0])).toBe(3 / 4);
    expect(await of(new Accuracy({ threshold: 0 }), [[2], [-1]], [1, 0])).toBe(1); // (N, 1) logits
    expect(
      await of(
        new Accuracy(),
        [
          [0.9, 0.1],
          [0.2, 0.3],
        ],
        [
          [1, 0],
          [1, 0],
        ],
      ),
    ).toBe(3 / 4);
    expect(
      await of(
        new Accuracy({ oneHot: true }),
        [
          [0.9, 0.1],
          [0.2, 0.3],
        ],
        [
          [1, 0],
          [1, 0],
        ],
      ),
    ).toBe(1 / 2);
  });

  it("images, classes along axis 1", async () => {
    // (1, 2, 1, 3): decisions 0 1 1 against 0 1 0
    const maps = [[[[0.9, 0.1, 0.4]], [[0.1, 0.9, 0.6]]]];
    expect(await of(new Accuracy(), maps, [[[0, 1, 0]]])).toBeCloseTo(2 / 3, 12);
    expect(await of(new MeanIoU(), maps, [[[0, 1, 0]]])).toBe(1 / 2);
  });

  it("top k", async () => {
    const scores = [
      [0.1, 0.5, 0.4],
      [0.3, 0.3, 0.4],
      [0.2, 0.7, 0.1],
    ];
    expect(await of(new TopKAccuracy(1), scores, [1, 0, 0])).toBe(1 / 3);
    expect(await of(new TopKAccuracy(2), scores, [2, 0, 0])).toBe(1);
    expect(await of(new TopKAccuracy(2), scores, [2, 1, 0])).toBe(2 / 3); // of equals the first
    expect(await of(new TopKAccuracy(1), [[Number.NaN, 1]], [0])).toBe(0);
  });

  it("AUC", async () => {
    expect(await of(new AUC(), [0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBe(0.75); // scikit-learn's example
    expect(await of(new AUC(), [0.5, 0.5], [0, 1])).toBe(0.5);
    expect(await of(new AUC(), [0.5, 0.7], [1, 1])).toBeNaN();
  });

  it("regression", async () => {
    const [y, t] = [
      [2.5, 0, 2, 8],
      [3, -0.5, 2, 7],
    ]; // scikit-learn's examples
    expect(await of(new MAE(), y, t)).toBe(0.5);
    expect(await of(new MSE(), y, t)).toBe(0.375);
    expect(await of(new RMSE(), y, t)).toBeCloseTo(0.6123724356957945, 12);
    expect(await of(new R2(), y, t)).toBeCloseTo(0.9486081370449679, 12);
    expect(await of(new MAPE(), y, t)).toBeCloseTo(0.3273809523809524, 12);
    expect(await of(new R2(), [1, 2], [5, 5])).toBeNaN();
    await expect(of(new MAE(), [1, 2], [[1, 2]])).rejects.toThrow(
      "MAE: expected a target of the output's shape (2), got (1, 2)",
    );
  });

  it("perplexity: even guesses among 4 are 4", async () => {
    const even = [
      [0, 0, 0, 0],
      [1000, 1000, 1000, 1000],
    ];
    expect(await of(new Perplexity(), even, [3, 0])).toBeCloseTo(4, 10);
    expect(
      await of(
        new Perplexity({ ignoreIndex: 0 }),
        [
          [5, 0],
          [0, Math.log(3)],
        ],
        [0, 1],
      ),
    ).toBeCloseTo(4 / 3, 10);
    // (N, C, T)
    expect(
      await of(
        new Perplexity(),
        [
          [
            [0, Math.log(3)],
            [0, 0],
          ],
        ],
        [[1, 0]],
      ),
    ).toBeCloseTo(Math.sqrt((2 * 4) / 3), 10);
  });

  it("error rates", async () => {
    expect(editDistance([..."kitten"], [..."sitting"])).toBe(3);
    expect(await of(new CharacterErrorRate(), "kitten", "sitting")).toBe(3 / 7);
    expect(await of(new WordErrorRate(), ["the cat sat", ""], ["the cat  sat down", "a b"])).toBe(3 / 6);
    expect(await of(new CharacterErrorRate(), "a😀", "b😀")).toBe(1 / 2);
    expect(() => new WordErrorRate().update(["a"], ["a", "b"])).toThrow("as many outputs as targets, 2, got 1");
  });

  it("BLEU", async () => {
    // Papineni's example: clipped unigram precision 2/7
    expect(
      await of(new BLEU({ maxN: 1 }), "the the the the the the the", [
        "the cat is on the mat",
        "there is a cat on the mat",
      ]),
    ).toBeCloseTo(2 / 7, 12);
    const cat = "the cat is on the mat";
    expect(await of(new BLEU(), cat, cat)).toBe(1);
    // Precisions 5/6, 3/5, 2/4, 1/3; equally long.
    const want = (5 / 6) * (3 / 5) * (2 / 4) * (1 / 3);
    expect(await of(new BLEU(), "the cat is on a mat", cat)).toBeCloseTo(want ** (1 / 4), 12);
    // Brevity: 5 words for 6.
    expect(await of(new BLEU({ maxN: 1 }), "the cat is on the", cat)).toBeCloseTo(Math.exp(1 - 6 / 5), 12);
    expect(await of(new BLEU(), "a b", cat)).toBe(0);
  });
});

describe("at random, against naive definitions", () => {
  const random = randomStream(7);
  const N = 60;
  const C = 4;
  const scores = Array.from({ length: N }, () => Array.from({ length: C }, () => Math.round(random() * 8) / 8));
  const target = Array.from({ length: N }, () => Math.floor(random() * C));
  const predicted = scores.map((row) => row.indexOf(Math.max(...row)));
  const share = (f: (i: number) => boolean) => target.filter((_, i) => f(i)).length / N;

  it("accuracy, top k, F1, IoU", async () => {
    expect(await of(new Accuracy(), scores, target)).toBe(share((i) => predicted[i] === target[i]));
    const ranks = scores.map((row, i) =>
      row
        .map((v, c) => [v, c])
        .sort(([a, c], [b, d]) => b - a || c - d)
        .findIndex(([, c]) => c === target[i]),
    );
    expect(await of(new TopKAccuracy(2), scores, target)).toBe(share((i) => ranks[i] < 2));
    const each = [0, 1, 2, 3].map((c) => {
      const both = share((i) => predicted[i] === c && target[i] === c);
      const either = share((i) => predicted[i] === c || target[i] === c);
      return { iou: both / either, f1: (2 * both) / (both + either) };
    });
    const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length;
    expect(await of(new MeanIoU(), scores, target)).toBeCloseTo(mean(each.map((e) => e.iou)), 12);
    expect(await of(new F1(), scores, target)).toBeCloseTo(mean(each.map((e) => e.f1)), 12);
  });

  it("AUC: the chance that a positive is above a negative", async () => {
    const values = scores.map(([v]) => v);
    const labels = target.map((c) => (c > 1 ? 1 : 0));
    let [wins, pairs] = [0, 0];
    for (const [i, a] of values.entries()) {
      for (const [j, b] of values.entries()) {
        if (labels[i] !== 1 || labels[j] !== 0) continue;
        pairs++;
        wins += a > b ? 1 : a === b ? 0.5 : 0;
      }
    }
    expect(await of(new AUC(), values, labels)).toBeCloseTo(wins / pairs, 12);
  });

  it("R² with a large mean", async () => {
    const y = scores.map(([a]) => 1e8 + a);
    const out = scores.map(([a, b]) => 1e8 + a + b / 10);
    const mean = y.reduce((a, v) => a + (v - 1e8), 0) / N;
    const spread = y.reduce((a, v) => a + (v - 1e8 - mean) ** 2, 0);
    const residual = y.reduce((a, v, i) => a + (v - out[i]) ** 2, 0);
    expect(await of(new R2(), out, y)).toBeCloseTo(1 - residual / spread, 8);
  });

  const all: [Metric, Nested, Nested][] = [
    [new Accuracy(), scores, target],
    [new TopKAccuracy(2), scores, target],
    [new ConfusionMatrix(), scores, target],
    [new F1({ average: "none" }), scores, target],
    [new Perplexity(), scores, target],
    [new AUC(), scores.map(([v]) => v), target.map((c) => c % 2)],
    [new RMSE(), scores, scores.map((row) => row.map((v) => v * v + 0.1))],
    [new R2(), scores, scores.map((row) => row.map((v) => v * v + 0.1))],
    [new BLEU(), target, predicted],
    [new WordErrorRate(), target, predicted],
  ];
  it.each(all.map((c) => [c[0].constructor.name, c] as const))(
    "%s: batch by batch, and after its state was saved",
    async (_, [metric, output, target]) => {
      if (metric instanceof BLEU || metric instanceof WordErrorRate) return; // of sequences, not of rows
      const [o, t] = [output as Nested[], target as Nested[]];
      const whole = await of(metric, o, t);
      metric.reset();
      await metric.update(o.slice(0, 13), t.slice(0, 13));
      const saved = JSON.parse(JSON.stringify(metric.stateDict()));
      metric.reset();
      await metric.update(o.slice(0, 5), t.slice(0, 5));
      metric.loadStateDict(saved);
      await metric.update(o.slice(13), t.slice(13));
      const flat = (v: MetricValue) => [v].flat(2) as number[];
      for (const [i, v] of flat(metric.result()).entries()) expect(v).toBeCloseTo(flat(whole)[i], 10);
    },
  );
});

it("metrics say what does not fit", async () => {
  await expect(of(new Accuracy(), [[1, 2]], [[1], [2]])).rejects.toThrow(
    "Accuracy: expected outputs (N, C, positions…)",
  );
  await expect(of(new Accuracy(), [[1, 2]], [5])).rejects.toThrow("targets that are classes from 0 to 1, got 5");
  await expect(of(new TopKAccuracy(1), [1, 2], [1])).rejects.toThrow("outputs (N, C) and targets (N)");
  await expect(of(new AUC(), [1, 2], [1, 2])).rejects.toThrow("targets of 0 and 1, got 2");
  await expect(of(new ConfusionMatrix({ numClasses: 2 }), [[1, 2, 3]], [1])).rejects.toThrow("outputs of 2 classes");
  expect(() => new TopKAccuracy(0)).toThrow("k to be a whole number, 1 or more, got 0");
});
