// ZeroPad1d … CircularPad3d: pad() of @nn/tensor as layers, with PyTorch's order of numbers.

import { fail, Module, type Padding, pad, scope, show, type Tensor } from "@nn/tensor";
import { axisNames, type Size } from "./spatial.js";

/** What all of them have in common: the padding, and what it is made of. */
export abstract class PadNd extends Module {
  /** `[before, after]` of each spatial axis, in the order of the axes. */
  readonly pairs: readonly Padding[];

  /** @param padding one number for all sides, or before and after of the last axis, then of the one before it, … */
  protected constructor(
    axes: number,
    readonly padding: Size,
    private readonly border: Parameters<typeof pad>[2],
  ) {
    super();
    const list = typeof padding === "number" ? new Array<number>(2 * axes).fill(padding) : padding;
    if (!Array.isArray(list) || list.length !== 2 * axes || !list.every(Number.isInteger)) {
      fail({
        op: this.constructor.name,
        expected: `padding: an integer, or ${2 * axes} of them (${SIDES.slice(0, 2 * axes).join(", ")})`,
        got: JSON.stringify(padding) ?? String(padding),
      });
    }
    this.pairs = Array.from({ length: axes }, (_, i) => [list[2 * i]!, list[2 * i + 1]!] as const).reverse();
  }

  /**
   * @param x (N, C, …spatial), or (C, …spatial) without a batch
   * @throws {@link NNError} if x has other axes, or too few elements for the border
   */
  override forward(x: Tensor): Tensor {
    const axes = this.pairs.length;
    if (x.rank !== axes + 1 && x.rank !== axes + 2) {
      const rest = `C, ${axisNames(axes)}`;
      fail({ op: "pad", expected: `x (N, ${rest}) or (${rest})`, got: show(x.shape) });
    }
    return scope(() => pad(x, this.pairs, this.border));
  }
}

const SIDES = ["left", "right", "top", "bottom", "front", "back"];

/**
 * Pads one axis with a number, as
 * [torch.nn.ConstantPad1d](https://pytorch.org/docs/stable/generated/torch.nn.ConstantPad1d.html).
 * Negative numbers cut off.
 *
 * @example
 * ```ts
 * new ConstantPad1d([1, 2], 0.5).forward(zeros([2, 4, 10])).shape; // [2, 4, 13]
 * ```
 */
export class ConstantPad1d extends PadNd {
  /**
   * @param padding one number for all sides, or (left, right)
   * @param value what the border is made of
   */
  constructor(padding: Size, value: number) {
    super(1, padding, { value });
  }
}

/**
 * Pads two axes with a number, as
 * [torch.nn.ConstantPad2d](https://pytorch.org/docs/stable/generated/torch.nn.ConstantPad2d.html).
 * Negative numbers cut off.
 *
 * @example
 * ```ts
 * new ConstantPad2d([1, 2, 1, 0], 0.5).forward(zeros([2, 4, 8, 8])).shape; // [2, 4, 9, 11]
 * ```
 */
export class ConstantPad2d extends PadNd {
  /**
   * @param padding one number for all sides, or (left, right, top, bottom)
   * @param value what the border is made of
   */
  constructor(padding: Size, value: number) {
    super(2, padding, { value });
  }
}

/**
 * Pads three axes with a number, as
 * [torch.nn.ConstantPad3d](https://pytorch.org/docs/stable/generated/torch.nn.ConstantPad3d.html).
 * Negative numbers cut off.
 *
 * @example
 * ```ts
 * new ConstantPad3d([1, 2, 1, 0, 0, 1], 0.5).forward(zeros([2, 4, 6, 8, 8])).shape; // [2, 4, 7, 9, 11]
 * ```
 */
export class ConstantPad3d extends PadNd {
  /**
   * @param padding one number for all sides, or (left, right, top, bottom, front, back)
   * @param value what the border is made of
   */
  constructor(padding: Size, value: number) {
    super(3, padding, { value });
  }
}

/**
 * Pads one axis with zeros, as
 * [torch.nn.ZeroPad1d](https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad1d.html).
 * Negative numbers cut off.
 *
 * @example
 * ```ts
 * new ZeroPad1d([1, 2]).forward(zeros([2, 4, 10])).shape; // [2, 4, 13]
 * ```
 */
export class ZeroPad1d extends PadNd {
  /** @param padding one number for all sides, or (left, right) */
  constructor(padding: Size) {
    super(1, padding, {});
  }
}

/**
 * Pads two axes with zeros, as
 * [torch.nn.ZeroPad2d](https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html).
 * Negative numbers cut off.
 *
 * @example
 * ```ts
 * new ZeroPad2d([1, 2, 1, 0]).forward(zeros([2, 4, 8, 8])).shape; // [2, 4, 9, 11]
 * ```
 */
export class ZeroPad2d extends PadNd {
  /** @param padding one number for all sides, or (left, right, top, bottom) */
  constructor(padding: Size) {
    super(2, padding, {});
  }
}

/**
 * Pads three axes with zeros, as
 * [torch.nn.ZeroPad3d](https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad3d.html).
 * Negative numbers cut off.
 *
 * @example
 * ```ts
 * new ZeroPad3d([1, 2, 1, 0, 0, 1]).forward(zeros([2, 4, 6, 8, 8])).shape; // [2, 4, 7, 9, 11]
 * ```
 */
export class ZeroPad3d extends PadNd {
  /** @param padding one number for all sides, or (left, right, top, bottom, front, back) */
  constructor(padding: Size) {
    super(3, padding, {});
  }
}

