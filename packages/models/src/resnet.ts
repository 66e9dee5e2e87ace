// ResNet: the 18-layer form for photographs, and the 6n + 2 layers for small images.

import { Conv2d, MaxPool2d } from "@nn/conv";
import { BatchNorm2d, type Identity, type Layer, Linear, Sequential } from "@nn/layers";
import { fail, Module, pad, scope, slice, type Tensor } from "@nn/tensor";
import { initConvs } from "./conv.js";
import type { ConvNormPairs } from "./fuse.js";

/**
 * How a shortcut reaches a block's shape (He et al., 2015, section 3.3): `"A"` takes every second pixel and adds
 * channels of zeros, `"B"` is a 1×1 convolution.
 */
export type Shortcut = "A" | "B";

/** A shortcut of kind A: x (N, C, H, W) → (N, C + more, ⌈H / stride⌉, ⌈W / stride⌉), zeros on both sides. */
export class PadShortcut extends Module {
  constructor(
    readonly stride: number,
    readonly more: number,
  ) {
    super();
  }

  override forward(x: Tensor): Tensor {
    const before = Math.floor(this.more / 2);
    const every = [null, null, this.stride] as const;
    return scope(() =>
      pad(slice(x, [null, null, every, every]), [
        [0, 0],
        [before, this.more - before],
        [0, 0],
        [0, 0],
      ]),
    );
  }
}

/** Two 3×3 convolutions and a shortcut around them: `relu(x + f(x))`. Keys as in torchvision. */
export class BasicBlock extends Module implements ConvNormPairs {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d | Identity;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d | Identity;
  /** Null where x has the right shape already. */
  readonly downsample: Layer | null;

  constructor(inChannels: number, outChannels: number, stride = 1, shortcut: Shortcut = "B") {
    super();
    this.conv1 = conv3x3(inChannels, outChannels, stride);
    this.bn1 = new BatchNorm2d(outChannels);
    this.conv2 = conv3x3(outChannels, outChannels);
    this.bn2 = new BatchNorm2d(outChannels);
    if (stride === 1 && inChannels === outChannels) this.downsample = null;
    else if (shortcut === "A") this.downsample = new PadShortcut(stride, outChannels - inChannels);
    else {
      this.downsample = new Sequential(
        new Conv2d(inChannels, outChannels, 1, { stride, bias: false }),
        new BatchNorm2d(outChannels),
      );
    }
  }

  convNormPairs() {
    return [
      ["conv1", "bn1"],
      ["conv2", "bn2"],
    ] as const;
  }

  override forward(x: Tensor): Tensor {
    return scope(() => {
      const y = this.bn1.forward(this.conv1.forward(x)).relu();
      const around = this.downsample ? this.downsample.forward(x) : x;
      return this.bn2.forward(this.conv2.forward(y)).add(around).relu();
    });
  }
}

/** Options of {@link resnet18}. */
export interface ResNetOptions {
  /** Number of outputs (default 1000). */
  readonly numClasses?: number;
  /** Channels of the images (default 3). */
  readonly inChannels?: number;
}

/** See {@link resnet18}. */
export class ResNet extends Module implements ConvNormPairs {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d | Identity;
  readonly maxpool: MaxPool2d;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly fc: Linear;

  constructor({ numClasses = 1000, inChannels = 3 }: ResNetOptions = {}) {
    super();
    this.conv1 = new Conv2d(inChannels, 64, 7, { stride: 2, padding: 3, bias: false });
    this.bn1 = new BatchNorm2d(64);
    this.maxpool = new MaxPool2d(3, { stride: 2, padding: 1 });
    this.layer1 = stage(2, 64, 64);
    this.layer2 = stage(2, 64, 128);
    this.layer3 = stage(2, 128, 256);
    this.layer4 = stage(2, 256, 512);
    this.fc = new Linear(512, numClasses);
    initConvs(this, "fanOut");
  }

  convNormPairs() {
    return [["conv1", "bn1"]] as const;
  }

  /** @param x (N, inChannels, H, W) with H, W ≥ 32, made for 224 */
  override forward(x: Tensor): Tensor {
    return scope(() => {
      x = this.maxpool.forward(this.bn1.forward(this.conv1.forward(x)).relu()); // (N, 64, H/4, W/4)
      for (const layer of [this.layer1, this.layer2, this.layer3, this.layer4]) x = layer.forward(x);
      return this.fc.forward(x.mean([2, 3])); // from (N, 512, H/32, W/32)
    });
  }
}

