// U-Net: a class for every pixel.

import { Conv2d, ConvTranspose2d, MaxPool2d } from "@nn/conv";
import { BatchNorm2d, type Layer, ReLU, Sequential } from "@nn/layers";
import { cat, fail, Module, pad, scope, type Tensor } from "@nn/tensor";
import { initConvs } from "./conv.js";

/** Options of {@link unet}. */
export interface UNetOptions {
  /** Channels of the images. */
  readonly inChannels: number;
  /** Classes of a pixel. */
  readonly numClasses: number;
  /** Channels of the first level; each level below has twice as many (default 64). */
  readonly baseChannels?: number;
  /** How often the image is halved (default 4). */
  readonly depth?: number;
  /** Whether BatchNorm follows each 3×3 convolution (default true; the paper has none). */
  readonly batchNorm?: boolean;
}

/** Two 3×3 convolutions, each with BatchNorm and ReLU. */
export class DoubleConv extends Module {
  readonly double_conv: Sequential;

  constructor(inChannels: number, outChannels: number, batchNorm = true) {
    super();
    const conv = (from: number): Layer[] => [
      new Conv2d(from, outChannels, 3, { padding: 1, bias: !batchNorm }),
      ...(batchNorm ? [new BatchNorm2d(outChannels)] : []),
      new ReLU(),
    ];
    this.double_conv = new Sequential(...conv(inChannels), ...conv(outChannels));
  }

  override forward(x: Tensor): Tensor {
    return scope(() => this.double_conv.forward(x));
  }
}

/** One level down: half the size. */
export class Down extends Module {
  readonly maxpool_conv: Sequential;

  constructor(inChannels: number, outChannels: number, batchNorm = true) {
    super();
    this.maxpool_conv = new Sequential(new MaxPool2d(2), new DoubleConv(inChannels, outChannels, batchNorm));
  }

  override forward(x: Tensor): Tensor {
    return scope(() => this.maxpool_conv.forward(x));
  }
}

/** One level up: twice the size, beside what the way down had there. */
export class Up extends Module {
  readonly up: ConvTranspose2d;
  readonly conv: DoubleConv;

  constructor(inChannels: number, outChannels: number, batchNorm = true) {
    super();
    this.up = new ConvTranspose2d(inChannels, inChannels / 2, 2, { stride: 2 });
    this.conv = new DoubleConv(inChannels, outChannels, batchNorm);
  }

  /**
   * @param below (N, 2C, h, w)
   * @param beside (N, C, H, W) from the way down; H is 2h or, where it was odd, 2h + 1
   */
  override forward(below: Tensor, beside: Tensor): Tensor {
    return scope(() => {
      const y = this.up.forward(below);
      const more = [2, 3].map((axis) => beside.shape[axis]! - y.shape[axis]!);
      const grown = more.some((d) => d > 0)
        ? pad(y, [[0, 0], [0, 0], ...more.map((d) => [Math.floor(d / 2), d - Math.floor(d / 2)] as const)])
        : y;
      return this.conv.forward(cat([beside, grown], 1));
    });
  }
}

/** The last layer: logits from channels. */
export class OutConv extends Module {
  readonly conv: Conv2d;

  constructor(inChannels: number, outChannels: number) {
    super();
    this.conv = new Conv2d(inChannels, outChannels, 1);
  }

  override forward(x: Tensor): Tensor {
    return this.conv.forward(x);
  }
}

/** See {@link unet}. */
export class UNet extends Module {
  readonly inc: DoubleConv;
  readonly downs: readonly Down[];
  readonly ups: readonly Up[];
  readonly outc: OutConv;

  /** @throws if the depth is not a whole number ≥ 1 */
  constructor({ inChannels, numClasses, baseChannels = 64, depth = 4, batchNorm = true }: UNetOptions) {
    super();
    if (!Number.isInteger(depth) || depth < 1) {
      fail({ op: "unet", expected: "depth: a whole number ≥ 1", got: `${depth}` });
    }
    const levels = Array.from({ length: depth }, (_, i) => baseChannels * 2 ** i);
    this.inc = new DoubleConv(inChannels, baseChannels, batchNorm);
    this.downs = levels.map((c) => new Down(c, 2 * c, batchNorm));
    this.ups = levels.toReversed().map((c) => new Up(2 * c, c, batchNorm));
    this.outc = new OutConv(baseChannels, numClasses);
    initConvs(this, "fanIn");
  }

  protected override entries(): Iterable<readonly [string, unknown]> {
    return [
      ["inc", this.inc],
      ...this.downs.map((m, i) => [`down${i + 1}`, m] as const),
      ...this.ups.map((m, i) => [`up${i + 1}`, m] as const),
      ["outc", this.outc],
    ];
  }

  /** @param x (N, inChannels, H, W) with H, W ≥ 2^depth */
  override forward(x: Tensor): Tensor {
    return scope(() => {
      const levels = [this.inc.forward(x)];
      for (const down of this.downs) levels.push(down.forward(levels.at(-1)!));
      let y = levels.pop()!;
      for (const up of this.ups) y = up.forward(y, levels.pop()!);
      return this.outc.forward(y);
    });
  }
}

/**
 * U-Net (Ronneberger, Fischer and Brox, 2015) as it is used today: padded convolutions, so that the output has the size
 * of the input, and BatchNorm. Going up is a transposed convolution. State keys are those of
 * [milesial/Pytorch-UNet](https://github.com/milesial/Pytorch-UNet) with `bilinear=False`
 * (`inc.double_conv.0.weight`, `down1.maxpool_conv.1.double_conv.0.weight`, `up1.up.weight`, `outc.conv.weight`); weights
 * of the convolutions begin as in the paper, normal with deviation √(2 / fanIn).
 *
 * x (N, inChannels, H, W) → logits (N, numClasses, H, W), any H, W ≥ 2^depth.
 *
 * @throws {@link NNError} if the depth is not a whole number ≥ 1
 * @example
 * ```ts
 * unet({ inChannels: 1, numClasses: 2, baseChannels: 16 }).forward(zeros([1, 1, 64, 64])).shape; // [1, 2, 64, 64]
 * ```
 */
export function unet(options: UNetOptions): UNet {
  return new UNet(options);
}
