// A kernel that wants packed inputs gets them, and what lives packed still reads, saves and loads as plain rows.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Kernel, Layout, Signature } from "../backend.js";
import {
  compile,
  getBackend,
  Module,
  matmul,
  ones,
  reference,
  setBackend,
  type Tensor,
  tensor,
  Variable,
  valueAndGrad,
  zeros,
} from "../index.js";
import { permuteLayout } from "../layout.js";
import type { Run } from "../reference/kernels.js";
import type { View } from "../spec.js";

/** Columns in panels of four: (K, N) as [N/4][K][4], zeros behind the last column. */
function panels([k, n]: readonly number[]): Layout {
  const count = Math.ceil(n! / 4);
  return {
    name: "panels4",
    pad: [
      [0, 0],
      [0, count * 4 - n!],
    ],
    split: [k!, count, 4],
    order: [1, 0, 2],
  };
}

let forwardCalls = 0;
let gradientCalls = 0;

const isRows = (v: View) => v.strides.at(-1) === 1;

/** x (M, K) · w (K, N) with w in panels. */
const panelMatmul: Kernel<object, Run> = {
  op: "matmul",
  accepts: ({ ins: [a, b] }: Signature) => a!.shape.length === 2 && isRows(a!) && b!.shape.length === 2,
  layouts: ({ ins: [, b] }) => ({ ins: [null, panels(b!.shape)], outs: [null] }),
  emit({ ins: [a, b] }) {
    const [m, k] = a!.shape as [number, number];
    const n = b!.shape[1]!;
    return ([x, w], [y]) => {
      forwardCalls++;
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let p = 0; p < k; p++)
            sum += x!.f32[a!.offset + i * a!.strides[0]! + p]! * w!.f32[(Math.floor(j / 4) * k + p) * 4 + (j % 4)]!;
          y!.f32[i * n + j] = sum;
        }
      }
    };
  },
};

/** xᵀ (K, M) · dy (M, N) → dw (K, N), written in panels. */
const panelWeightGradient: Kernel<object, Run> = {
  op: "matmul",
  accepts: ({ ins: [a] }: Signature) => a!.shape.length === 2 && !isRows(a!),
  layouts: ({ outs: [o] }) => ({ ins: [null, null], outs: [panels(o!.shape)] }),
  emit({ ins: [a, b], outs: [o] }) {
    const [k, n] = o!.shape as [number, number];
    const m = b!.shape[0]!;
    return ([x, dy], [dw]) => {
      gradientCalls++;
      dw!.f32.fill(0);
      for (let p = 0; p < k; p++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let i = 0; i < m; i++) {
            sum +=
              x!.f32[a!.offset + p * a!.strides[0]! + i * a!.strides[1]!]! *
              dy!.f32[b!.offset + i * b!.strides[0]! + j * b!.strides[1]!]!;
          }
          dw!.f32[(Math.floor(j / 4) * k + p) * 4 + (j % 4)] = sum;
        }
      }
    };
  },
};

const plainBackend = getBackend();

async function closeTo(got: Tensor, want: ArrayLike<number>): Promise<void> {
  const data = await got.read();
  expect(data.length).toBe(want.length);
  data.forEach((v, i) => {
    expect(v).toBeCloseTo(want[i]!, 4);
  });
}

