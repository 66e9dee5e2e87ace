// The op: its gradient against that of its lowering, second derivatives, and where a wrong class is told.

import {
  apply1,
  checkGradients,
  compile,
  grad,
  type Kernel,
  manualSeed,
  randn,
  reference,
  setBackend,
  type Tensor,
  tensor,
} from "@nn/tensor";
import { afterEach, beforeEach, expect, it } from "vitest";
import { crossEntropy } from "./cross-entropy.js";
import { crossEntropyGradOp, crossEntropyOp } from "./cross-entropy-op.js";

const attrs = { axis: 1, ignoreIndex: 1 };
const t = () => tensor([0, 1, 3, 2], { dtype: "i32" });
const near = (x: Tensor, digits = 5) => Array.from(x.readSync(), (v) => expect.closeTo(v, digits));

beforeEach(() => manualSeed(3));
afterEach(() => setBackend(reference()));

it("has the gradient of its lowering", () => {
  const [x, ct] = [randn([4, 5]), randn([4])];
  const lowered = () => crossEntropyOp.lower!([x, t()], attrs)[0]!;
  const [want] = grad(() => lowered().mul(ct).sum(), [x]);
  expect(Array.from(apply1(crossEntropyGradOp, [ct, x, t()], attrs).readSync())).toEqual(near(want!));
  expect(Array.from(apply1(crossEntropyOp, [x, t()], attrs).readSync())).toEqual(near(lowered()));
});

it("differentiates twice, eager and compiled", async () => {
  const loss = (x: Tensor) => crossEntropy(x, t(), { reduction: "none", ignoreIndex: 1 }).square().sum();
  const once = (x: Tensor) => grad(() => loss(x), [x])[0]!;
  const twice = (x: Tensor) => grad(() => once(x).square().sum(), [x])[0]!;
  const x = randn([4, 5]);
  await checkGradients(once, [x], { tolerance: 5e-3 });
  await checkGradients(twice, [x], { tolerance: 5e-3 });
  expect(Array.from(compile(twice)(x).readSync())).toEqual(near(twice(x), 4));
});

it("runs by kernels, forward and backward, eager and compiled", () => {
  const ran: string[] = [];
  const kernels = ["layers/crossEntropy", "layers/crossEntropyGrad"].map(
    (op): Kernel => ({
      op,
      emit: () => {
        ran.push(op);
        return (_: unknown, outs: { f32: Float32Array }[]) => outs[0]!.f32.fill(2);
      },
    }),
  );
  setBackend(reference({ kernels }));
  const step = (x: Tensor, t: Tensor) => [crossEntropy(x, t), ...grad(() => crossEntropy(x, t), [x])];
  for (const f of [step, compile(step)]) {
    const [loss, g] = f(randn([4, 5]), t());
    expect([loss!.readSync()[0], g!.readSync()[0]]).toEqual([2, 2]);
  }
  expect([...new Set(ran)]).toEqual(["layers/crossEntropy", "layers/crossEntropyGrad"]);
  expect(ran).toHaveLength(4);
});

it("tells of a class out of range, in a compiled step also where nobody wants the loss", () => {
  const x = randn([2, 3]);
  const wrong = tensor([0, 3], { dtype: "i32" });
  const gradient = (x: Tensor, t: Tensor) => grad(() => crossEntropy(x, t), [x])[0]!;
  expect(() => gradient(x, wrong)).toThrow("crossEntropy: expected class numbers from 0 to 2, got 3");
  expect(() => compile(gradient)(x, wrong)).toThrow("scatterAdd: expected indices 0…2 on axis 1, got 3");
});
