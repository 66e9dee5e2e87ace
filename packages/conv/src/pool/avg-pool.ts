// Average-pooling and its gradient: sums over windows, divided by how many elements count.

import {
  apply1,
  assemble,
  checkDType,
  defineOp,
  type Expr,
  expand,
  expr,
  fail,
  map,
  mul,
  type OpDef,
  pad,
  reshape,
  rowMajor,
  sameShape,
  show,
  slice,
  type Tensor,
} from "@nn/tensor";
import { extent, isPadded, type Size } from "../spatial.js";
import { inferPool, overWindows, type PoolAttrs, type PoolOptions, poolAttrs, pooled } from "./windows.js";

/** Options of {@link avgPool}, as `torch.nn.functional.avg_pool2d` has them. */
export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts as zeros in the average (default true); what `ceilMode` adds never does. */
  readonly countIncludePad?: boolean;
  /** What to divide each sum by instead of the number of elements. */
  readonly divisorOverride?: number | null;
}

/** {@link PoolAttrs} and what each sum is divided by. */
export interface AvgPoolAttrs extends PoolAttrs {
  /** Given, or null: the number of elements between the bounds of each axis, `low ≤ i < high`. */
  readonly divisor: number | null;
  readonly bounds: readonly (readonly [low: number, high: number])[];
}

/**
 * The mean of every window of the spatial axes.
 *
 * As [torch.nn.functional.avg_pool1d, avg_pool2d and avg_pool3d](https://pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html).
 *
 * @param x (N, C, …spatial) f32 with 1–3 spatial axes; without a batch, use {@link AvgPool1d} … {@link AvgPool3d}, or
 *   give one kernel size per axis
 * @param kernelSize elements of a window: one number, or one per axis
 * @returns (N, C, …), each axis of `⌊(size + 2 · padding − kernel) / stride⌋ + 1` (`ceilMode`: ⌈ ⌉)
 * @throws {@link NNError} if the kernel does not fit, or the padding is more than half a window
 * @example
 * ```ts
 * avgPool(tensor([[[1, 5, 2, 3]]]), 2); // [[[3, 2.5]]]
 * ```
 */
export function avgPool(
  x: Tensor,
  kernelSize: Size,
  { countIncludePad = true, divisorOverride = null, ...options }: AvgPoolOptions = {},
): Tensor {
  const op = "conv/avgPool";
  if (divisorOverride !== null && !(Number.isFinite(divisorOverride) && divisorOverride !== 0)) {
    fail({ op, expected: "divisorOverride: a number other than 0, or null", got: `${divisorOverride}` });
  }
  return pooled(op, x, kernelSize, (batch) => {
    const size = batch.shape.slice(2);
    const attrs = poolAttrs(op, size, kernelSize, options);
    const given = poolAttrs(op, size, kernelSize, { ...options, ceilMode: false });
    const bounds = size.map(
      (d, i) => (countIncludePad ? [-given.padding[i]![0], d + given.padding[i]![1]] : [0, d]) as [number, number],
    );
    return apply1(avgPoolOp, [batch], { ...attrs, divisor: divisorOverride, bounds });
  });
}

/** `"conv/avgPool"`: x → the means. See {@link avgPool}. */
export const avgPoolOp: OpDef<AvgPoolAttrs> = /* @__PURE__ */ defineOp<AvgPoolAttrs>({
  name: "conv/avgPool",
  infer([x], attrs) {
    checkDType("conv/avgPool", x!.dtype, "f32");
    return [inferPool("conv/avgPool", x!, attrs)];
  },
  lower([x], attrs) {
    const { padding } = attrs;
    const whole = padding.some(isPadded) ? pad(x!, padding) : x!;
    return [divided(overWindows("add", whole, attrs), attrs)];
  },
  vjp: ([ct], { ins: [x], attrs }) => [apply1(avgPoolGradOp, [ct!], { ...attrs, inputSize: x!.shape.slice(2) })],
});

/** `"conv/avgPoolGrad"`: ct → the gradient of an x of spatial size `inputSize`. */
export const avgPoolGradOp: OpDef<AvgPoolAttrs & { readonly inputSize: readonly number[] }> = /* @__PURE__ */ defineOp<
  AvgPoolAttrs & { readonly inputSize: readonly number[] }
>({
  name: "conv/avgPoolGrad",
  infer([ct], { inputSize, ...attrs }) {
    const x = { shape: [...ct!.shape.slice(0, 2), ...inputSize], dtype: ct!.dtype };
    const want = inferPool("conv/avgPoolGrad", x, attrs);
    if (!sameShape(ct!.shape, want.shape))
      fail({ op: "conv/avgPoolGrad", expected: `ct ${show(want.shape)}`, got: show(ct!.shape) });
    return [x];
  },
  lower([ct], { inputSize, ...attrs }) {
    const { kernelSize, stride, padding, dilation } = attrs;
    const [n, c, ...out] = ct!.shape as [number, number, ...number[]];
    const whole = [n, c, ...inputSize.map((d, i) => d + padding[i]![0] + padding[i]![1])];
    const [sn, sc, ...steps] = rowMajor(whole) as [number, number, ...number[]];
    // Each element of ct goes to all of its window.
    const shape = [n, c, ...kernelSize, ...out];
    const share = reshape(divided(ct!, attrs), [n, c, ...kernelSize.map(() => 1), ...out]);
    const strides = [sn, sc, ...steps.map((s, i) => s * dilation[i]!), ...steps.map((s, i) => s * stride[i]!)];
    const accumulate = kernelSize.some((k, i) => extent(k, dilation[i]!) > stride[i]!);
    const y = apply1(assemble, [expand(share, shape)], {
      shape: whole,
      fill: 0,
      regions: [{ shape, offset: 0, strides }],
      accumulate,
    });
    return [slice(y, [null, null, ...inputSize.map((d, i) => [padding[i]![0], padding[i]![0] + d] as const)])];
  },
  vjp: ([u], { attrs: { inputSize: _, ...attrs } }) => [apply1(avgPoolOp, [u!], attrs)],
});

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Divides by the number of elements that count in each window. */
function divided(x: Tensor, attrs: AvgPoolAttrs): Tensor {
  const { divisor, kernelSize, bounds, stride, padding } = attrs;
  if (divisor !== null) return mul(x, 1 / divisor);
  const out = x.shape.slice(2);
  const i32 = (v: number) => expr.num(v, "i32");
  let same = 1;
  const varying: Expr[] = [];
  kernelSize.forEach((k, i) => {
    const [low, high] = bounds[i]!;
    const first = -padding[i]![0];
    const last = first + (out[i]! - 1) * stride[i]!;
    if (first >= low && last + k <= high) {
      same *= k;
      return;
    }
    const start = expr.call("add", expr.call("mul", expr.index(2 + i), i32(stride[i]!)), i32(first));
    const stop = expr.call("min", expr.call("add", start, i32(k)), i32(high));
    varying.push(expr.call("sub", stop, expr.call("max", start, i32(low))));
  });
  if (varying.length === 0) return mul(x, 1 / same);
  const elements = varying.reduce((a, b) => expr.call("mul", a, b), i32(same));
  return apply1(map, [x], { expr: expr.call("div", expr.input(0), elements), shape: x.shape });
}
