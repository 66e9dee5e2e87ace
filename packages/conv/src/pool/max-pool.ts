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
import { isPadded, type Size } from "../spatial.js";
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
  vjp: ([ct], { ins: [x], outs: [y], attrs }) => [apply1(maxPoolGradOp, [ct!, x!, y!], attrs)],
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
    const at = rows(apply1(maxPoolIndicesOp, [x!, y!], attrs));
    return [
      reshape(apply1(scatterAddPrimitive, [at, rows(ct!)], { axis: 1, size: sizeOf(x!.shape.slice(2)) }), x!.shape),
    ];
  },
  /** Linear in ct, and its adjoint picks; in x it is constant almost everywhere. */
  vjp([u], { ins: [ct, x, y], attrs }) {
    const at = rows(apply1(maxPoolIndicesOp, [x!, y!], attrs));
    return [reshape(gather(rows(u!), 1, at), ct!.shape), null, null];
  },
});

/** `"conv/maxPoolIndices"`: (x, y = maxPool(x)) → where each maximum is, in the flattened spatial axes; i32. */
export const maxPoolIndicesOp: OpDef<PoolAttrs> = /* @__PURE__ */ defineOp<PoolAttrs>({
  name: "conv/maxPoolIndices",
  infer: ([x, y], attrs) => [{ shape: checkPooled("conv/maxPoolIndices", x!, y!, attrs).shape, dtype: "i32" }],
  lower([x, y], attrs) {
    const { call, index, input, select } = expr;
    const { kernelSize, stride, padding, dilation } = attrs;
    const size = x!.shape.slice(2);
    const { shape } = y!;
    const whole = padded(x!, attrs);
    const steps = rowMajor(size);
    const flat = (along: readonly Expr[]) =>
      along.map((e, i) => call("mul", e, i32(steps[i]!))).reduce((a, b) => call("add", a, b));

    // First how far behind the first place of its window each maximum lies. Where there is a NaN, nothing is less.
    const place = (v: Expr, along: readonly Expr[], other: Expr) => select(call("lt", v, input(0)), other, flat(along));
    const offsets = offsetsOf(kernelSize);
    let found: Tensor;
    if (offsets.length <= 25) {
      // A few slices at a time, from the last to the first, so that the first of equals is what remains.
      found = apply1(map, [], { expr: i32(0), shape });
      while (offsets.length > 0) {
        const some = offsets.splice(2 - FAN_IN);
        const formula = some.reduceRight<Expr>(
          (other, at, k) =>
            place(
              input(2 + k),
              at.map((j, i) => i32(j * dilation[i]!)),
              other,
            ),
          input(1, "i32"),
        );
        found = apply1(map, [y!, found, ...some.map((at) => sliceAt(whole, at, attrs))], { expr: formula, shape });
      }
    } else {
      const windows = windowsOf(whole, attrs);
      const axes = size.map((_, i) => 2 + size.length + i);
      const maxima = expand(reshape(y!, [...shape, ...axes.map(() => 1)]), windows.shape);
      const along = axes.map((axis, i) => call("mul", index(axis), i32(dilation[i]!)));
      const prologue = place(input(1), along, i32(0x7fffffff));
      found = apply1(reduce, [maxima, windows], { of: "min", axes, prologue });
    }

    // Then where that is in x. In a window of nothing but −∞ or with NaN it may be padding: take the first that is not.
    const first = size.map((_, i) => call("sub", call("mul", index(2 + i), i32(stride[i]!)), i32(padding[i]![0])));
    const at = call("add", flat(first), input(0, "i32"));
    if (!padding.some(isPadded)) return [apply1(map, [found], { expr: at, shape })];
    const inside = first.map((e, i) =>
      call("min", select(call("lt", e, i32(0)), call("mod", e, i32(dilation[i]!)), e), i32(size[i]! - 1)),
    );
    const usual = call("lt", expr.num(Number.NEGATIVE_INFINITY), input(1));
    return [apply1(map, [found, y!], { expr: select(usual, at, flat(inside)), shape })];
  },
  vjp: () => [null, null],
});

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function padded(x: Tensor, { padding }: PoolAttrs): Tensor {
  return padding.some(isPadded) ? pad(x, padding, { value: Number.NEGATIVE_INFINITY }) : x;
}

function checkPooled(op: string, x: Spec, y: Spec, attrs: PoolAttrs): Spec {
  checkDType(op, x.dtype, "f32");
  const want = inferPool(op, x, attrs);
  if (!sameShape(y.shape, want.shape)) fail({ op, expected: `y ${show(want.shape)}`, got: show(y.shape) });
  return want;
}

/** (N, C, …) → (N · C, …): the rows in which indices count. */
function rows(x: Tensor): Tensor {
  return reshape(x, [x.shape[0]! * x.shape[1]!, sizeOf(x.shape.slice(2))]);
}

const i32 = (v: number): Expr => expr.num(v, "i32");
