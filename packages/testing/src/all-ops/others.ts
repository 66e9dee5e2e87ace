// Samples of functions that are not plain ops of @nn/tensor: gradients, random numbers, losses, convolution, pooling.

import * as conv from "@nn/conv";
import * as layers from "@nn/layers";
import * as nn from "@nn/tensor";
import { bools, distinct, flat, floats, given, ints, type Sample, sample } from "./sample.js";

const doubled = nn.customGradient({ name: "doubled", forward: (x) => x.mul(2), backward: (ct) => [ct.mul(2)] });

const tensor: readonly Sample[] = [
  sample("stopGradient", [floats([3])], (x) => nn.stopGradient(x).mul(0).add(x)),
  sample("customGradient", [floats([3])], (x) => doubled(x)),
  sample("grad", [floats([3], 0.5, 2)], (x) => nn.grad(() => x.mul(x).mul(x).sum(), [x])),
  sample("valueAndGrad", [floats([3], 0.5, 2)], (x) => {
    const [value, gradients] = nn.valueAndGrad(() => x.exp().sum(), [x]);
    return [value, ...gradients];
  }),
  sample("scan", [floats([4, 2, 3]), floats([2, 3]), floats([3, 3])], (x, h, w) =>
    nn.scan(
      (h: nn.Tensor, x: nn.Tensor) => {
        const next = h.matmul(w).add(x).tanh();
        return [next, next.mul(x)];
      },
      h,
      x,
      { reverse: true },
    ),
  ),
  flat("zerosLike", "does not depend on its input", [floats([2, 3])], nn.zerosLike),
  flat("onesLike", "does not depend on its input", [floats([2, 3])], nn.onesLike),
  flat("bernoulli", "random", [floats([40], 0, 1)], (p) => nn.bernoulli(p)),
];

const [LOGITS, LABELS, WEIGHT] = [floats([4, 5]), ints([4], 0, 5), floats([5], 0.5, 2)];
const [P, T] = [floats([3, 4], 0.1, 0.9), floats([3, 4], 0.1, 0.9, { seed: 4 })];
const SIGNS = given([3, 4], [1, -1, -1, 1, 1, 1, -1, 1, -1, -1, 1, -1], "i32");
const APART = [floats([3, 4], 2.2, 4, { seed: 1 }), floats([3, 4], 0, 0.9)] as const;
const NEAR = [floats([3, 4], 0.3, 0.5, { seed: 1 }), floats([3, 4], -0.3, 0.2)] as const;

