// Convolution, pooling, resizing.

import * as conv from "@nn/conv";
import { distinct, floats, given } from "../all-ops/index.js";
import { IMAGES, type LayerSample, layer, SERIES, VOLUMES } from "./sample.js";

const unpool = (name: string, make: () => conv.MaxUnpool1d, shape: number[], at: number[]): LayerSample => ({
  name,
  make,
  inputs: [floats(shape), given(shape, at, "i32")],
  run: (m, x, indices) => (m as conv.MaxUnpool1d).forward(x!, indices!),
});

export const convolution: readonly LayerSample[] = [
  layer("Conv1d", () => new conv.Conv1d(2, 4, 3, { stride: 2, padding: 1 }), SERIES),
  layer("Conv2d", () => new conv.Conv2d(3, 4, [2, 3], { padding: "same" }), IMAGES),
  layer(
    "Conv2d in groups",
    () => new conv.Conv2d(4, 4, 3, { groups: 2, dilation: 2, padding: 2, bias: false }),
    floats([1, 4, 5, 5], -1, 1),
  ),
  ...(["reflect", "replicate", "circular"] as const).map((paddingMode) =>
    layer(`Conv2d ${paddingMode}`, () => new conv.Conv2d(3, 2, 3, { padding: 1, paddingMode }), IMAGES),
  ),
  layer("Conv3d", () => new conv.Conv3d(2, 3, 2, { padding: 1 }), VOLUMES),
  layer("Conv1d causal", () => new conv.Conv1d(2, 3, 2, { padding: "causal", paddingMode: "replicate" }), SERIES),
  layer(
    "Conv2d same with a stride",
    () => new conv.Conv2d(3, 2, [2, 3], { stride: 2, padding: "same", paddingMode: "reflect" }),
    IMAGES,
  ),
  layer("ConvTranspose1d", () => new conv.ConvTranspose1d(2, 3, 3, { stride: 2, outputPadding: 1 }), SERIES),
  layer("ConvTranspose2d", () => new conv.ConvTranspose2d(3, 3, 2, { groups: 3, padding: 1, bias: false }), IMAGES),
  layer("ConvTranspose3d", () => new conv.ConvTranspose3d(2, 1, 2), VOLUMES),
  layer("DepthwiseConv1d", () => new conv.DepthwiseConv1d(2, 3, { padding: "causal" }), SERIES),
  layer("DepthwiseConv2d", () => new conv.DepthwiseConv2d(3, 2, { multiplier: 2 }), IMAGES),
  layer("SeparableConv1d", () => new conv.SeparableConv1d(2, 3, 3), SERIES),
  layer("SeparableConv2d", () => new conv.SeparableConv2d(3, 2, 3, { padding: "same" }), IMAGES),
  layer("Upsample", () => new conv.Upsample({ scaleFactor: 1.5, mode: "bicubic" }), IMAGES),
  layer("UpsamplingNearest2d", () => new conv.UpsamplingNearest2d({ scaleFactor: 2 }), IMAGES),
  layer("UpsamplingBilinear2d", () => new conv.UpsamplingBilinear2d({ size: 5 }), IMAGES),
  layer("PixelShuffle", () => new conv.PixelShuffle(2), floats([4, 2, 3])),
  layer("PixelUnshuffle", () => new conv.PixelUnshuffle(2), floats([1, 2, 4, 2])),
  layer("Unfold", () => new conv.Unfold(2, { stride: 2, padding: 1 }), IMAGES),
  layer("Fold", () => new conv.Fold([3, 4], 2), floats([1, 8, 6])),
  ...[conv.ZeroPad1d, conv.ReflectionPad1d, conv.ReplicationPad1d, conv.CircularPad1d].map((Pad) =>
    layer(Pad.name, () => new Pad([2, 1]), SERIES),
  ),
  ...[conv.ZeroPad2d, conv.ReflectionPad2d, conv.ReplicationPad2d, conv.CircularPad2d].map((Pad) =>
    layer(Pad.name, () => new Pad([2, 1, 0, 1]), IMAGES),
  ),
  ...[conv.ZeroPad3d, conv.ReflectionPad3d, conv.ReplicationPad3d, conv.CircularPad3d].map((Pad) =>
    layer(Pad.name, () => new Pad(1), VOLUMES),
  ),
  layer("ConstantPad1d", () => new conv.ConstantPad1d([2, -1], 0.5), SERIES),
  layer("ConstantPad2d", () => new conv.ConstantPad2d([1, 0, 0, 2], 0.5), IMAGES),
  layer("ConstantPad3d", () => new conv.ConstantPad3d(1, 0.5), VOLUMES),
  layer("MaxPool1d", () => new conv.MaxPool1d(2), distinct([2, 2, 7])),
  layer("MaxPool2d", () => new conv.MaxPool2d(3, { stride: 2, padding: 1 }), distinct([1, 2, 6, 5])),
  layer("MaxPool3d", () => new conv.MaxPool3d(2, { ceilMode: true }), distinct([1, 1, 3, 4, 3])),
  layer("AvgPool1d", () => new conv.AvgPool1d(3, { stride: 2, padding: 1 }), SERIES),
  layer("AvgPool2d", () => new conv.AvgPool2d(2, { ceilMode: true }), IMAGES),
  layer("AvgPool3d", () => new conv.AvgPool3d(2, { padding: 1, countIncludePad: false }), VOLUMES),
  layer("LPPool1d", () => new conv.LPPool1d(2, 2), SERIES),
  layer("LPPool2d", () => new conv.LPPool2d(1, 2, { stride: 1 }), IMAGES),
  layer("LPPool3d", () => new conv.LPPool3d(2, [1, 2, 2], { ceilMode: true }), VOLUMES),
  layer("AdaptiveAvgPool1d", () => new conv.AdaptiveAvgPool1d(3), SERIES),
  layer("AdaptiveAvgPool2d", () => new conv.AdaptiveAvgPool2d([null, 2]), IMAGES),
  layer("AdaptiveAvgPool3d", () => new conv.AdaptiveAvgPool3d(1), VOLUMES),
  layer("AdaptiveMaxPool1d", () => new conv.AdaptiveMaxPool1d(3), distinct([2, 2, 7])),
  layer("AdaptiveMaxPool2d", () => new conv.AdaptiveMaxPool2d([2, 3]), distinct([1, 2, 6, 5])),
  layer("AdaptiveMaxPool3d", () => new conv.AdaptiveMaxPool3d(1), distinct([1, 2, 3, 2, 3])),
  unpool("MaxUnpool1d", () => new conv.MaxUnpool1d(2), [2, 2, 2], [0, 3, 2, 1, 3, 0, 1, 2]),
  unpool("MaxUnpool2d", () => new conv.MaxUnpool2d(2), [1, 2, 2, 1], [0, 5, 7, 2]),
  unpool("MaxUnpool3d", () => new conv.MaxUnpool3d(2), [1, 1, 2, 1, 2], [0, 17, 31, 8]),
];

/** A loss: of predictions and targets. */
