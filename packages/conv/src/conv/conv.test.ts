import {
  apply1,
  checkGradients,
  compile,
  getBackend,
  grad,
  type Kernel,
  type Padding,
  randn,
  reference,
  setBackend,
  sizeOf,
  type Tensor,
  tensor,
  valueAndGrad,
  zeros,
} from "@nn/tensor";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { type ConvAttrs, conv, convInputGrad, convOp, convWeightGrad } from "./conv.js";

interface Case extends ConvAttrs {
  readonly batch: number;
  readonly inPerGroup: number;
  readonly outPerGroup: number;
  readonly size: readonly number[];
  readonly kernel: readonly number[];
  readonly bias: boolean;
}

/** Convolutions of all kinds, with at least one window. */
const cases: fc.Arbitrary<Case> = fc.integer({ min: 1, max: 3 }).chain((axes) => {
  const per = (min: number, max: number) => fc.array(fc.integer({ min, max }), { minLength: axes, maxLength: axes });
  const pair = fc.tuple(fc.nat(2), fc.nat(2));
  return fc
    .record({
      batch: fc.integer({ min: 1, max: 3 }),
      groups: fc.integer({ min: 1, max: 3 }),
      inPerGroup: fc.integer({ min: 1, max: 3 }),
      outPerGroup: fc.integer({ min: 1, max: 3 }),
      kernel: per(1, 3),
      stride: per(1, 3),
      dilation: per(1, 3),
      padding: fc.array(pair, { minLength: axes, maxLength: axes }) as fc.Arbitrary<Padding[]>,
      more: per(0, axes === 1 ? 80 : axes === 2 ? 10 : 3), // both sides of where batches are merged
      bias: fc.boolean(),
    })
    .map(({ more, ...c }) => ({
      ...c,
      size: c.kernel.map(
        (k, i) => Math.max(1, c.dilation[i]! * (k - 1) + 1 - c.padding[i]![0] - c.padding[i]![1]) + more[i]!,
      ),
    }));
});

