// MobileNetV2: inverted residuals with depthwise convolutions.

import { Conv2d } from "@nn/conv";
import { BatchNorm2d, Dropout, init, type Layer, Linear, ReLU6, Sequential } from "@nn/layers";
import { Module, scope, type Tensor, zeros } from "@nn/tensor";
import { initConvs } from "./conv.js";

/** Options of {@link mobileNetV2}. */
export interface MobileNetV2Options {
  /** Number of outputs (default 1000). */
  readonly numClasses?: number;
  /** Scales the numbers of channels (default 1). */
  readonly widthMult?: number;
  /** Channels of the images (default 3). */
  readonly inChannels?: number;
  /** Probability of the dropout before the last layer (default 0.2). */
  readonly dropout?: number;
}

/** Table 2 of the paper: expansion, channels, how many blocks, stride of the first. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** A 1×1 convolution that widens, a depthwise 3×3, a 1×1 that narrows, and x added where the shape is the same. */
export class InvertedResidual extends Module {
  readonly conv: Sequential;
  readonly useResConnect: boolean;

  constructor(inChannels: number, outChannels: number, stride: number, expansion: number) {
    super();
    const hidden = Math.round(inChannels * expansion);
    this.conv = new Sequential(
      ...(expansion === 1 ? [] : [convNormReLU(inChannels, hidden, 1)]),
      convNormReLU(hidden, hidden, 3, stride, hidden),
      new Conv2d(hidden, outChannels, 1, { bias: false }),
      new BatchNorm2d(outChannels),
    );
    this.useResConnect = stride === 1 && inChannels === outChannels;
  }

  override forward(x: Tensor): Tensor {
    return scope(() => {
      const y = this.conv.forward(x);
      return this.useResConnect ? x.add(y) : y;
    });
  }
}

/** See {@link mobileNetV2}. */
export class MobileNetV2 extends Module {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor({ numClasses = 1000, widthMult = 1, inChannels = 3, dropout = 0.2 }: MobileNetV2Options = {}) {
    super();
    let channels = divisible(32 * widthMult);
    const last = divisible(1280 * Math.max(1, widthMult));
    const layers: Layer[] = [convNormReLU(inChannels, channels, 3, 2)];
    for (const [expansion, width, count, first] of STAGES) {
      const out = divisible(width * widthMult);
      for (let i = 0; i < count; i++) {
        layers.push(new InvertedResidual(channels, out, i === 0 ? first : 1, expansion));
        channels = out;
      }
    }
    layers.push(convNormReLU(channels, last, 1));
    this.features = new Sequential(...layers);
    const fc = new Linear(last, numClasses);
    this.classifier = new Sequential(new Dropout(dropout), fc);
    initConvs(this, "fanOut");
    scope(() => {
      fc.weight.value = init.normal(fc.weight.shape, 0, 0.01);
      fc.bias!.value = zeros(fc.bias!.shape);
    });
  }

  /** @param x (N, inChannels, H, W) with H, W ≥ 32, made for 224 */
  override forward(x: Tensor): Tensor {
    return scope(() => this.classifier.forward(this.features.forward(x).mean([2, 3])));
  }
}

/**
 * MobileNetV2 (Sandler et al., 2018) with the keys and initial values of
 * [torchvision's mobilenet_v2](https://pytorch.org/vision/stable/models/generated/torchvision.models.mobilenet_v2.html),
 * whose checkpoints load. 3,504,872 parameters, 0.30 G multiply-adds at 224².
 *
 * x (N, inChannels, H, W) → logits (N, numClasses).
 *
 * @example
 * ```ts
 * mobileNetV2({ widthMult: 0.5 }).eval().forward(zeros([1, 3, 224, 224])).shape; // [1, 1000]
 * ```
 */
export function mobileNetV2(options: MobileNetV2Options = {}): MobileNetV2 {
  return new MobileNetV2(options);
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function convNormReLU(inChannels: number, outChannels: number, kernel: number, stride = 1, groups = 1): Sequential {
  const padding = (kernel - 1) / 2;
  return new Sequential(
    new Conv2d(inChannels, outChannels, kernel, { stride, padding, groups, bias: false }),
    new BatchNorm2d(outChannels),
    new ReLU6(),
  );
}

/** The multiple of 8 next to a number of channels, not more than 10 % below it. */
function divisible(v: number): number {
  const near = Math.max(8, Math.floor((v + 4) / 8) * 8);
  return near < 0.9 * v ? near + 8 : near;
}
