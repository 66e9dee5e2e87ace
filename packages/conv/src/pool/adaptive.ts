// Adaptive pooling: windows as many as outputs are wanted, which cover the axis between them.

import {
  expand,
  fail,
  gather,
  indexSelect,
  maxWithIndex,
  mean,
  reshape,
  scope,
  show,
  sizeOf,
  type Tensor,
  tensor,
  where,
} from "@nn/tensor";
import { inBatch } from "../batch.js";
import { axisNames } from "../spatial.js";
import { avgPool } from "./avg-pool.js";
import { maxPool, maxPoolWithIndices } from "./max-pool.js";
import { offsetsOf } from "./windows.js";

/** Sizes of an output: one for all spatial axes or one per axis; `null` leaves an axis as it is. */
export type AdaptiveSize = number | null | readonly (number | null)[];

/**
 * Means over as many windows of each spatial axis as are asked for; window i of n over d elements is from ⌊i · d / n⌋ up
 * to, but without, ⌈(i + 1) · d / n⌉. With `outputSize` 1, the mean of each channel (global average-pooling).
 *
 * As [torch.nn.functional.adaptive_avg_pool2d](https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool2d.html),
 * for 1–3 axes.
 *
 * @param x (N, C, …spatial) f32; without a batch, give one size per axis
 * @returns (N, C, …outputSize)
 * @throws {@link NNError} if a size is neither an integer ≥ 1 nor null
 * @example
 * ```ts
 * adaptiveAvgPool(tensor([[[1, 5, 2, 3, 9]]]), 2); // [[[2.667, 4.667]]]: the middle is in both windows
 * ```
 */
export function adaptiveAvgPool(x: Tensor, outputSize: AdaptiveSize): Tensor {
  return adaptive("conv/adaptiveAvgPool", x, outputSize, (batch, out) => {
    const axes = out.map((_, i) => 2 + i);
    if (out.every((n) => n === 1)) return mean(batch, axes, { keepDims: true });
    const kernel = evenWindows(batch, out);
    if (kernel) return avgPool(batch, kernel);
    const { windows, shares } = unevenWindows(batch, out);
    return reshape(where(shares.gt(0), windows.mul(shares), 0).sum(-1), [...batch.shape.slice(0, 2), ...out]);
  });
}

/**
 * Maxima over the windows of {@link adaptiveAvgPool}; the gradient goes to the first greatest element of each.
 *
 * As [torch.nn.functional.adaptive_max_pool2d](https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool2d.html),
 * for 1–3 axes.
 *
 * @param x (N, C, …spatial) f32; without a batch, give one size per axis
 * @returns (N, C, …outputSize)
 * @throws {@link NNError} if a size is neither an integer ≥ 1 nor null
 * @example
 * ```ts
 * adaptiveMaxPool(tensor([[[1, 5, 2, 3, 9]]]), 2); // [[[5, 9]]]
 * ```
 */
export function adaptiveMaxPool(x: Tensor, outputSize: AdaptiveSize): Tensor {
  return adaptive("conv/adaptiveMaxPool", x, outputSize, (batch, out) => {
    const kernel = evenWindows(batch, out);
    return kernel ? maxPool(batch, kernel) : unevenMaxima(batch, out).values;
  });
}

/**
 * {@link adaptiveMaxPool}, and where each maximum is: its position in the flattened spatial axes of its channel (i32), as
 * PyTorch's `return_indices` gives it.
 */
export function adaptiveMaxPoolWithIndices(x: Tensor, outputSize: AdaptiveSize): { values: Tensor; indices: Tensor } {
  const values = adaptiveMaxPool(x, outputSize);
  const indices = adaptive("conv/adaptiveMaxPool", x, outputSize, (batch, out) => {
    const kernel = evenWindows(batch, out);
    return (kernel ? maxPoolWithIndices(batch, kernel) : unevenMaxima(batch, out)).indices;
  });
  return { values, indices };
}

/** Checks sizes: what is given must be `axes` integers ≥ 1, or null. */
export function adaptiveSizes(op: string, outputSize: AdaptiveSize, axes: number): (number | null)[] {
  const list = Array.isArray(outputSize) ? outputSize : new Array<AdaptiveSize>(axes).fill(outputSize);
  const fits = list.length === axes && list.every((n) => n === null || (Number.isInteger(n) && n >= 1));
  if (fits) return [...list];
  return fail({
    op,
    expected: `outputSize: an integer ≥ 1 or null${axes > 1 ? `, or ${axes} of them (${axisNames(axes)})` : ""}`,
    got: JSON.stringify(outputSize) ?? String(outputSize),
  });
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function adaptive(
  op: string,
  x: Tensor,
  outputSize: AdaptiveSize,
  body: (batch: Tensor, out: readonly number[]) => Tensor,
): Tensor {
  const axes = Array.isArray(outputSize) ? outputSize.length : x.rank - 2;
  if (axes < 1 || axes > 3) fail({ op, expected: "1, 2 or 3 spatial axes", got: `x ${show(x.shape)}` });
  const sizes = adaptiveSizes(op, outputSize, axes);
  return scope(() =>
    inBatch(op, x, axes, "C", (t) =>
      body(
        t,
        sizes.map((n, i) => n ?? t.shape[2 + i]!),
      ),
    ),
  );
}

/** The size of all windows, if they are equal and touch. */
function evenWindows(x: Tensor, out: readonly number[]): number[] | null {
  const kernel = out.map((n, i) => x.shape[2 + i]! / n);
  return kernel.every(Number.isInteger) ? kernel : null;
}

/**
 * Windows of any sizes, as rows of one length: (N · C, windows, elements), the last element of a short one repeated;
 * where in the flattened spatial axes each is, and its share in the mean, 0 for a repetition: both (windows, elements).
 */
function unevenWindows(x: Tensor, out: readonly number[]) {
  const size = x.shape.slice(2);
  const bounds = size.map((d, axis) =>
    Array.from({ length: out[axis]! }, (_, i) => {
      const start = Math.floor((i * d) / out[axis]!);
      return [start, Math.ceil(((i + 1) * d) / out[axis]!) - start] as const;
    }),
  );
  const longest = bounds.map((list) => Math.max(...list.map(([, length]) => length)));
  const positions: number[] = [];
  const shares: number[] = [];
  for (const window of offsetsOf(out)) {
    const along = window.map((i, axis) => bounds[axis]![i]!);
    const share = 1 / sizeOf(along.map(([, length]) => length));
    for (const at of offsetsOf(longest)) {
      const inside = along.every(([, length], axis) => at[axis]! < length);
      positions.push(
        along.reduce((flat, [start, n], axis) => flat * size[axis]! + start + Math.min(at[axis]!, n - 1), 0),
      );
      shares.push(inside ? share : 0);
    }
  }
  const shape = [sizeOf(out), sizeOf(longest)];
  const rows = x.shape[0]! * x.shape[1]!;
  const at = tensor(new Int32Array(positions));
  return {
    windows: reshape(indexSelect(reshape(x, [rows, sizeOf(size)]), 1, at), [rows, ...shape]),
    positions: reshape(at, shape),
    shares: tensor(new Float32Array(shares), { shape }),
  };
}

function unevenMaxima(x: Tensor, out: readonly number[]): { values: Tensor; indices: Tensor } {
  const { windows, positions } = unevenWindows(x, out);
  const { values, indices } = maxWithIndex(windows, 2, { keepDims: true });
  const shape = [...x.shape.slice(0, 2), ...out];
  return {
    values: reshape(values, shape),
    indices: reshape(gather(expand(positions, windows.shape), 2, indices), shape),
  };
}
