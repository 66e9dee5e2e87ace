// Max-pooling, where its maxima are, and its gradient: each window's gradient goes to its first maximum.

import {
  apply1,
  checkDType,
  defineOp,
  type Expr,
  expand,
  expr,
  fail,
  gather,
  map,
  type OpDef,
  pad,
  reduce,
  reshape,
  rowMajor,
  type Spec,
  sameShape,
  scatterAddPrimitive,
  show,
  sizeOf,
  type Tensor,
  unsqueeze,
} from "@nn/tensor";
import type { Size } from "../spatial.js";
import {
  FAN_IN,
  inferPool,
  offsetsOf,
  overWindows,
  type PoolAttrs,
  type PoolOptions,
  poolAttrs,
  pooled,
  sliceAt,
  windowsOf,
} from "./windows.js";

/** Options of {@link maxPool}, as `torch.nn.functional.max_pool2d` has them. */
export interface MaxPoolOptions extends PoolOptions {
  /** Distance between the elements of a window (default 1). */
  readonly dilation?: Size;
}

/**
 * The greatest element of every window of the spatial axes; NaN if there is one. Padding never wins, not even over
 * negative elements. The gradient goes to the first greatest element of each window.
 *
 * As [torch.nn.functional.max_pool1d, max_pool2d and max_pool3d](https://pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html).
 *
 * @param x (N, C, …spatial) f32 with 1–3 spatial axes; without a batch, use {@link MaxPool1d} … {@link MaxPool3d}, or
 *   give one kernel size per axis
 * @param kernelSize elements of a window: one number, or one per axis
 * @returns (N, C, …), each axis of `⌊(size + 2 · padding − dilation · (kernel − 1) − 1) / stride⌋ + 1` (`ceilMode`: ⌈ ⌉)
 * @throws {@link NNError} if the kernel does not fit, or the padding is more than half a window
 * @example
 * ```ts
 * maxPool(tensor([[[1, 5, 2, 3]]]), 2); // [[[5, 3]]]
 * ```
 */
export function maxPool(x: Tensor, kernelSize: Size, options: MaxPoolOptions = {}): Tensor {
  const op = "conv/maxPool";
  return pooled(op, x, kernelSize, (batch) =>
    apply1(maxPoolOp, [batch], poolAttrs(op, batch.shape.slice(2), kernelSize, options)),
  );
}

/**
 * {@link maxPool}, and where each maximum is: its position in the flattened spatial axes of its channel (i32), as
 * PyTorch's `return_indices` gives it.
 */
export function maxPoolWithIndices(
  x: Tensor,
  kernelSize: Size,
  options: MaxPoolOptions = {},
): { values: Tensor; indices: Tensor } {
  const op = "conv/maxPool";
  const values = maxPool(x, kernelSize, options);
  const indices = pooled(op, x, kernelSize, (batch) => {
    const attrs = poolAttrs(op, batch.shape.slice(2), kernelSize, options);
    return apply1(maxPoolIndicesOp, [batch, batch === x ? values : unsqueeze(values, 0)], attrs);
  });
  return { values, indices };
}

/** `"conv/maxPool"`: x → the maxima. See {@link maxPool}. */
export const maxPoolOp: OpDef<PoolAttrs> = /* @__PURE__ */ defineOp<PoolAttrs>({
  name: "conv/maxPool",
  infer([x], attrs) {
    checkDType("conv/maxPool", x!.dtype, "f32");
    return [inferPool("conv/maxPool", x!, attrs)];
  },
  lower: ([x], attrs) => [overWindows("max", padded(x!, attrs), attrs)],
  vjp: ([ct], { ins: [x], outs: [y], attrs }) => [ct && apply1(maxPoolGradOp, [ct, x!, y!], attrs)],
});

/** `"conv/maxPoolGrad"`: (ct, x, y = maxPool(x)) → the gradient of x. */
export const maxPoolGradOp: OpDef<PoolAttrs> = /* @__PURE__ */ defineOp<PoolAttrs>({
  name: "conv/maxPoolGrad",
  infer([ct, x, y], attrs) {
    const want = checkPooled("conv/maxPoolGrad", x!, y!, attrs);
    if (!sameShape(ct!.shape, want.shape))
      fail({ op: "conv/maxPoolGrad", expected: `ct ${show(want.shape)}`, got: show(ct!.shape) });
    return [x!];
  },
  lower([ct, x, y], attrs) {
    const at = flat(apply1(maxPoolIndicesOp, [x!, y!], attrs));
    return [
      reshape(apply1(scatterAddPrimitive, [at, flat(ct!)], { axis: 1, size: sizeOf(x!.shape.slice(2)) }), x!.shape),
    ];
  },
  /** Linear in ct, and its adjoint picks; in x it is constant almost everywhere. */
  vjp([u], { ins: [ct, x, y], attrs }) {
    if (!u) return [null, null, null];
    const at = flat(apply1(maxPoolIndicesOp, [x!, y!], attrs));
    return [reshape(gather(flat(u), 1, at), ct!.shape), null, null];
  },
});

