// The losses of two tensors of one shape.

import { checkGradients, compile, grad, type Module, type Tensor, tensor, zeros } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import {
  BCELoss,
  BCEWithLogitsLoss,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
} from "./binary-cross-entropy.js";
import { KLDivLoss, klDiv } from "./kl-divergence.js";
import { HuberLoss, huber, L1Loss, l1, MSELoss, mse, SmoothL1Loss, smoothL1 } from "./regression.js";

type Loss = (x: Tensor, t: Tensor, options?: { reduction?: "none" | "mean" | "sum" }) => Tensor;

const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));
const numbers = [
  [-1.5, 0.2],
  [0.7, 2.5],
  [-0.3, 1.1],
];
const targets = [
  [0.5, 0.1],
  [0.9, -1],
  [0.3, 0.8],
];
const shares = [
  [0.1, 0.6],
  [0.7, 0.8],
  [0.3, 0.5],
];
const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));

/** Name, loss, its element in double precision, inputs, targets. */
const cases: [string, Loss, (x: number, t: number) => number, number[][], number[][]][] = [
  ["mse", mse, (x, t) => (x - t) ** 2, numbers, targets],
  ["l1", l1, (x, t) => Math.abs(x - t), numbers, targets],
  [
    "smoothL1",
    (x, t, o) => smoothL1(x, t, { ...o, beta: 0.5 }),
    (x, t) => (Math.abs(x - t) < 0.5 ? (x - t) ** 2 : Math.abs(x - t) - 0.25),
    numbers,
    targets,
  ],
  ["smoothL1 with beta 0", (x, t, o) => smoothL1(x, t, { ...o, beta: 0 }), (x, t) => Math.abs(x - t), numbers, targets],
  [
    "huber",
    (x, t, o) => huber(x, t, { ...o, delta: 0.5 }),
    (x, t) => (Math.abs(x - t) < 0.5 ? (x - t) ** 2 / 2 : 0.5 * (Math.abs(x - t) - 0.25)),
    numbers,
    targets,
  ],
  [
    "binaryCrossEntropy",
    binaryCrossEntropy,
    (p, t) => -t * Math.log(p) - (1 - t) * Math.log(1 - p),
    shares,
    shares.map((row) => row.map((v) => v ** 2)),
  ],
  [
    "binaryCrossEntropyWithLogits",
    binaryCrossEntropyWithLogits,
    (x, t) => -t * Math.log(sigmoid(x)) - (1 - t) * Math.log(1 - sigmoid(x)),
    numbers,
    shares,
  ],
  ["klDiv", klDiv, (x, t) => t * (Math.log(t) - x), numbers, shares],
  [
    "klDiv with logTarget",
    (x, t, o) => klDiv(x, t, { ...o, logTarget: true }),
    (x, t) => Math.exp(t) * (t - x),
    numbers,
    targets,
  ],
];

describe.each(cases)("%s", (_, loss, element, xs, ts) => {
  const [x, t] = [tensor(xs), tensor(ts)];
  const each = xs.flat().map((v, i) => element(v, ts.flat()[i]));
  const sum = each.reduce((a, b) => a + b, 0);

  it("is its formula, reduced as asked, the same compiled", () => {
    const got = loss(x, t, { reduction: "none" });
    expect(got.shape).toEqual([3, 2]);
    expect(list(got)).toEqual(near(each));
    expect(list(loss(x, t, { reduction: "sum" }))).toEqual(near([sum]));
    expect(list(loss(x, t))).toEqual(near([sum / 6]));
    expect(list(compile((a: Tensor, b: Tensor) => loss(a, b))(x, t))).toEqual(near([sum / 6]));
  });

  it("has the gradients of finite differences", async () => {
    await checkGradients((a, b) => loss(a, b, { reduction: "none" }), [x, t]);
  });

  it("refuses other shapes and reductions", () => {
    expect(() => loss(x, zeros([2]))).toThrow(
      "expected a target of the input's shape (3, 2), got (2). Broadcasting here is nearly always a mistake",
    );
    expect(() => loss(x, t, { reduction: "all" as "sum" })).toThrow(
      /expected reduction "none" or "mean" or "sum".*, got "all"/,
    );
  });
});

