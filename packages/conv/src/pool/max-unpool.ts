// Max-unpooling: each maximum back to where it was, zeros elsewhere.

import {
  apply1,
  fail,
  Module,
  maximum,
  onesLike,
  reshape,
  sameShape,
  scatterAddPrimitive,
  scope,
  show,
  sizeOf,
  type Tensor,
} from "@nn/tensor";
import { inBatch } from "../batch.js";
import { axisNames, type Size } from "../spatial.js";
import { type PoolOptions, poolWindows } from "./windows.js";

/** Options of {@link maxUnpool}: those of the pooling it undoes, and what that cannot tell. */
export interface MaxUnpoolOptions extends Omit<PoolOptions, "ceilMode"> {
  /** Spatial sizes of the output, of those that pool to x; omitted: the least, `(size − 1) · stride − 2 · padding + kernel`. */
  readonly outputSize?: readonly number[];
}

/**
 * Puts each element where its index says, and zeros elsewhere: what {@link maxPoolWithIndices} gave goes back to where it
 * was. Where overlapping windows have one maximum, their mean is put there (PyTorch: any of them).
 *
 * As [torch.nn.functional.max_unpool1d, max_unpool2d and max_unpool3d](https://pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool2d.html).
 *
 * @param x (N, C, …spatial) f32 with 1–3 spatial axes; without a batch, give one kernel size per axis
 * @param indices as x, i32: positions in the flattened spatial axes of the output; for windows that do not overlap, no
 *   position twice in a channel
 * @param kernelSize elements of a window: one number, or one per axis
 * @throws {@link NNError} if shapes or outputSize do not fit
 * @example
 * ```ts
 * const { values, indices } = maxPoolWithIndices(tensor([[[1, 5, 2, 3]]]), 2);
 * maxUnpool(values, indices, 2); // [[[0, 5, 0, 3]]]
 * ```
 */
export function maxUnpool(x: Tensor, indices: Tensor, kernelSize: Size, options: MaxUnpoolOptions = {}): Tensor {
  const op = "conv/maxUnpool";
  if (!sameShape(x.shape, indices.shape))
    fail({ op, expected: `indices ${show(x.shape)}, as x`, got: show(indices.shape) });
  const axes = typeof kernelSize === "number" ? x.rank - 2 : kernelSize.length;
  const { kernelSize: kernel, stride, padding } = poolWindows(op, kernelSize, options, axes);
  return inBatch(op, x, axes, "C", (batch) =>
    scope(() => {
      const [n, c, ...size] = batch.shape as [number, number, ...number[]];
      const least = size.map((d, i) => (d - 1) * stride[i]! - 2 * padding[i]! + kernel[i]!);
      const out = checkOutput(op, options.outputSize ?? least, least, stride);
      const rows = [n * c, sizeOf(size)];
      const at = reshape(indices, rows);
      const put = (t: Tensor) => apply1(scatterAddPrimitive, [at, t], { axis: 1, size: sizeOf(out) });
      const values = reshape(batch, rows);
      const overlap = kernel.some((k, i) => k > stride[i]!);
      const y = overlap ? put(values).div(maximum(put(onesLike(values)), 1)) : put(values);
      return reshape(y, [n, c, ...out]);
    }),
  );
}

function checkOutput(op: string, out: readonly number[], least: readonly number[], stride: readonly number[]) {
  // As PyTorch: less than a stride away.
  const fits = out.length === least.length && out.every((d, i) => Math.abs(d - least[i]!) < stride[i]! && d >= 1);
  if (fits) return out;
  const range = least.map((d, i) => `${Math.max(1, d - stride[i]! + 1)} to ${d + stride[i]! - 1}`);
  return fail({ op, expected: `outputSize (${axisNames(least.length)}) of ${range.join(", ")}`, got: show(out) });
}

/** What MaxUnpool1d, MaxUnpool2d and MaxUnpool3d have in common. */
abstract class MaxUnpool extends Module {
  readonly kernelSize: readonly number[];
  readonly options: Omit<MaxUnpoolOptions, "outputSize">;

  constructor(axes: number, kernelSize: Size, options: Omit<MaxUnpoolOptions, "outputSize">) {
    super();
    this.kernelSize = poolWindows(this.constructor.name, kernelSize, options, axes).kernelSize;
    this.options = { ...options };
  }

  /**
   * @param x (N, C, …spatial), or (C, …spatial) without a batch
   * @param indices what `forwardWithIndices` of the pooling gave
   * @param outputSize spatial sizes of the output, where several pool to x
   * @returns zeros, and x where the indices say; see {@link maxUnpool}
   */
  override forward(x: Tensor, indices: Tensor, outputSize?: readonly number[]): Tensor {
    return maxUnpool(x, indices, this.kernelSize, { ...this.options, ...(outputSize ? { outputSize } : {}) });
  }
}

/**
 * Max-unpooling over one axis.
 * As [torch.nn.MaxUnpool1d](https://pytorch.org/docs/stable/generated/torch.nn.MaxUnpool1d.html).
 *
 * @example
 * ```ts
 * const { values, indices } = new MaxPool1d(2).forwardWithIndices(randn([2, 4, 10]));
 * new MaxUnpool1d(2).forward(values, indices).shape; // [2, 4, 10]
 * ```
 */
export class MaxUnpool1d extends MaxUnpool {
  /**
   * @param kernelSize elements of a window
   * @param options stride kernelSize and padding 0 where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(kernelSize: Size, options: Omit<MaxUnpoolOptions, "outputSize"> = {}) {
    super(1, kernelSize, options);
  }
}

/**
 * Max-unpooling over two axes.
 * As [torch.nn.MaxUnpool2d](https://pytorch.org/docs/stable/generated/torch.nn.MaxUnpool2d.html).
 *
 * @example
 * ```ts
 * const { values, indices } = new MaxPool2d(2).forwardWithIndices(randn([2, 4, 10, 10]));
 * new MaxUnpool2d(2).forward(values, indices).shape; // [2, 4, 10, 10]
 * ```
 */
export class MaxUnpool2d extends MaxUnpool {
  /**
   * @param kernelSize one number, or [height, width]
   * @param options stride kernelSize and padding 0 where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(kernelSize: Size, options: Omit<MaxUnpoolOptions, "outputSize"> = {}) {
    super(2, kernelSize, options);
  }
}

/**
 * Max-unpooling over three axes.
 * As [torch.nn.MaxUnpool3d](https://pytorch.org/docs/stable/generated/torch.nn.MaxUnpool3d.html).
 *
 * @example
 * ```ts
 * const { values, indices } = new MaxPool3d(2).forwardWithIndices(randn([2, 4, 4, 10, 10]));
 * new MaxUnpool3d(2).forward(values, indices).shape; // [2, 4, 4, 10, 10]
 * ```
 */
export class MaxUnpool3d extends MaxUnpool {
  /**
   * @param kernelSize one number, or [depth, height, width]
   * @param options stride kernelSize and padding 0 where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(kernelSize: Size, options: Omit<MaxUnpoolOptions, "outputSize"> = {}) {
    super(3, kernelSize, options);
  }
}