/** `"conv/maxPoolIndices"`: (x, y = maxPool(x)) → where each maximum is, in the flattened spatial axes; i32. */
export const maxPoolIndicesOp: OpDef<PoolAttrs> = /* @__PURE__ */ defineOp<PoolAttrs>({
  name: "conv/maxPoolIndices",
  infer: ([x, y], attrs) => [{ shape: checkPooled("conv/maxPoolIndices", x!, y!, attrs).shape, dtype: "i32" }],
  lower([x, y], attrs) {
    const size = x!.shape.slice(2);
    const whole = padded(x!, attrs);
    const offsets = offsetsOf(attrs.kernelSize);
    const steps = rowMajor(size);
    const found =
      offsets.length <= 25
        ? offsetsBySlices(whole, y!, offsets, steps, attrs)
        : offsetsByReduction(whole, y!, steps, attrs);
    return [fromStart(found, y!, size, attrs)];
  },
  vjp: () => [null, null],
});

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function padded(x: Tensor, { padding }: PoolAttrs): Tensor {
  return padding.some(([a, b]) => a + b > 0) ? pad(x, padding, { value: Number.NEGATIVE_INFINITY }) : x;
}

function checkPooled(op: string, x: Spec, y: Spec, attrs: PoolAttrs): Spec {
  checkDType(op, x.dtype, "f32");
  const want = inferPool(op, x, attrs);
  if (!sameShape(y.shape, want.shape)) fail({ op, expected: `y ${show(want.shape)}`, got: show(y.shape) });
  return want;
}

/** (N, C, …) → (N · C, …): the rows in which indices count. */
function flat(x: Tensor): Tensor {
  return reshape(x, [x.shape[0]! * x.shape[1]!, sizeOf(x.shape.slice(2))]);
}

const { call, index, input, num, select } = expr;

const i32 = (v: number): Expr => num(v, "i32");
const sumOf = (terms: readonly Expr[]): Expr => terms.reduce((a, b) => call("add", a, b));

/** A few slices at a time: the first position of the window that holds the maximum, as {@link fromStart} wants it. */
function offsetsBySlices(
  whole: Tensor,
  y: Tensor,
  offsets: readonly number[][],
  steps: readonly number[],
  attrs: PoolAttrs,
): Tensor {
  const at = (offset: readonly number[]) =>
    i32(offset.reduce((sum, j, i) => sum + j * attrs.dilation[i]! * steps[i]!, 0));
  const most = FAN_IN - 2; // beside the maxima and what was found
  // From the last, which it is if no other one is, to the first, so that the first of equals is what remains.
  const last = offsets.length - 1;
  let found: Tensor | null = null;
  for (let end = last; end > 0 || found === null; end -= most) {
    const chunk = offsets.slice(Math.max(0, end - most), end);
    const later: Expr = found ? input(chunk.length + 1, "i32") : at(offsets[last]!);
    const first: Expr = chunk.reduceRight<Expr>(
      (other, offset, i) => select(call("eq", input(i + 1), input(0)), at(offset), other),
      later,
    );
    const slices: Tensor[] = chunk.map((offset) => sliceAt(whole, offset, attrs));
    found = apply1(map, [y, ...slices, ...(found ? [found] : [])], { expr: first, shape: y.shape });
  }
  return found;
}

/** For large windows: the least offset that holds the maximum. */
function offsetsByReduction(whole: Tensor, y: Tensor, steps: readonly number[], attrs: PoolAttrs): Tensor {
  const axes = steps.length;
  const windows = windowsOf(whole, attrs);
  const maxima = expand(reshape(y, [...y.shape, ...steps.map(() => 1)]), windows.shape);
  const last = i32(attrs.kernelSize.reduce((sum, k, i) => sum + (k - 1) * attrs.dilation[i]! * steps[i]!, 0));
  const offset = sumOf(steps.map((step, i) => call("mul", index(2 + axes + i), i32(attrs.dilation[i]! * step))));
  return apply1(reduce, [windows, maxima], {
    of: "min",
    axes: steps.map((_, i) => 2 + axes + i),
    prologue: select(call("eq", input(0), input(1)), offset, last),
  });
}

/**
 * Positions in x, from how far behind the start of its window each lies. In a window of nothing but −∞ padding equals
 * the maximum, and in one with NaN nothing does: then it is the window's first element that is not padding.
 */
function fromStart(
  offsets: Tensor,
  y: Tensor,
  size: readonly number[],
  { stride, padding, dilation }: PoolAttrs,
): Tensor {
  const steps = rowMajor(size);
  const plane = (formula: Expr) =>
    expand(apply1(map, [], { expr: formula, shape: [1, 1, ...y.shape.slice(2)] }), y.shape);
  const starts = size.map((_, i) => call("add", call("mul", index(2 + i), i32(stride[i]!)), i32(-padding[i]![0])));
  const at = (along: readonly Expr[]) => sumOf(along.map((e, i) => call("mul", e, i32(steps[i]!))));
  const position = call("add", input(0, "i32"), input(1, "i32"));
  const { shape } = y;
  if (padding.every(([before, after]) => before + after === 0))
    return apply1(map, [offsets, plane(at(starts))], { expr: position, shape });
  const inside = starts.map((start, i) => {
    const first = select(call("lt", start, i32(0)), call("mod", start, i32(dilation[i]!)), start);
    return call("min", first, i32(size[i]! - 1));
  });
  const usual = call("lt", num(Number.NEGATIVE_INFINITY), input(3));
  return apply1(map, [offsets, plane(at(starts)), plane(at(inside)), y], {
    expr: select(usual, position, input(2, "i32")),
    shape,
  });
}