const losses: readonly Sample[] = [
  ...(["mean", "sum", "none"] as const).map((reduction) =>
    sample(`mse ${reduction}`, [P, T], (x, t) => layers.mse(x, t, { reduction })),
  ),
  sample("l1", APART, (x, t) => layers.l1(x, t)),
  sample("smoothL1 outside", APART, (x, t) => layers.smoothL1(x, t)),
  sample("smoothL1 inside", NEAR, (x, t) => layers.smoothL1(x, t, { beta: 2 })),
  sample("huber outside", APART, (x, t) => layers.huber(x, t)),
  sample("huber inside", NEAR, (x, t) => layers.huber(x, t, { delta: 2 })),
  sample("crossEntropy", [LOGITS, LABELS], (x, t) => layers.crossEntropy(x, t)),
  sample("crossEntropy all options", [LOGITS, LABELS, WEIGHT], (x, t, weight) =>
    layers.crossEntropy(x, t, { weight, ignoreIndex: 3, labelSmoothing: 0.1 }),
  ),
  sample("crossEntropy of probabilities", [LOGITS, floats([4, 5], 0.1, 0.3)], (x, t) => layers.crossEntropy(x, t)),
  sample("crossEntropy over positions", [floats([2, 3, 4]), ints([2, 4], 0, 3)], (x, t) =>
    layers.crossEntropy(x, t, { reduction: "none" }),
  ),
  sample("crossEntropy of many classes", [floats([3, 90]), ints([3], 0, 90)], (x, t) =>
    layers.crossEntropy(x, t, { reduction: "sum", ignoreIndex: 55 }),
  ),
  sample("crossEntropy twice", [floats([3, 4], -1, 1), ints([3], 0, 4)], (x, t) =>
    nn.grad(() => layers.crossEntropy(x, t, { reduction: "none", ignoreIndex: 1 }).square().sum(), [x]),
  ),
  sample("nllLoss", [LOGITS, LABELS], (x, t) => layers.nllLoss(x, t)),
  sample("binaryCrossEntropy", [P, T], (x, t) => layers.binaryCrossEntropy(x, t)),
  sample("binaryCrossEntropyWithLogits", [floats([3, 4]), T, floats([4], 0.5, 2)], (x, t, w) =>
    layers.binaryCrossEntropyWithLogits(x, t, { posWeight: w }),
  ),
  sample("klDiv", [floats([3, 4]), T], (x, t) => layers.klDiv(x, t, { reduction: "batchmean" })),
  sample("klDiv logTarget", [floats([3, 4]), floats([3, 4])], (x, t) => layers.klDiv(x, t, { logTarget: true })),
  sample("poissonNLL", [P, ints([3, 4], 0, 5)], (x, t) => layers.poissonNLL(x, t, { logInput: false, full: true })),
  sample("gaussianNLL", [P, T, floats([3], 0.5, 2)], (x, t, v) => layers.gaussianNLL(x, t, v, { full: true })),
  sample("hingeEmbedding", [P, SIGNS], (x, t) => layers.hingeEmbedding(x, t)),
  sample("marginRanking", [P, T, SIGNS], (a, b, t) => layers.marginRanking(a, b, t, { margin: 2 })),
  sample("softMargin", [P, SIGNS], (x, t) => layers.softMargin(x, t)),
  sample("multiMargin", [LOGITS, LABELS, WEIGHT], (x, t, weight) =>
    layers.multiMargin(x, t, { weight, margin: 9, reduction: "none" }),
  ),
  sample("multiLabelMargin", [P, given([3, 4], [2, 0, -1, 1, 3, -1, 0, 0, 0, 1, 2, -1], "i32")], (x, t) =>
    layers.multiLabelMargin(x, t, { reduction: "none" }),
  ),
  sample("multiLabelSoftMargin", [LOGITS, ints([4, 5], 0, 2), WEIGHT], (x, t, weight) =>
    layers.multiLabelSoftMargin(x, t, { weight }),
  ),
  sample("focal", [LOGITS, LABELS, WEIGHT], (x, t, weight) => layers.focal(x, t, { weight, gamma: 1.5 })),
  sample("sigmoidFocal", [LOGITS, ints([4, 5], 0, 2)], (x, t) => layers.sigmoidFocal(x, t, { reduction: "none" })),
  sample("pairwiseDistance", APART, (a, b) => layers.pairwiseDistance(a, b)),
  sample("tripletMargin", [P, T, floats([3, 4], -2, 2)], (a, p, n) => layers.tripletMargin(a, p, n, { margin: 3 })),
  sample("tripletMargin swap", [...APART, floats([3, 4], -4, -1)], (a, p, n) =>
    layers.tripletMargin(a, p, n, { margin: 9, swap: true }),
  ),
  sample("cosineEmbedding", [P, T, given([3], [1, -1, 1], "i32")], (a, b, t) =>
    layers.cosineEmbedding(a, b, t, { margin: 0.1 }),
  ),
  sample("ctcLoss", [floats([5, 2, 4], -2, -0.1), given([2, 2], [1, 3, 2, 0], "i32")], (x, t) =>
    layers.ctcLoss(x, t, [5, 4], [2, 1], { reduction: "none" }),
  ),
  sample("ctcLoss repeats", [floats([6, 1, 3], -2, -0.1), given([2], [1, 1], "i32")], (x, t) =>
    layers.ctcLoss(x, t, [6], [2], { blank: 2 }),
  ),
  sample("mdn", [floats([2, 3]), floats([2, 3, 2]), floats([2, 3, 2], -1, 1), floats([2, 2])], (a, b, c, t) =>
    layers.mdn({ logits: a, means: b, logStds: c }, t),
  ),
  sample("mixtureOf correlated", [floats([3, 12], -1, 1), floats([3, 2])], (x, t) =>
    layers.mdn(layers.mixtureOf(x, 2, 2, { correlated: true }), t, { reduction: "none" }),
  ),
  sample("cosineSimilarity", [floats([3, 4]), floats([3, 4], 0.5, 2, { seed: 1 })], (a, b) =>
    layers.cosineSimilarity(a, b),
  ),
  sample("normalize", [floats([3, 4])], (x) => layers.normalize(x)),
  sample("normalize p=3", [floats([3, 4], 0.5, 2)], (x) => layers.normalize(x, { p: 3, axis: 0 })),
  sample("dropout", [floats([3, 40])], (x) => layers.dropout(x, 0.3)),
  sample("dropout1d", [floats([6, 4, 2])], (x) => layers.dropout1d(x, 0.3)),
  sample("dropout2d", [floats([6, 4, 1, 2])], (x) => layers.dropout2d(x, 0.3)),
  sample("dropout3d", [floats([4, 2, 1, 1])], (x) => layers.dropout3d(x, 0.3)),
  sample("alphaDropout", [floats([3, 10])], (x) => layers.alphaDropout(x, 0.3)),
  sample("featureAlphaDropout", [floats([3, 4, 2])], (x) => layers.featureAlphaDropout(x, 0.3)),
];