/**
 * Pads one axis with what lies inside, mirrored at the edge, which is not repeated, as
 * [torch.nn.ReflectionPad1d](https://pytorch.org/docs/stable/generated/torch.nn.ReflectionPad1d.html).
 *
 * @example
 * ```ts
 * new ReflectionPad1d([1, 2]).forward(zeros([2, 4, 10])).shape; // [2, 4, 13]
 * ```
 */
export class ReflectionPad1d extends PadNd {
  /** @param padding one number for all sides, or (left, right) */
  constructor(padding: Size) {
    super(1, padding, { mode: "reflect" });
  }
}

/**
 * Pads two axes with what lies inside, mirrored at the edge, which is not repeated, as
 * [torch.nn.ReflectionPad2d](https://pytorch.org/docs/stable/generated/torch.nn.ReflectionPad2d.html).
 *
 * @example
 * ```ts
 * new ReflectionPad2d([1, 2, 1, 0]).forward(zeros([2, 4, 8, 8])).shape; // [2, 4, 9, 11]
 * ```
 */
export class ReflectionPad2d extends PadNd {
  /** @param padding one number for all sides, or (left, right, top, bottom) */
  constructor(padding: Size) {
    super(2, padding, { mode: "reflect" });
  }
}

/**
 * Pads three axes with what lies inside, mirrored at the edge, which is not repeated, as
 * [torch.nn.ReflectionPad3d](https://pytorch.org/docs/stable/generated/torch.nn.ReflectionPad3d.html).
 *
 * @example
 * ```ts
 * new ReflectionPad3d([1, 2, 1, 0, 0, 1]).forward(zeros([2, 4, 6, 8, 8])).shape; // [2, 4, 7, 9, 11]
 * ```
 */
export class ReflectionPad3d extends PadNd {
  /** @param padding one number for all sides, or (left, right, top, bottom, front, back) */
  constructor(padding: Size) {
    super(3, padding, { mode: "reflect" });
  }
}

/**
 * Pads one axis with the elements at the edge, as
 * [torch.nn.ReplicationPad1d](https://pytorch.org/docs/stable/generated/torch.nn.ReplicationPad1d.html).
 *
 * @example
 * ```ts
 * new ReplicationPad1d([1, 2]).forward(zeros([2, 4, 10])).shape; // [2, 4, 13]
 * ```
 */
export class ReplicationPad1d extends PadNd {
  /** @param padding one number for all sides, or (left, right) */
  constructor(padding: Size) {
    super(1, padding, { mode: "replicate" });
  }
}

/**
 * Pads two axes with the elements at the edge, as
 * [torch.nn.ReplicationPad2d](https://pytorch.org/docs/stable/generated/torch.nn.ReplicationPad2d.html).
 *
 * @example
 * ```ts
 * new ReplicationPad2d([1, 2, 1, 0]).forward(zeros([2, 4, 8, 8])).shape; // [2, 4, 9, 11]
 * ```
 */
export class ReplicationPad2d extends PadNd {
  /** @param padding one number for all sides, or (left, right, top, bottom) */
  constructor(padding: Size) {
    super(2, padding, { mode: "replicate" });
  }
}

/**
 * Pads three axes with the elements at the edge, as
 * [torch.nn.ReplicationPad3d](https://pytorch.org/docs/stable/generated/torch.nn.ReplicationPad3d.html).
 *
 * @example
 * ```ts
 * new ReplicationPad3d([1, 2, 1, 0, 0, 1]).forward(zeros([2, 4, 6, 8, 8])).shape; // [2, 4, 7, 9, 11]
 * ```
 */
export class ReplicationPad3d extends PadNd {
  /** @param padding one number for all sides, or (left, right, top, bottom, front, back) */
  constructor(padding: Size) {
    super(3, padding, { mode: "replicate" });
  }
}

/**
 * Pads one axis with what lies at the other end, as
 * [torch.nn.CircularPad1d](https://pytorch.org/docs/stable/generated/torch.nn.CircularPad1d.html).
 *
 * @example
 * ```ts
 * new CircularPad1d([1, 2]).forward(zeros([2, 4, 10])).shape; // [2, 4, 13]
 * ```
 */
export class CircularPad1d extends PadNd {
  /** @param padding one number for all sides, or (left, right) */
  constructor(padding: Size) {
    super(1, padding, { mode: "circular" });
  }
}

/**
 * Pads two axes with what lies at the other end, as
 * [torch.nn.CircularPad2d](https://pytorch.org/docs/stable/generated/torch.nn.CircularPad2d.html).
 *
 * @example
 * ```ts
 * new CircularPad2d([1, 2, 1, 0]).forward(zeros([2, 4, 8, 8])).shape; // [2, 4, 9, 11]
 * ```
 */
export class CircularPad2d extends PadNd {
  /** @param padding one number for all sides, or (left, right, top, bottom) */
  constructor(padding: Size) {
    super(2, padding, { mode: "circular" });
  }
}

/**
 * Pads three axes with what lies at the other end, as
 * [torch.nn.CircularPad3d](https://pytorch.org/docs/stable/generated/torch.nn.CircularPad3d.html).
 *
 * @example
 * ```ts
 * new CircularPad3d([1, 2, 1, 0, 0, 1]).forward(zeros([2, 4, 6, 8, 8])).shape; // [2, 4, 7, 9, 11]
 * ```
 */
export class CircularPad3d extends PadNd {
  /** @param padding one number for all sides, or (left, right, top, bottom, front, back) */
  constructor(padding: Size) {
    super(3, padding, { mode: "circular" });
  }
}