/**
 * ResNet-18 (He et al., 2015, "Deep residual learning for image recognition") with the keys and initial values of
 * [torchvision's resnet18](https://pytorch.org/vision/stable/models/generated/torchvision.models.resnet18.html), whose
 * checkpoints load. 11,689,512 parameters, 1.81 G multiply-adds at 224².
 *
 * x (N, inChannels, H, W) → logits (N, numClasses).
 *
 * @example
 * ```ts
 * resnet18({ numClasses: 10 }).eval().forward(zeros([1, 3, 224, 224])).shape; // [1, 10]
 * ```
 */
export function resnet18(options: ResNetOptions = {}): ResNet {
  return new ResNet(options);
}

/** Options of {@link resnetCifar}. */
export interface ResNetCifarOptions {
  /** Layers with weights, 6n + 2: 20 (default), 32, 44, 56, 110. */
  readonly depth?: number;
  /** Number of outputs (default 10). */
  readonly numClasses?: number;
  /** Channels of the images (default 3). */
  readonly inChannels?: number;
  /** Default `"A"`, as the paper has it for CIFAR-10. */
  readonly shortcut?: Shortcut;
}

/** See {@link resnetCifar}. */
export class ResNetCifar extends Module implements ConvNormPairs {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d | Identity;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly fc: Linear;

  /** @throws if the depth is not 6n + 2 */
  constructor({ depth = 20, numClasses = 10, inChannels = 3, shortcut = "A" }: ResNetCifarOptions = {}) {
    super();
    const n = (depth - 2) / 6;
    if (!Number.isInteger(n) || n < 1) {
      fail({ op: "resnetCifar", expected: "depth 6n + 2: 8, 14, 20, 32, 44, 56, 110, …", got: `${depth}` });
    }
    this.conv1 = conv3x3(inChannels, 16);
    this.bn1 = new BatchNorm2d(16);
    this.layer1 = stage(n, 16, 16, shortcut);
    this.layer2 = stage(n, 16, 32, shortcut);
    this.layer3 = stage(n, 32, 64, shortcut);
    this.fc = new Linear(64, numClasses);
    initConvs(this, "fanOut");
  }

  convNormPairs() {
    return [["conv1", "bn1"]] as const;
  }

  /** @param x (N, inChannels, H, W), made for 32 × 32 */
  override forward(x: Tensor): Tensor {
    return scope(() => {
      x = this.bn1.forward(this.conv1.forward(x)).relu(); // (N, 16, H, W)
      for (const layer of [this.layer1, this.layer2, this.layer3]) x = layer.forward(x);
      return this.fc.forward(x.mean([2, 3])); // from (N, 64, H/4, W/4)
    });
  }
}

/**
 * ResNet for small images (He et al., 2015, section 4.2): three stages of 16, 32 and 64 channels. State keys are as
 * torchvision's for ResNet (`layer1.0.conv1.weight`, `fc.weight`), and so are the initial values. 20 layers have 269,722
 * parameters and 40.6 M multiply-adds at 32²; with shortcuts B, 272,474 and 40.8 M.
 *
 * x (N, inChannels, H, W) → logits (N, numClasses).
 *
 * @throws {@link NNError} if the depth is not 6n + 2
 * @example
 * ```ts
 * resnetCifar({ depth: 20 }).forward(zeros([32, 3, 32, 32])).shape; // [32, 10]
 * ```
 */
export function resnetCifar(options: ResNetCifarOptions = {}): ResNetCifar {
  return new ResNetCifar(options);
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function conv3x3(inChannels: number, outChannels: number, stride = 1): Conv2d {
  return new Conv2d(inChannels, outChannels, 3, { stride, padding: 1, bias: false });
}

/** `n` blocks, of which the first halves the image where it changes the channels. */
function stage(n: number, inChannels: number, outChannels: number, shortcut: Shortcut = "B"): Sequential {
  const blocks = Array.from({ length: n }, (_, i) =>
    i > 0
      ? new BasicBlock(outChannels, outChannels)
      : new BasicBlock(inChannels, outChannels, inChannels === outChannels ? 1 : 2, shortcut),
  );
  return new Sequential(...blocks);
}