describe("layouts", () => {
  beforeEach(() => {
    setBackend(reference({ kernels: [panelMatmul, panelWeightGradient] }));
    forwardCalls = 0;
    gradientCalls = 0;
  });
  afterEach(() => setBackend(plainBackend));

  const data = (m: number, n: number, from = 0) => Float32Array.from({ length: m * n }, (_, i) => Math.sin(from + i));

  function naive(x: Float32Array, w: Float32Array, m: number, k: number, n: number): number[] {
    return Array.from({ length: m * n }, (_, at) => {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += x[Math.floor(at / n) * k + p]! * w[p * n + (at % n)]!;
      return sum;
    });
  }

  it("packs for a kernel in eager mode", async () => {
    const [x, w] = [data(2, 3), data(3, 6, 7)];
    const y = matmul(tensor(x, { shape: [2, 3] }), tensor(w, { shape: [3, 6] }));
    expect(forwardCalls).toBe(1);
    await closeTo(y, naive(x, w, 2, 3, 6));
  });

  it("keeps a Variable packed between steps, and reads it as plain rows", async () => {
    const [x, w] = [data(2, 3), data(3, 6, 7)];
    const weight = new Variable(tensor(w, { shape: [3, 6] }));
    const step = compile((input: Tensor) => matmul(input, weight.value));
    const input = tensor(x, { shape: [2, 3] });
    await closeTo(step(input), naive(x, w, 2, 3, 6));
    expect(weight.held.layout?.name).toBe("panels4");
    expect(weight.held.tensor.shape).toEqual([2, 3, 4]);
    await closeTo(weight.value, w);
    await closeTo(step(input), naive(x, w, 2, 3, 6));
    expect(step.explain()).toContain("packed as panels4");
    expect(step.explain()).not.toMatch(/= (un)?pack\(/);
  });

  it("runs a whole training step packed: weight, gradient and moments, without a conversion", async () => {
    class Layer extends Module {
      weight = new Variable(tensor(data(6, 3, 1), { shape: [6, 3] })); // (out, in), as PyTorch: the kernel sees its transpose
      forward(x: Tensor) {
        return x.matmul(this.weight.value.transpose());
      }
    }
    const train = (layer: Layer, moment: Variable) => (x: Tensor) => {
      const [loss, [g]] = valueAndGrad(() => layer.forward(x).square().mean(), [layer.weight]);
      moment.value = moment.value.mul(0.9).add(g!);
      layer.weight.value = layer.weight.value.sub(moment.value.mul(0.1));
      return loss;
    };
    const layer = new Layer();
    const moment = new Variable(zeros([6, 3]), { trainable: false });
    const step = compile(train(layer, moment));
    const x = tensor(data(4, 3, 3), { shape: [4, 3] });
    for (let i = 0; i < 3; i++) step(x);
    expect(forwardCalls).toBe(3);
    expect(gradientCalls).toBe(3);
    expect(layer.weight.held.layout?.name).toBe("panels4");
    expect(moment.held.layout?.name).toBe("panels4");
    expect(step.explain()).not.toMatch(/= (un)?pack\(/);

    setBackend(plainBackend);
    const other = new Layer();
    const eager = train(other, new Variable(zeros([6, 3])));
    const plainX = tensor(data(4, 3, 3), { shape: [4, 3] });
    for (let i = 0; i < 3; i++) eager(plainX);
    const want = await other.weight.value.read();
    setBackend(layer.weight.held.tensor.storage.backend);
    await closeTo(layer.stateDict()["weight"]!, want);
  });

  it("loads plain values into a packed Variable", async () => {
    const weight = new Variable(ones([3, 5]));
    const step = compile((x: Tensor) => matmul(x, weight.value));
    const x = tensor(data(2, 3), { shape: [2, 3] });
    step(x);
    expect(weight.held.layout).not.toBeNull();
    const w = data(3, 5, 20);
    weight.value = tensor(w, { shape: [3, 5] });
    await closeTo(step(x), naive(data(2, 3), w, 2, 3, 5));
  });

  it("converts where neighbours disagree", async () => {
    const w = data(3, 5, 2);
    const weight = new Variable(tensor(w, { shape: [3, 5] }));
    const step = compile((x: Tensor) => matmul(x, weight.value).add(weight.value.sum(0)));
    const x = data(2, 3);
    const sums = naive(new Float32Array([1, 1, 1]), w, 1, 3, 5);
    await closeTo(
      step(tensor(x, { shape: [2, 3] })),
      naive(x, w, 2, 3, 5).map((v, i) => v + sums[i % 5]!),
    );
    expect(step.explain()).toMatch(/= unpack\(.*panels4/);
  });

  it("packs an intermediate value", async () => {
    const step = compile((x: Tensor, w: Tensor) => matmul(x, w.mul(2)));
    const [x, w] = [data(2, 3), data(3, 5, 4)];
    await closeTo(
      step(tensor(x, { shape: [2, 3] }), tensor(w, { shape: [3, 5] })),
      naive(
        x,
        w.map((v) => 2 * v),
        2,
        3,
        5,
      ),
    );
    expect(step.explain()).toMatch(/= pack\(.*panels4/);
  });

  it("does not overwrite a value somebody still holds", async () => {
    const weight = new Variable(ones([3, 4]));
    const step = compile(() => {
      weight.value = weight.value.mul(2);
    });
    const before = weight.value;
    step();
    step();
    await closeTo(before, new Array(12).fill(1));
    await closeTo(weight.value, new Array(12).fill(4));
  });
});

describe("permuteLayout", () => {
  it("describes the same memory for the transposed tensor", () => {
    const of = panels([3, 6]);
    expect(permuteLayout(of, { shape: [3, 6], dtype: "f32" }, [1, 0])).toEqual({
      name: "panels4",
      pad: [
        [0, 2],
        [0, 0],
      ],
      split: [2, 4, 3],
      order: [0, 2, 1],
    });
  });

  it("gives up where cuts go across axes", () => {
    const odd: Layout = { name: "odd", split: [9, 2], order: [1, 0] };
    expect(permuteLayout(odd, { shape: [3, 6], dtype: "f32" }, [1, 0])).toBeNull();
  });
});
