// Upsample and PixelShuffle: options around interpolate(), pixelShuffle() and pixelUnshuffle().

import { Module, type Tensor } from "@nn/tensor";
import { count } from "../spatial.js";
import { checkInterpolate, type InterpolateOptions, interpolate } from "./interpolate.js";
import { pixelShuffle, pixelUnshuffle } from "./pixel-shuffle.js";

/**
 * {@link interpolate} as a layer, as [torch.nn.Upsample](https://pytorch.org/docs/stable/generated/torch.nn.Upsample.html).
 *
 * @example
 * ```ts
 * new Upsample({ scaleFactor: 2, mode: "bilinear" }).forward(zeros([8, 16, 14, 14])).shape; // [8, 16, 28, 28]
 * ```
 */
export class Upsample extends Module {
  readonly options: InterpolateOptions;

  /**
   * @param options size or scaleFactor; mode "nearest" and alignCorners false where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(options: InterpolateOptions) {
    super();
    checkInterpolate(this.constructor.name, options);
    this.options = { ...options };
  }

  /** x (N, C, …spatial) → (N, C, …size). */
  override forward(x: Tensor): Tensor {
    return interpolate(x, this.options);
  }
}

/**
 * {@link Upsample} with mode "nearest", as
 * [torch.nn.UpsamplingNearest2d](https://pytorch.org/docs/stable/generated/torch.nn.UpsamplingNearest2d.html).
 *
 * @example
 * ```ts
 * new UpsamplingNearest2d({ scaleFactor: 2 }).forward(zeros([8, 16, 14, 14])).shape; // [8, 16, 28, 28]
 * ```
 */
export class UpsamplingNearest2d extends Upsample {
  /** @param options size or scaleFactor */
  constructor(options: Pick<InterpolateOptions, "size" | "scaleFactor">) {
    super({ ...options, mode: "nearest" });
  }
}

/**
 * {@link Upsample} with mode "bilinear" and alignCorners true, as
 * [torch.nn.UpsamplingBilinear2d](https://pytorch.org/docs/stable/generated/torch.nn.UpsamplingBilinear2d.html).
 *
 * @example
 * ```ts
 * new UpsamplingBilinear2d({ size: [28, 28] }).forward(zeros([8, 16, 14, 14])).shape; // [8, 16, 28, 28]
 * ```
 */
export class UpsamplingBilinear2d extends Upsample {
  /** @param options size or scaleFactor */
  constructor(options: Pick<InterpolateOptions, "size" | "scaleFactor">) {
    super({ ...options, mode: "bilinear", alignCorners: true });
  }
}

/**
 * {@link pixelShuffle} as a layer, as
 * [torch.nn.PixelShuffle](https://pytorch.org/docs/stable/generated/torch.nn.PixelShuffle.html).
 *
 * @example
 * ```ts
 * new PixelShuffle(2).forward(zeros([1, 8, 3, 2])).shape; // [1, 2, 6, 4]
 * ```
 */
export class PixelShuffle extends Module {
  /** @param upscaleFactor by which height and width grow */
  constructor(readonly upscaleFactor: number) {
    super();
    count("PixelShuffle", "upscaleFactor", upscaleFactor);
  }

  override forward(x: Tensor): Tensor {
    return pixelShuffle(x, this.upscaleFactor);
  }
}

/**
 * {@link pixelUnshuffle} as a layer, as
 * [torch.nn.PixelUnshuffle](https://pytorch.org/docs/stable/generated/torch.nn.PixelUnshuffle.html).
 *
 * @example
 * ```ts
 * new PixelUnshuffle(2).forward(zeros([1, 2, 6, 4])).shape; // [1, 8, 3, 2]
 * ```
 */
export class PixelUnshuffle extends Module {
  /** @param downscaleFactor by which height and width shrink */
  constructor(readonly downscaleFactor: number) {
    super();
    count("PixelUnshuffle", "downscaleFactor", downscaleFactor);
  }

  override forward(x: Tensor): Tensor {
    return pixelUnshuffle(x, this.downscaleFactor);
  }
}
