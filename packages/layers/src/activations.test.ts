import * as nn from "@nn/tensor";
import { checkGradients, compile, type Module, type Tensor, tensor, zeros } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import * as activations from "./activations.js";
import {
  CELU,
  ELU,
  GELU,
  GLU,
  Hardshrink,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  Mish,
  PReLU,
  ReLU,
  ReLU6,
  RReLU,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softmax2d,
  Softmin,
  Softplus,
  Softshrink,
  Softsign,
  Tanh,
  Tanhshrink,
  Threshold,
} from "./activations.js";

/** Away from all kinks: −6, −3, −1, −0.7, −0.5, 0, 0.3, 0.5, 1, 3, 6. */
const points = tensor([
  [-7.2, -4.1, -2.2, -1.4],
  [-0.85, -0.6, -0.2, 0.15],
  [0.4, 0.8, 1.3, 2.1],
  [4.2, 5.1, 6.7, 25],
]);

const cases: [Module & { forward(x: Tensor): Tensor }, (x: Tensor) => Tensor][] = [
  [new ReLU(), nn.relu],
  [new ReLU6(), nn.relu6],
  [new SELU(), nn.selu],
  [new SiLU(), nn.silu],
  [new Mish(), nn.mish],
  [new Sigmoid(), nn.sigmoid],
  [new Tanh(), nn.tanh],
  [new Softsign(), nn.softsign],
  [new Hardsigmoid(), nn.hardsigmoid],
  [new Hardswish(), nn.hardswish],
  [new LogSigmoid(), nn.logSigmoid],
  [new Tanhshrink(), nn.tanhshrink],
  [new LeakyReLU(), (x) => nn.leakyRelu(x, 0.01)],
  [new LeakyReLU(0.2), (x) => nn.leakyRelu(x, 0.2)],
  [new ELU(), (x) => nn.elu(x, 1)],
  [new ELU(0.5), (x) => nn.elu(x, 0.5)],
  [new CELU(1.3), (x) => nn.celu(x, 1.3)],
  [new GELU(), (x) => nn.gelu(x)],
  [new GELU({ approximate: "tanh" }), (x) => nn.gelu(x, { approximate: "tanh" })],
  [new Softplus(), (x) => nn.softplus(x, 1, 20)],
  [new Softplus(2, 3), (x) => nn.softplus(x, 2, 3)],
  [new Hardtanh(), (x) => nn.hardtanh(x, -1, 1)],
  [new Hardtanh(0, 2), (x) => nn.hardtanh(x, 0, 2)],
  [new Softshrink(), (x) => nn.softshrink(x, 0.5)],
  [new Hardshrink(0.7), (x) => nn.hardshrink(x, 0.7)],
  [new Threshold(0.3, -1), (x) => nn.threshold(x, 0.3, -1)],
  [new Softmax(), (x) => nn.softmax(x, -1)],
  [new Softmax(0), (x) => nn.softmax(x, 0)],
  [new Softmin(), (x) => nn.softmax(x.neg(), -1)],
  [new RReLU().eval(), (x) => nn.leakyRelu(x, 11 / 48)],
  [new LogSoftmax(1), (x) => nn.logSoftmax(x, 1)],
  [new GLU(), (x) => nn.glu(x, -1)],
  [new PReLU(), (x) => nn.leakyRelu(x, 0.25)],
  [new PReLU(4, 0.1), (x) => nn.leakyRelu(x, 0.1)],
];

describe("activations", () => {
  it.each(cases.map(([m, f]) => [m.constructor.name, m, f] as const))(
    "%s is its function, with its gradient",
    async (_, module, f) => {
      const y = await module.forward(points).toArray();
      expect(y).toEqual(await f(points).toArray());
      expect(await compile((x: Tensor) => module.forward(x))(points).toArray()).toEqual(y);
      await checkGradients((x) => module.forward(x), [points, ...module.parameters()]);
    },
  );

  it("are all tried above", () => {
    const tried = new Set(cases.map(([m]) => m.constructor.name));
    expect(Object.keys(activations).filter((name) => !tried.has(name))).toEqual(["Softmax2d"]); // below
  });

  it("Softmax2d is over channels", () => {
    const x = nn.randn([2, 3, 4, 5]);
    expect(new Softmax2d().forward(x).readSync()).toEqual(nn.softmax(x, 1).readSync());
    expect(() => new Softmax2d().forward(points)).toThrow("expected x (N, C, H, W) or (C, H, W), got (4, 4)");
  });

  it("RReLU draws slopes in training", () => {
    const y = new RReLU(0.1, 0.3).forward(nn.full([1000], -1)).readSync();
    expect(Math.min(...y)).toBeGreaterThan(-0.3);
    expect(Math.max(...y)).toBeLessThan(-0.1);
    expect(Math.max(...y) - Math.min(...y)).toBeGreaterThan(0.15);
    expect(new RReLU().forward(tensor([2])).readSync()[0]).toBe(2);
    expect(() => new RReLU(1, 0)).toThrow("RReLU: expected lower ≤ upper, got 1 and 0");
  });

  it("PReLU has one slope, or one per channel", async () => {
    expect(Object.entries(new PReLU(3).stateDict()).map(([k, t]) => [k, t.shape])).toEqual([["weight", [3]]]);
    const layer = new PReLU(2);
    layer.weight.value = tensor([0.5, 2]);
    expect(
      await layer
        .forward(
          tensor([
            [[-1], [-1]],
            [[1], [-2]],
          ]),
        )
        .toArray(),
    ).toEqual([
      [[-0.5], [-2]],
      [[1], [-4]],
    ]);
    expect(() => new PReLU(3).forward(zeros([4, 2]))).toThrow(/PReLU.*expected a weight with 1 or 2 elements/);
  });

  it("refuse arguments that make no sense", () => {
    expect(() => new PReLU(0)).toThrow("PReLU: expected numParameters to be a whole number ≥ 1, got 0");
    expect(() => new CELU(0)).toThrow("CELU: expected alpha other than 0");
    expect(() => new Softplus(0)).toThrow("Softplus: expected beta other than 0");
    expect(() => new Hardtanh(1, -1)).toThrow("Hardtanh: expected minVal < maxVal, got 1 and -1");
    expect(() => new Softshrink(-1)).toThrow("Softshrink: expected lambda to be a number ≥ 0, got -1");
    expect(() => new LeakyReLU(Number.NaN)).toThrow("LeakyReLU: expected negativeSlope to be a finite number, got NaN");
    expect(() => new GELU({ approximate: "erf" as "none" })).toThrow(
      'GELU: expected approximate "none" or "tanh", got "erf"',
    );
    expect(() => new Softmax(0.5)).toThrow("Softmax: expected axis to be a whole number, got 0.5");
    expect(() => new Softmax(2).forward(points)).toThrow(/Softmax.*expected an axis from -2 to 1, got 2/);
    expect(() => new GLU().forward(zeros([2, 3]))).toThrow("expected an even size along axis -1");
  });
});
