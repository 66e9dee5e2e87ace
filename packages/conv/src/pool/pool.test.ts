import {
  checkGradients,
  compile,
  getBackend,
  grad,
  type Kernel,
  NNError,
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
import { type AvgPoolOptions, avgPool } from "./avg-pool.js";
import { AvgPool1d, AvgPool2d, AvgPool3d, MaxPool1d, MaxPool2d, MaxPool3d } from "./layers.js";
import { type MaxPoolOptions, maxPool, maxPoolWithIndices } from "./max-pool.js";

interface Case {
  readonly size: number[];
  readonly kernel: number[];
  readonly options: MaxPoolOptions & {
    readonly stride: number[];
    readonly padding: number[];
    readonly dilation: number[];
  };
}

/** Windows of all kinds, from single elements to ones that take a reduction. */
const cases = (largest: number, dilations: number): fc.Arbitrary<Case> =>
  fc.integer({ min: 1, max: 3 }).chain((axes) => {
    const per = (min: number, max: number) => fc.array(fc.integer({ min, max }), { minLength: axes, maxLength: axes });
    const most = axes === 1 ? 3 * largest : axes === 2 ? largest : 3;
    return fc
      .record({
        kernel: per(1, most),
        stride: per(1, 4),
        dilation: per(1, dilations),
        half: per(0, 4),
        more: per(0, 6),
        ceilMode: fc.boolean(),
      })
      .map(({ kernel, stride, dilation, half, more, ceilMode }) => {
        const padding = kernel.map((k, i) => Math.min(half[i]!, Math.floor(k / 2)));
        const size = kernel.map((k, i) => Math.max(1, dilation[i]! * (k - 1) + 1 - 2 * padding[i]!) + more[i]!);
        return { size, kernel, options: { stride, padding, dilation, ceilMode } };
      });
  });

describe("maxPool", () => {
  it("is what the definition says: values, positions, gradient to the first maximum", () => {
    fc.assert(
      fc.property(cases(7, 3), ({ size, kernel, options }) => {
        // Few different values, so that there are ties; all negative, so that padding would win if it could.
        const x = randn([2, 2, ...size])
          .mul(2)
          .round()
          .sub(20);
        const want = naive(x, kernel, options);
        fc.pre(!want.at.includes(-1)); // dilated windows may lie in the padding altogether
        const { values, indices } = maxPoolWithIndices(x, kernel, options);
        expect(values.shape).toEqual(want.shape);
        expect(list(values)).toEqual(want.max);
        expect(list(indices)).toEqual(want.at);
        const ct = randn(want.shape);
        const [gx] = grad(() => maxPool(x, kernel, options).mul(ct).sum(), [x]);
        close(gx!, scatter(x, want.at, list(ct)));
      }),
      { numRuns: 150, seed: 1 },
    );
  });

  it("compiles to the same", () => {
    fc.assert(
      fc.property(cases(7, 2), ({ size, kernel, options }) => {
        const x = randn([2, 2, ...size]);
        const f = (t: Tensor) => valueAndGrad(() => maxPool(t, kernel, options).square().sum(), [t]);
        const [value, [gx]] = f(x);
        const compiled = compile(f);
        const [value2, [gx2]] = compiled(x);
        close(value2, list(value));
        close(gx2!, list(gx!));
        compiled.dispose();
      }),
      { numRuns: 30, seed: 2 },
    );
  });

  it("lets NaN through, and −∞ stay", () => {
    const [n, i] = [Number.NaN, Number.NEGATIVE_INFINITY];
    expect(list(maxPool(tensor([[[1, n, 3, 4, n, n]]]), 2))).toEqual([n, 4, n]);
    const { values, indices } = maxPoolWithIndices(tensor([[[i, i, i, i, 5]]]), 3, { stride: 2, padding: 1 });
    expect(list(values)).toEqual([i, i, 5]);
    expect(list(indices)).toEqual([0, 1, 4]);
    const apart = maxPoolWithIndices(tensor([[[i, i, i, i]]]), 3, { stride: 1, padding: 2, dilation: 2 });
    expect(list(apart.indices).every((at) => at >= 0 && at < 4)).toBe(true);
    const x = tensor([[[n, n, n]]]);
    expect(list(grad(() => maxPool(x, 3, { padding: 1 }).sum(), [x])[0]!)).toEqual([1, 0, 0]);
  });

  it("differentiates once and twice", async () => {
    // Far from ties: a permutation of multiples of 0.3.
    const x = tensor(Array.from({ length: 72 }, (_, i) => ((i * 29) % 72) * 0.3 - 10)).reshape([1, 2, 6, 6]);
    await checkGradients((t) => maxPool(t, 3, { stride: 2, padding: 1, ceilMode: true }).square(), [x]);
    await checkGradients((t) => grad(() => maxPool(t, 2).square().sum(), [t])[0]!, [x], { tolerance: 5e-3 });
    await checkGradients((t) => maxPool(t, 6).square(), [x]);
  });
});

describe("avgPool", () => {
  it("is what the definition says, with its gradient", () => {
    const options = fc.record({ countIncludePad: fc.boolean(), divisorOverride: fc.constantFrom(null, null, 3, 0.5) });
    fc.assert(
      fc.property(cases(7, 1), options, ({ size, kernel, options: { dilation: _, ...windows } }, more) => {
        const x = randn([2, 2, ...size]);
        const given = { ...windows, ...more };
        const want = naive(x, kernel, given);
        const y = avgPool(x, kernel, given);
        expect(y.shape).toEqual(want.shape);
        close(y, want.mean);
        const ct = randn(want.shape);
        const [gx] = grad(() => avgPool(x, kernel, given).mul(ct).sum(), [x]);
        const g = new Array<number>(x.size).fill(0);
        const cts = list(ct);
        want.shares.forEach((shares, i) => {
          for (const [at, share] of shares) g[at]! += cts[i]! * share;
        });
        close(gx!, g);
      }),
      { numRuns: 150, seed: 3 },
    );
  });

  it("compiles to the same", () => {
    const f = (t: Tensor) =>
      valueAndGrad(
        () => avgPool(t, 3, { stride: 2, padding: 1, ceilMode: true, countIncludePad: false }).square().sum(),
        [t],
      );
    const x = randn([2, 3, 8, 7]);
    const [value, [gx]] = f(x);
    const [value2, [gx2]] = compile(f)(x);
    close(value2, list(value));
    close(gx2!, list(gx!));
  });

  it("differentiates once and twice", async () => {
    const x = randn([1, 2, 5, 6]);
    const f = (t: Tensor) =>
      avgPool(t, [3, 2], { stride: 2, padding: 1, ceilMode: true, countIncludePad: false }).square();
    await checkGradients(f, [x]);
    await checkGradients((t) => grad(() => f(t).sum(), [t])[0]!, [x], { tolerance: 5e-3 });
  });
});

describe("pooling layers", () => {
  it("give PyTorch's sizes", () => {
    expect(new MaxPool1d(3, { stride: 2 }).forward(zeros([2, 4, 11])).shape).toEqual([2, 4, 5]);
    expect(new MaxPool2d(2).forward(zeros([8, 16, 28, 28])).shape).toEqual([8, 16, 14, 14]);
    expect(new MaxPool2d(3, { stride: 2, ceilMode: true }).forward(zeros([2, 2, 8, 10])).shape).toEqual([2, 2, 4, 5]);
    expect(new MaxPool3d([1, 2, 2]).forward(zeros([2, 4, 8, 16, 16])).shape).toEqual([2, 4, 8, 8, 8]);
    expect(new AvgPool1d(2).forward(zeros([2, 4, 10])).shape).toEqual([2, 4, 5]);
    expect(new AvgPool2d(3, { stride: 2, padding: 1 }).forward(zeros([8, 16, 28, 28])).shape).toEqual([8, 16, 14, 14]);
    expect(new AvgPool3d(2).forward(zeros([2, 4, 8, 16, 16])).shape).toEqual([2, 4, 4, 8, 8]);
    // The last window would start in the padding after: it does not count.
    expect(new AvgPool2d(3, { stride: 2, padding: 1, ceilMode: true }).forward(zeros([2, 2, 8, 8])).shape).toEqual([
      2, 2, 5, 5,
    ]);
    expect(new AvgPool1d(2, { stride: 2, padding: 1, ceilMode: true }).forward(zeros([1, 1, 3])).shape).toEqual([
      1, 1, 2,
    ]);
  });

  it("take one sample without a batch", () => {
    const x = randn([3, 6, 6]);
    expect(list(new MaxPool2d(2).forward(x))).toEqual(list(maxPool(x.unsqueeze(0), 2)));
    expect(new MaxPool2d(2).forwardWithIndices(x).indices.shape).toEqual([3, 3, 3]);
    expect(new AvgPool2d(2).forward(x).shape).toEqual([3, 3, 3]);
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      "input",
      () => new MaxPool2d(5, { stride: 2 }).forward(zeros([1, 1, 4, 9])),
      /^MaxPool2d: expected H ≥ 5 for a kernel of 5 and padding 0 \+ 0, got H = 4/,
    ],
    [
      "rank",
      () => new AvgPool2d(2).forward(zeros([4, 4])),
      /^AvgPool2d: expected x \(N, C, H, W\) or \(C, H, W\), got \(4, 4\)/,
    ],
    [
      "padding",
      () => new MaxPool2d(3, { padding: 2 }),
      /^MaxPool2d: expected padding at most half a window: \(1, 1\), got \(2, 2\)/,
    ],
    ["stride", () => new AvgPool1d(3, { stride: 0 }), /^AvgPool1d: expected stride: an integer ≥ 1, got 0/],
    [
      "kernelSize",
      () => new MaxPool3d([2, 2]),
      /^MaxPool3d: expected kernelSize: an integer ≥ 1, or 3 of them \(D, H, W\), got \[2,2\]/,
    ],
    ["divisor", () => avgPool(zeros([1, 1, 4]), 2, { divisorOverride: 0 }), /divisorOverride: a number other than 0/],
    ["dtype", () => maxPool(zeros([1, 1, 4], { dtype: "i32" }), 2), /dtype f32, got i32/],
  ])("name the fault: %s", (_, f, message) => {
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
      emit:
        ({ outs }) =>
        (_ins: unknown, results: readonly { f32: Float32Array }[]) => {
          ran.push(op);
          results[0]!.f32.fill(1, 0, sizeOf(outs[0]!.shape));
        },
    });
    const names = ["conv/avgPool", "conv/maxPool", "conv/maxPoolGrad", "conv/avgPoolGrad"];
    setBackend(reference({ kernels: names.map(kernel) as never }));
    const step = (x: Tensor) => grad(() => maxPool(avgPool(x, 2), 2).sum(), [x]);
    step(randn([1, 1, 8]));
    expect(ran.splice(0)).toEqual(names);
    compile(step)(randn([1, 1, 8]));
    expect(ran).toEqual(names);
  });
});

