import {
  checkGradients,
  compile,
  grad,
  log,
  logSoftmax,
  manualSeed,
  randn,
  type Tensor,
  tensor,
  zeros,
} from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { CTCLoss, ctcLoss } from "./ctc.js";

const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 4));
const ints = (values: number[] | number[][]) => tensor(values, { dtype: "i32" });
beforeEach(() => manualSeed(3));

/** −log p by its definition: the sum over all C^T paths that become the labels. */
function bySumming(logProbs: readonly number[][], labels: readonly number[], blank: number): number {
  const [T, C] = [logProbs.length, logProbs[0].length];
  let total = 0;
  for (let path = 0; path < C ** T; path++) {
    const at = Array.from({ length: T }, (_, t) => Math.floor(path / C ** t) % C);
    const seen = at.filter((c, t) => c !== at[t - 1]).filter((c) => c !== blank);
    if (`${seen}` === `${labels}`) total += Math.exp(at.reduce((sum, c, t) => sum + logProbs[t][c], 0));
  }
  return -Math.log(total);
}

describe("ctcLoss", () => {
  it.each([
    [0, [1, 2]],
    [0, [1, 1]],
    [2, [0, 1, 0]],
    [1, []],
    [0, [2]],
  ])("is the sum over all paths, blank %s, labels %j", (blank, labels) => {
    const x = logSoftmax(randn([5, 3]), 1);
    const rows = Array.from({ length: 5 }, (_, t) => list(x).slice(3 * t, 3 * t + 3));
    for (const T of [4, 5]) {
      const got = ctcLoss(x, ints([[...labels, 0]]), [T], [labels.length], { blank, reduction: "sum" });
      expect(got.shape).toEqual([]);
      expect(list(got)).toEqual(near([bySumming(rows.slice(0, T), labels, blank)]));
    }
  });

  const batch = () => ({
    x: logSoftmax(randn([6, 3, 4]), 2),
    padded: ints([
      [1, 2, 2],
      [3, -1, 99],
      [0, 0, 0],
    ]),
    inputs: [6, 4, 5],
    labels: [3, 1, 0],
  });

  it("takes a batch, padded or one after the other, each with lengths of its own", () => {
    const { x, padded, inputs, labels } = batch();
    const each = inputs.map((T, n) =>
      list(
        ctcLoss(x.slice([[0, T], null, null]).select(1, n), padded.slice([[n, n + 1]]), [T], [labels[n]], {
          reduction: "sum",
        }),
      ).at(0),
    ) as number[];
    const none = ctcLoss(x, padded, inputs, labels, { reduction: "none" });
    expect(list(none)).toEqual(near(each));
    expect(list(ctcLoss(x, ints([1, 2, 2, 3]), inputs, labels, { reduction: "none" }))).toEqual(near(each));
    expect(list(ctcLoss(x, padded, inputs, labels, { reduction: "sum" }))).toEqual(near([each[0] + each[1] + each[2]]));
    const mean = (each[0] / 3 + each[1] + each[2]) / 3;
    expect(list(ctcLoss(x, padded, inputs, labels))).toEqual(near([mean]));
    expect(list(new CTCLoss().forward(x, padded, inputs, labels))).toEqual(near([mean]));
  });

  it("has the gradients of finite differences; what is past the end has none", async () => {
    const { x, padded, inputs, labels } = batch();
    const f = (x: Tensor) => ctcLoss(x, padded, inputs, labels, { reduction: "none" });
    await checkGradients(f, [x]);
    const [g] = grad(() => f(x).sum(), [x]);
    expect(list(g.slice([[4, 6], [1, 2], null])).every((v) => v === 0)).toBe(true);
    // Every step is somewhere: the shares of all states are 1.
    expect(list(g.sum(2).select(1, 0))).toEqual(near(Array(6).fill(-1)));
  });

  it("has gradients of gradients", async () => {
    const x = logSoftmax(randn([3, 1, 3]), 2);
    const f = (x: Tensor) => ctcLoss(x, ints([[1, 2]]), [3], [2], { reduction: "sum" });
    await checkGradients((x) => grad(() => f(x), [x])[0], [x]);
  });

  it("is infinite where the input is too short, or 0 on request, with no gradient", () => {
    const x = logSoftmax(randn([3, 2, 4]), 2);
    const targets = ints([
      [1, 1, 1],
      [1, 2, 3],
    ]);
    const of = (zeroInfinity: boolean) => () =>
      ctcLoss(x, targets, [3, 3], [3, 3], { zeroInfinity, reduction: "none" });
    expect(list(of(false)())[0]).toBe(Number.POSITIVE_INFINITY);
    expect(list(of(true)())[0]).toBe(0);
    for (const zero of [true, false]) {
      const [g] = grad(() => of(zero)().sum(), [x]);
      expect(list(g.select(1, 0)).every((v) => v === 0)).toBe(true);
      expect(list(g.select(1, 1)).some((v) => v !== 0)).toBe(true);
    }
    // Impossible as well: a class that has probability 0.
    const never = log(tensor([[[0.5, 0.5, 0]], [[0.5, 0.5, 0]]]));
    expect(list(ctcLoss(never, ints([[2]]), [2], [1]))).toEqual([Number.POSITIVE_INFINITY]);
    expect(list(ctcLoss(never, ints([[1]]), [2], [1]))).toEqual(near([-Math.log(0.75)]));
  });

  it("gives the same compiled, with lengths that change", () => {
    const { x, padded, inputs, labels } = batch();
    let traces = 0;
    const f = (x: Tensor, a: Tensor, b: Tensor) => {
      traces++;
      return grad(() => ctcLoss(x, padded, a, b), [x])[0];
    };
    const step = compile(f);
    for (const lengths of [inputs, [5, 5, 6]]) {
      const given = [ints(lengths), ints(labels)] as const;
      expect(list(step(x, ...given))).toEqual(near(list(grad(() => ctcLoss(x, padded, lengths, labels), [x])[0])));
    }
    expect(traces).toBe(1);
  });

  it("shares the code of its steps, so that long inputs are traced fast", () => {
    const step = compile((x: Tensor) => grad(() => ctcLoss(x, ints([[1, 2, 3]]), [x.shape[0]], [3]), [x])[0]);
    expect(list(step(logSoftmax(zeros([200, 1, 5]), 2))).length).toBe(1000);
    const nodes = (/^[^#]*/.exec(step.explain()) as RegExpExecArray)[0].split("\n").length;
    expect(nodes).toBeLessThan(4000);
  });

  it("names the fault", () => {
    const x = zeros([4, 2, 3]);
    const t = ints([[1], [2]]);
    expect(() => ctcLoss(zeros([4]), t, [4, 4], [1, 1])).toThrow("ctcLoss: expected logProbs (T, N, C) or (T, C)");
    expect(() => ctcLoss(x, t, [4], [1, 1])).toThrow("expected 2 inputLengths, one per sequence, got 1");
    expect(() => ctcLoss(x, t, [5, 4], [1, 1])).toThrow("expected inputLengths from 0 to 4, got 5");
    expect(() => ctcLoss(x, t, [4, 4], [1, 2])).toThrow("expected targetLengths from 0 to 1, got 2");
    expect(() => ctcLoss(x, t, [4, 4], [1, 1], { blank: 3 })).toThrow("expected blank from 0 to 2, got 3");
    expect(() => ctcLoss(x, ints([[1], [3]]), [4, 4], [1, 1])).toThrow("expected class numbers from 0 to 2, got 3");
    expect(() => ctcLoss(x, t.cast("f32"), [4, 4], [1, 1])).toThrow("expected targets of dtype i32");
    expect(() => ctcLoss(x, ints([1, 2, 1]), [4, 4], [1, 1])).toThrow("expected 2 targets, the sum of their lengths");
    expect(() => ctcLoss(x, ints([1, 2]), [4, 4], ints([1, 1]))).toThrow("expected targetLengths as numbers");
    expect(() => new CTCLoss({ reduction: "x" as "sum" })).toThrow("CTCLoss: expected reduction");
  });
});