const [Q, K, V] = [floats([2, 3, 4]), floats([2, 5, 4], -1, 2), floats([2, 5, 3], -2, 1)];

const attention: readonly Sample[] = [
  sample("scaledDotProductAttention", [Q, K, V], (q, k, v) => layers.scaledDotProductAttention(q, k, v)),
  sample("scaledDotProductAttention masked", [Q, K, V, bools([3, 5])], (q, k, v, attnMask) =>
    layers.scaledDotProductAttention(q, k, v, { attnMask, isCausal: true, scale: 0.3 }),
  ),
  sample("scaledDotProductAttention with a bias", [Q, K, V, floats([3, 5])], (q, k, v, attnMask) =>
    layers.scaledDotProductAttention(q, k, v, { attnMask, dropoutP: 0.3 }),
  ),
];

const norms: readonly Sample[] = [
  sample("groupNorm", [floats([2, 4, 3]), floats([4], 0.5, 2), floats([4])], (x, w, b) =>
    layers.groupNorm(x, 2, w, b, { eps: 0.01 }),
  ),
  sample("groupNorm of samples", [floats([2, 3, 2, 2])], (x) => layers.groupNorm(x, 1)),
  sample("localResponseNorm", [floats([2, 5, 3])], (x) => layers.localResponseNorm(x, 3, { alpha: 1, k: 2 })),
];