describe("details", () => {
  it("smoothL1 and huber refuse bounds that make no sense", () => {
    const x = zeros([1]);
    expect(() => smoothL1(x, x, { beta: -1 })).toThrow("smoothL1: expected beta to be a number ≥ 0, got -1");
    expect(() => huber(x, x, { delta: 0 })).toThrow("huber: expected delta to be a number > 0, got 0");
  });

  it("binaryCrossEntropy bounds its logarithms at −100, and its gradient as PyTorch", () => {
    const [p, t] = [tensor([0, 1, 0, 1, 0.5]), tensor([0, 1, 1, 0, 1])];
    expect(list(binaryCrossEntropy(p, t, { reduction: "none" })).map((v) => v + 0)).toEqual(
      near([0, 0, 100, 100, Math.log(2)]),
    );
    const [g] = grad(() => binaryCrossEntropy(p, t, { reduction: "sum" }), [p]);
    expect(list(g)).toEqual([0, 0, expect.closeTo(-1e12, -6), expect.closeTo(1e12, -6), -2]);
    const [gt] = grad(() => binaryCrossEntropy(p, t, { reduction: "sum" }), [t]);
    expect(list(gt).map((v) => v + 0)).toEqual([100, -100, 100, -100, 0]);
  });

  it("binaryCrossEntropyWithLogits does not overflow, and weighs", () => {
    const [x, t] = [
      tensor([
        [-1e4, 200],
        [90, 0.5],
      ]),
      tensor([
        [1, 0],
        [0, 1],
      ]),
    ];
    const soft = Math.log1p(Math.exp(-0.5));
    expect(list(binaryCrossEntropyWithLogits(x, t, { reduction: "none" }))).toEqual(near([1e4, 200, 90, soft]));
    const weighed = { weight: tensor([[1], [2]]), posWeight: tensor([3, 5]), reduction: "none" as const };
    expect(list(binaryCrossEntropyWithLogits(x, t, weighed))).toEqual(near([3e4, 200, 180, 10 * soft]));
    expect(list(binaryCrossEntropyWithLogits(x, t.cast("i32"), weighed))).toEqual(near([3e4, 200, 180, 10 * soft]));
  });

  it("klDiv takes 0 · log 0 as 0, and divides by the batch where asked", async () => {
    const [x, t] = [
      tensor([
        [-1, -2],
        [-3, -4],
      ]),
      tensor([
        [0, 1],
        [0.5, 0.5],
      ]),
    ];
    const total = 2 + 0.5 * (Math.log(0.5) + 3) + 0.5 * (Math.log(0.5) + 4);
    expect(list(klDiv(x, t, { reduction: "batchmean" }))).toEqual(near([total / 2]));
    expect(list(grad(() => klDiv(x, t, { reduction: "sum" }), [t])[0])[0]).toBe(1);
  });
});

describe("modules", () => {
  const [x, t] = [tensor(shares), tensor(shares.map((row) => row.map((v) => v ** 2)))];
  const weight = tensor([[1], [2], [3]]);
  const posWeight = tensor([2, 3]);
  it.each<[Module & { forward(x: Tensor, t: Tensor): Tensor }, Tensor, string[]]>([
    [new MSELoss({ reduction: "sum" }), mse(x, t, { reduction: "sum" }), []],
    [new L1Loss(), l1(x, t), []],
    [new SmoothL1Loss({ beta: 0.1 }), smoothL1(x, t, { beta: 0.1 }), []],
    [new HuberLoss({ delta: 0.1 }), huber(x, t, { delta: 0.1 }), []],
    [new BCELoss({ weight }), binaryCrossEntropy(x, t, { weight }), ["weight"]],
    [
      new BCEWithLogitsLoss({ weight, posWeight }),
      binaryCrossEntropyWithLogits(x, t, { weight, posWeight }),
      ["weight", "pos_weight"],
    ],
    [new KLDivLoss({ reduction: "batchmean" }), klDiv(x, t, { reduction: "batchmean" }), []],
  ])("%o", (module, want, keys) => {
    expect(list(module.forward(x, t))).toEqual(list(want));
    expect(Object.keys(module.stateDict())).toEqual(keys);
    expect(module.parameters()).toEqual([]);
  });

  it("check their options when they are made", () => {
    expect(() => new MSELoss({ reduction: "x" as "sum" })).toThrow("MSELoss: expected reduction");
    expect(() => new SmoothL1Loss({ beta: -1 })).toThrow("SmoothL1Loss: expected beta");
    expect(() => new HuberLoss({ delta: 0 })).toThrow("HuberLoss: expected delta");
    expect(() => new KLDivLoss({ reduction: "x" as "sum" })).toThrow(
      'expected reduction "none" or "mean" or "sum" or "batchmean"',
    );
  });
});