// ── the definitions, in plain loops ────────────────────────────────────────────────────────────────

function naive(x: Tensor, kernel: readonly number[], options: MaxPoolOptions & AvgPoolOptions) {
  const per = (v: number | readonly number[] | undefined, otherwise: readonly number[]) =>
    v === undefined ? otherwise : typeof v === "number" ? kernel.map(() => v) : v;
  const stride = per(options.stride, kernel);
  const padding = per(
    options.padding,
    kernel.map(() => 0),
  );
  const dilation = per(
    options.dilation,
    kernel.map(() => 1),
  );
  const { ceilMode = false, countIncludePad = true, divisorOverride = null } = options;
  const [n, c, ...size] = x.shape as [number, number, ...number[]];
  const out = size.map((d, i) => {
    const free = d + 2 * padding[i]! - dilation[i]! * (kernel[i]! - 1) - 1;
    const windows = (ceilMode ? Math.ceil : Math.floor)(free / stride[i]!) + 1;
    return ceilMode && (windows - 1) * stride[i]! >= d + padding[i]! ? windows - 1 : windows;
  });
  const data = x.readSync();
  const result = {
    shape: [n, c, ...out],
    max: [] as number[],
    at: [] as number[],
    mean: [] as number[],
    shares: [] as [number, number][][],
  };
  for (let plane = 0; plane < n * c; plane++) {
    for (const window of places(out)) {
      let [best, at, sum, counted] = [Number.NEGATIVE_INFINITY, -1, 0, 0];
      const members: number[] = [];
      for (const q of places(kernel)) {
        const v = window.map((p, i) => p * stride[i]! - padding[i]! + q[i]! * dilation[i]!);
        const inside = v.every((a, i) => a >= 0 && a < size[i]!);
        const inPadding = v.every((a, i) => a < size[i]! + padding[i]!);
        if (countIncludePad ? inPadding : inside) counted++;
        if (!inside) continue;
        const local = v.reduce((a, b, i) => a * size[i]! + b, 0);
        const value = data[plane * sizeOf(size) + local]!;
        members.push(plane * sizeOf(size) + local);
        sum += value;
        if (value > best) [best, at] = [value, local];
      }
      const divisor = divisorOverride ?? counted;
      result.max.push(best);
      result.at.push(at);
      result.mean.push(sum / divisor);
      result.shares.push(members.map((m) => [m, 1 / divisor]));
    }
  }
  return result;
}

function scatter(x: Tensor, at: readonly number[], ct: readonly number[]): number[] {
  const g = new Array<number>(x.size).fill(0);
  const plane = sizeOf(x.shape.slice(2));
  const windows = at.length / (x.size / plane);
  at.forEach((local, i) => {
    g[Math.floor(i / windows) * plane + local]! += ct[i]!;
  });
  return g;
}

function places(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (all, d) => all.flatMap((at) => Array.from({ length: d }, (_, i) => [...at, i])),
    [[]],
  );
}

function list(t: Tensor): number[] {
  return Array.from(t.readSync());
}

function close(got: Tensor, want: ArrayLike<number>): void {
  const data = got.readSync();
  expect(data.length).toBe(want.length);
  for (let i = 0; i < want.length; i++)
    if (!(Math.abs(data[i]! - want[i]!) <= 1e-5 * Math.max(1, Math.abs(want[i]!)))) expect(data[i]).toBe(want[i]);
}