const convolution: readonly Sample[] = [
  sample("conv", [floats([2, 3, 7], -1, 1), floats([4, 3, 3], -1, 1), floats([4])], (x, w, b) =>
    conv.conv(x, w, b, { stride: 2, padding: 1 }),
  ),
  sample("conv 2d in groups", [floats([2, 4, 5, 6], -1, 1), floats([2, 2, 3, 2], -1, 1)], (x, w) =>
    conv.conv(x, w, null, { groups: 2, dilation: [1, 2], padding: "same" }),
  ),
  sample("conv 3d", [floats([1, 2, 3, 4, 3], -1, 1), floats([2, 2, 2, 2, 2], -1, 1)], (x, w) => conv.conv(x, w)),
  sample("conv same with a stride", [floats([1, 2, 5, 4], -1, 1), floats([3, 2, 2, 3], -1, 1)], (x, w) =>
    conv.conv(x, w, null, { stride: 2, padding: "same" }),
  ),
  sample("conv causal", [floats([1, 2, 6], -1, 1), floats([2, 2, 3], -1, 1)], (x, w) =>
    conv.conv(x, w, null, { dilation: 2, padding: "causal" }),
  ),
  sample("convTranspose", [floats([2, 3, 4], -1, 1), floats([3, 2, 4], -1, 1), floats([2])], (x, w, b) =>
    conv.convTranspose(x, w, b, { stride: 3, padding: 1, outputPadding: 2 }),
  ),
  sample("convTranspose 2d in groups", [floats([1, 4, 3, 2], -1, 1), floats([4, 1, 2, 3], -1, 1)], (x, w) =>
    conv.convTranspose(x, w, null, { groups: 2, dilation: [3, 1], outputPadding: [2, 0] }),
  ),
  sample("convTranspose 3d", [floats([1, 2, 2, 2, 2], -1, 1), floats([2, 1, 2, 2, 2], -1, 1)], (x, w) =>
    conv.convTranspose(x, w, null, { stride: 2 }),
  ),
  ...(["nearest", "nearest-exact", "bilinear", "bicubic"] as const).map((mode) =>
    sample(`interpolate ${mode}`, [floats([1, 2, 4, 6])], (x) => conv.interpolate(x, { size: [7, 5], mode })),
  ),
  sample("interpolate repeating", [floats([1, 2, 3, 2])], (x) => conv.interpolate(x, { scaleFactor: [2, 3] })),
  sample("interpolate linear", [floats([2, 2, 5])], (x) =>
    conv.interpolate(x, { scaleFactor: 1.7, mode: "linear", alignCorners: true }),
  ),
  sample("interpolate trilinear", [floats([1, 1, 3, 2, 2])], (x) =>
    conv.interpolate(x, { size: [2, 4, 3], mode: "trilinear" }),
  ),
  sample("pixelShuffle", [floats([1, 8, 3, 2])], (x) => conv.pixelShuffle(x, 2)),
  sample("pixelUnshuffle", [floats([2, 6, 4])], (x) => conv.pixelUnshuffle(x, 2)),
  sample("unfold", [floats([2, 2, 5, 6])], (x) => conv.unfold(x, [3, 2], { dilation: [1, 2], padding: 1, stride: 2 })),
  sample("fold", [floats([1, 8, 12])], (x) => conv.fold(x, [4, 5], 2)),
  sample("maxPool", [distinct([2, 2, 7])], (x) => conv.maxPool(x, [3], { stride: 2, padding: 1 })),
  sample("maxPool 2d", [distinct([1, 2, 5, 6])], (x) =>
    conv.maxPool(x, [2, 3], { stride: [2, 1], dilation: [2, 1], ceilMode: true }),
  ),
  sample("avgPool", [floats([2, 2, 7])], (x) =>
    conv.avgPool(x, [3], { stride: 2, padding: 1, countIncludePad: false }),
  ),
  sample("avgPool 2d", [floats([1, 2, 5, 6])], (x) => conv.avgPool(x, [2, 3], { ceilMode: true, divisorOverride: 4 })),
  sample("maxPoolWithIndices", [distinct([1, 2, 4, 6])], (x) => Object.values(conv.maxPoolWithIndices(x, 2))),
  sample("maxUnpool", [floats([1, 2, 3]), given([1, 2, 3], [5, 1, 2, 0, 3, 4], "i32")], (x, at) =>
    conv.maxUnpool(x, at, [2]),
  ),
  sample("maxUnpool overlapping", [floats([1, 1, 2, 2]), given([1, 1, 2, 2], [4, 4, 4, 8], "i32")], (x, at) =>
    conv.maxUnpool(x, at, 2, { stride: 1 }),
  ),
  sample("lpPool", [floats([1, 2, 5, 6], 0.2, 2)], (x) => conv.lpPool(x, 2, [2, 3], { stride: 2, ceilMode: true })),
  sample("lpPool p=3", [floats([2, 2, 6], 0.2, 2)], (x) => conv.lpPool(x, 3, 2)),
  sample("lpPool p=1", [floats([2, 2, 6])], (x) => conv.lpPool(x, 1, [3])),
  sample("adaptiveAvgPool", [floats([2, 2, 5, 6])], (x) => conv.adaptiveAvgPool(x, [3, null])),
  sample("adaptiveAvgPool even", [floats([2, 2, 4, 6])], (x) => conv.adaptiveAvgPool(x, [2, 3])),
  sample("adaptiveAvgPool global", [floats([2, 2, 5, 3])], (x) => conv.adaptiveAvgPool(x, 1)),
  sample("adaptiveMaxPool", [distinct([2, 2, 5])], (x) => conv.adaptiveMaxPool(x, 3)),
  sample("adaptiveMaxPool even", [distinct([1, 2, 4, 6])], (x) => conv.adaptiveMaxPool(x, 2)),
  sample("adaptiveMaxPoolWithIndices", [distinct([1, 2, 4, 5])], (x) =>
    Object.values(conv.adaptiveMaxPoolWithIndices(x, [3, 2])),
  ),
];

export const others: readonly Sample[] = [...tensor, ...losses, ...attention, ...norms, ...convolution];
