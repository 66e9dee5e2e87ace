import {
  apply,
  cat,
  checkGradients,
  compile,
  getBackend,
  grad,
  type Kernel,
  manualSeed,
  NNError,
  ones,
  randn,
  reference,
  setBackend,
  type Tensor,
  zeros,
} from "@nn/tensor";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { batchNormGradOp, batchNormOp } from "./batch-norm-op.js";

const eps = 0.01;
const shape = [3, 2, 4];
const flat = (ts: readonly Tensor[]) => cat(ts.map((t) => t.reshape([-1])));
const batchNorm = (...ins: Tensor[]) => apply(batchNormOp, ins, { eps });
const near = (t: Tensor) => Array.from(t.readSync(), (v) => expect.closeTo(v, 3)); // the mean is rounded, too

beforeEach(() => manualSeed(4));

describe("batchNorm", () => {
  it("is exact where the mean is large", () => {
    const x = randn([4, 2, 8]);
    const shift = 4096;
    const [y, , variance] = batchNorm(x.add(shift), ones([2]), zeros([2]));
    const [want, , wanted] = batchNorm(x.add(shift).sub(shift), ones([2]), zeros([2]));
    expect(Array.from(y!.readSync())).toEqual(near(want!));
    expect(Array.from(variance!.readSync())).toEqual(near(wanted!));
  });

  it("differentiates in all inputs, through all outputs", async () => {
    const ins = [randn(shape), randn([2]), randn([2])];
    await checkGradients((...given) => flat(batchNorm(...given)), ins);
    await checkGradients((x, weight, bias) => flat(batchNorm(x!, weight!, bias!).slice(1)), ins);
  });

  it("differentiates twice", async () => {
    const [ct, bias] = [randn(shape), randn([2])];
    const gradients = (x: Tensor, weight: Tensor) => {
      const loss = () => batchNorm(x, weight, bias)[0]!.mul(ct).square().sum();
      return flat(grad(loss, [x, weight, bias]));
    };
    await checkGradients(gradients, [randn(shape), randn([2])], { tolerance: 5e-3 });
    const [x, weight] = [randn(shape), randn([2])];
    const twice = (x: Tensor, weight: Tensor) => flat(grad(() => gradients(x, weight).square().sum(), [x, weight]));
    expect(Array.from(compile(twice)(x, weight).readSync())).toEqual(
      Array.from(twice(x, weight).readSync(), (v) => expect.closeTo(v, 2)),
    );
  });

  it.each<[string, () => unknown, RegExp]>([
    ["x", () => batchNorm(zeros([3]), zeros([3]), zeros([3])), /expected x \(N, C, …\), got \(3\)/],
    ["dtype", () => batchNorm(zeros([3, 2], { dtype: "i32" }), zeros([2]), zeros([2])), /dtype f32, got i32/],
    ["bias", () => batchNorm(zeros([3, 2]), zeros([2]), zeros([3])), /expected bias \(2\), got \(3\)/],
    [
      "ct",
      () => apply(batchNormGradOp, [zeros([2]), zeros([3, 2]), zeros([2]), zeros([2]), zeros([2])], { eps }),
      /expected ct \(3, 2\), got \(2\)/,
    ],
  ])("names the fault: %s", (_, f, message) => {
    expect(f).toThrow(NNError);
    expect(f).toThrow(message);
  });
});

describe("kernels", () => {
  const before = getBackend();
  afterEach(() => setBackend(before));

  it("of a backend run forward and backward, eager and compiled", () => {
    const ran: string[] = [];
    const kernel = (op: string): Kernel<never, unknown> => ({
      op,
      emit: () => (_ins: unknown, results: readonly { f32: Float32Array }[]) => {
        ran.push(op);
        for (const { f32 } of results) f32.fill(1);
      },
    });
    const names = ["layers/batchNorm", "layers/batchNormGrad"];
    setBackend(reference({ kernels: names.map(kernel) as never }));
    const [x, weight, bias] = [randn(shape), randn([2]), randn([2])];
    const step = (x: Tensor) => grad(() => batchNorm(x, weight, bias)[0]!.square().sum(), [x, weight]);
    step(x);
    expect(ran.splice(0)).toEqual(names);
    compile(step)(x);
    expect(ran).toEqual(names);
  });
});