describe("conv", () => {
  it("is what the definition says, with both gradients", () => {
    fc.assert(
      fc.property(cases, (c) => {
        const [x, weight, bias] = operands(c);
        const { groups, stride, padding, dilation } = c;
        const want = naive(x, weight, bias, c);
        const ct = randn(want.shape);
        const [, grads] = valueAndGrad(() => {
          const y = conv(x, weight, bias, { groups, stride, padding, dilation });
          close(y, want.y);
          return y.mul(ct).sum();
        }, [x, weight, ...(bias ? [bias] : [])]);
        const back = naiveGradients(x, weight, ct, c);
        close(grads[0]!, back.x);
        close(grads[1]!, back.weight);
        if (bias) close(grads[2]!, back.bias);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it("compiles to the same, gradients included", () => {
    fc.assert(
      fc.property(cases, (c) => {
        const [x, weight, bias] = operands(c);
        const { groups, stride, padding, dilation } = c;
        const f = (...all: Tensor[]) =>
          valueAndGrad(
            () =>
              conv(all[0]!, all[1]!, all[2] ?? null, { groups, stride, padding, dilation })
                .square()
                .sum(),
            all,
          );
        const all = [x, weight, ...(bias ? [bias] : [])];
        const [value, grads] = f(...all);
        const compiled = compile(f);
        const [value2, grads2] = compiled(...all);
        close(value2, value.readSync());
        grads.forEach((g, i) => {
          close(grads2[i]!, g.readSync());
        });
        compiled.dispose();
      }),
      { numRuns: 30, seed: 2 },
    );
  });

  const attrs: ConvAttrs = {
    stride: [2, 1],
    padding: [
      [1, 0],
      [0, 2],
    ],
    dilation: [1, 2],
    groups: 2,
  };
  const x = randn([2, 4, 6, 5]).mul(0.5);
  const weight = randn([4, 2, 3, 2]).mul(0.5);

  it("has gradients that agree with finite differences", async () => {
    await checkGradients((...[a, w, b]) => conv(a!, w!, b!, attrs).square(), [x, weight, randn([4])], {
      tolerance: 4e-3,
    });
    const ct = randn(conv(x, weight, null, attrs).shape);
    await checkGradients((c, w) => convInputGrad(c, w, [6, 5], attrs).square(), [ct, weight], { tolerance: 4e-3 });
    await checkGradients((a, c) => convWeightGrad(a, c, [3, 2], attrs).square(), [x, ct], { tolerance: 4e-3 });
  });

  it("differentiates twice", async () => {
    const f = (a: Tensor, w: Tensor) => conv(a, w, null, attrs).square().sum();
    await checkGradients((a, w) => grad(() => f(a, w), [a])[0]!, [x, weight], { tolerance: 5e-3 });
    await checkGradients((a, w) => grad(() => f(a, w), [w])[0]!, [x, weight], { tolerance: 5e-3 });
  });

  it('keeps the size with "same": the extra element goes after', () => {
    const impulse = tensor([[[0, 0, 1, 0, 0]]]);
    const ramp = tensor([[[1, 2, 3, 4]]]);
    expect(row(conv(impulse, ramp, null, { padding: "same" }))).toEqual([4, 3, 2, 1, 0]); // 1 before, 2 after
    expect(conv(zeros([1, 2, 7, 8]), zeros([3, 2, 2, 4]), null, { padding: "same", dilation: [3, 2] }).shape).toEqual([
      1, 3, 7, 8,
    ]);
    expect(conv(zeros([1, 2, 7]), zeros([3, 2, 3]), null, { padding: "valid" }).shape).toEqual([1, 3, 5]);
  });

  it('gives ⌈size / stride⌉ outputs with "same" and a stride, as ONNX\'s SAME_UPPER', () => {
    // 7 with stride 3: 3 windows of 4 reach over 10, so 1 before and 2 after; 8 with stride 2: 4 windows of 3 over 9.
    const [x, w] = [randn([1, 2, 7, 8]), randn([3, 2, 4, 3])];
    const y = conv(x, w, null, { padding: "same", stride: [3, 2] });
    expect(y.shape).toEqual([1, 3, 3, 4]);
    const padding: Padding[] = [
      [1, 2],
      [0, 1],
    ];
    close(y, conv(x, w, null, { padding, stride: [3, 2] }).readSync());
    // A stride longer than the kernel needs no padding, and leaves out the end.
    expect(conv(zeros([2, 7]), zeros([1, 2, 1]), null, { padding: "same", stride: 3 }).shape).toEqual([1, 3]);
  });

  it('sees nothing of what comes later with "causal"', () => {
    const [x, w] = [randn([1, 2, 9]), randn([3, 2, 3])];
    const y = conv(x, w, null, { padding: "causal", dilation: 2 });
    close(y, conv(x, w, null, { padding: [[4, 0]], dilation: 2 }).readSync());
    const changed = x.mul(tensor([1, 1, 1, 1, 1, 0, 0, 0, 0]));
    close(
      y.slice([null, null, [0, 5]]),
      conv(changed, w, null, { padding: "causal", dilation: 2 })
        .slice([null, null, [0, 5]])
        .readSync(),
    );
  });

  it("takes one sample without a batch", () => {
    const [one, w, b] = [randn([3, 6, 7]), randn([2, 3, 3, 3]), randn([2])];
    const y = conv(one, w, b);
    expect(y.shape).toEqual([2, 4, 5]);
    close(y, conv(one.unsqueeze(0), w, b).readSync());
  });

  it("takes empty batches", () => {
    const [none, w] = [zeros([0, 3, 12, 12]), randn([2, 3, 3, 3])];
    const [, [gx, gw]] = valueAndGrad(() => conv(none, w, zeros([2])).sum(), [none, w]);
    expect(gx!.shape).toEqual([0, 3, 12, 12]);
    expect(gw!.readSync().every((v) => v === 0)).toBe(true);
  });
});

describe("kernels", () => {
  const before = getBackend();
  afterEach(() => setBackend(before));

  it("of a backend run all three ops, eager and compiled", () => {
    const ran: string[] = [];
    const kernel = (op: string): Kernel<never, unknown> => ({
      op,
      emit:
        ({ outs }) =>
        (_ins: unknown, results: readonly { f32: Float32Array }[]) => {
          ran.push(op);
          results[0]!.f32.fill(1, 0, sizeOf(outs[0]!.shape));
        },
    });
    const names = ["conv/conv", "conv/convInputGrad", "conv/convWeightGrad"];
    setBackend(reference({ kernels: names.map(kernel) as never }));
    const [x, w, b] = [randn([1, 2, 4]), randn([3, 2, 3]), randn([3])];
    const step = (...[a, v, c]: Tensor[]) => grad(() => conv(a!, v!, c!, { padding: 1 }).sum(), [a!, v!]);
    step(x, w, b);
    expect(ran.splice(0)).toEqual(names);
    compile(step)(x, w, b);
    expect(ran.toSorted()).toEqual(names.slice(1)); // nobody asked for the value
  });
});

describe("errors", () => {
  const image = zeros([64, 1, 28, 28]);
  it.each<[string, () => unknown, RegExp]>([
    [
      "channels",
      () => conv(image, zeros([8, 16, 3, 3])),
      /conv\/conv: expected x \(N, 16, H, W\), got \(64, 1, 28, 28\): channel 1 ≠ inChannels 16/,
    ],
    [
      "rank of x",
      () => conv(zeros([5]), zeros([8, 16, 3, 3])),
      /expected x \(N, 16, H, W\) or \(16, H, W\), got \(5\)/,
    ],
    ["rank of weight", () => conv(image, zeros([8, 16])), /1, 2 or 3 kernel axes, got 0/],
    [
      "kernel",
      () => conv(image, zeros([8, 1, 3, 31]), null, { padding: 1 }),
      /expected W ≥ 29 for a kernel of 31 and padding 1 \+ 1, got W = 28/,
    ],
    [
      "dilation",
      () => conv(image, zeros([8, 1, 3, 3]), null, { dilation: 14 }),
      /expected H ≥ 29 for a kernel of 3 with dilation 14/,
    ],
    ["bias", () => conv(image, zeros([8, 1, 3, 3]), zeros([3])), /expected bias \(8\), got \(3\)/],
    [
      "groups",
      () => conv(zeros([1, 4, 8]), zeros([3, 2, 3]), null, { groups: 2 }),
      /groups that divide 4 input and 3 output channels, got groups 2/,
    ],
    [
      "stride",
      () => conv(image, zeros([8, 1, 3, 3]), null, { stride: 0 }),
      /stride: an integer ≥ 1, or 2 of them \(H, W\), got 0/,
    ],
    [
      "padding",
      () => conv(image, zeros([8, 1, 3, 3]), null, { padding: [1, 2, 3] }),
      /padding: an integer ≥ 0.*got \[1,2,3\]/,
    ],
    [
      "padding word",
      () => conv(image, zeros([8, 1, 3, 3]), null, { padding: "some" as "same" }),
      /"same" or "valid", got "some"/,
    ],
    ["dtype", () => conv(zeros([1, 1, 4], { dtype: "i32" }), zeros([1, 1, 3])), /expected dtype f32, got i32/],
    [
      "size of ct",
      () => convInputGrad(zeros([1, 8, 5, 5]), zeros([8, 1, 3, 3]), [28, 28], attrs2),
      /expected ct \(1, 8, 26, 26\), as conv gives for x \(1, 1, 28, 28\), got \(1, 8, 5, 5\)/,
    ],
    [
      "batch of ct",
      () => convWeightGrad(image, zeros([2, 8, 26, 26]), [3, 3], attrs2),
      /expected ct \(64, 8, 26, 26\), .* got \(2, 8, 26, 26\)/,
    ],
    ["direct", () => apply1(convOp, [zeros([1, 1, 4]), zeros([1, 1, 3])], attrs2), /weight .* with 2 kernel axes/],
  ])("%s", (_, f, message) => {
    expect(f).toThrow(message);
  });
});

const attrs2: ConvAttrs = {
  stride: [1, 1],
  padding: [
    [0, 0],
    [0, 0],
  ],
  dilation: [1, 1],
  groups: 1,
};

// ── the definition, in plain loops and double precision ────────────────────────────────────────────

function operands({
  batch,
  groups,
  inPerGroup,
  outPerGroup,
  size,
  kernel,
  bias,
}: Case): [Tensor, Tensor, Tensor | null] {
  const out = outPerGroup * groups;
  return [
    randn([batch, inPerGroup * groups, ...size]),
    randn([out, inPerGroup, ...kernel]),
    bias ? randn([out]) : null,
  ];
}

/** Calls back with the places in y, weight and x (−1: padding) of every product. */
function products(
  xShape: readonly number[],
  wShape: readonly number[],
  { stride, padding, dilation, groups }: ConvAttrs,
  each: (y: number, o: number, w: number, x: number) => void,
): number[] {
  const [n, c, ...size] = xShape as [number, number, ...number[]];
  const [o, cg, ...kernel] = wShape as [number, number, ...number[]];
  const out = size.map(
    (d, i) => Math.floor((d + padding[i]![0] + padding[i]![1] - dilation[i]! * (kernel[i]! - 1) - 1) / stride[i]!) + 1,
  );
  let y = 0;
  for (let b = 0; b < n; b++)
    for (let oc = 0; oc < o; oc++)
      for (const p of places(out)) {
        for (let ic = 0; ic < cg; ic++)
          for (const [k, q] of places(kernel).entries()) {
            const channel = Math.floor(oc / (o / groups)) * cg + ic;
            let at = b * c + channel;
            let inside = true;
            size.forEach((d, i) => {
              const v = p[i]! * stride[i]! + q[i]! * dilation[i]! - padding[i]![0];
              inside &&= v >= 0 && v < d;
              at = at * d + v;
            });
            each(y, oc, (oc * cg + ic) * sizeOf(kernel) + k, inside ? at : -1);
          }
        y++;
      }
  return [n, o, ...out];
}

function naive(x: Tensor, weight: Tensor, bias: Tensor | null, attrs: ConvAttrs): { shape: number[]; y: number[] } {
  const [xs, ws, bs] = [x.readSync(), weight.readSync(), bias?.readSync()];
  const y: number[] = [];
  const shape = products(x.shape, weight.shape, attrs, (i, o, w, at) => {
    y[i] = (y[i] ?? bs?.[o] ?? 0) + ws[w]! * (at < 0 ? 0 : xs[at]!);
  });
  return { shape, y };
}

function naiveGradients(x: Tensor, weight: Tensor, ct: Tensor, attrs: ConvAttrs) {
  const [xs, ws, cs] = [x.readSync(), weight.readSync(), ct.readSync()];
  const g = {
    x: new Array<number>(x.size).fill(0),
    weight: new Array<number>(weight.size).fill(0),
    bias: new Array<number>(weight.shape[0]!).fill(0),
  };
  const seen = new Set<number>();
  products(x.shape, weight.shape, attrs, (i, o, w, at) => {
    if (!seen.has(i)) g.bias[o]! += cs[i]!;
    seen.add(i);
    if (at < 0) return;
    g.x[at]! += cs[i]! * ws[w]!;
    g.weight[w]! += cs[i]! * xs[at]!;
  });
  return g;
}

function places(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (list, d) => list.flatMap((at) => Array.from({ length: d }, (_, i) => [...at, i])),
    [[]],
  );
}

function close(got: Tensor, want: ArrayLike<number>): void {
  const data = got.readSync();
  expect(data.length).toBe(want.length);
  let scale = 1;
  for (let i = 0; i < want.length; i++) scale = Math.max(scale, Math.abs(want[i]!));
  for (let i = 0; i < want.length; i++)
    if (!(Math.abs(data[i]! - want[i]!) <= 1e-5 * scale)) expect(data[i]).toBe(want[i]);
}

function row(t: Tensor): number[] {
  return Array.from(t.readSync());
}
