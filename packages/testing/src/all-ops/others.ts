// Samples of functions that are not plain ops of @nn/tensor: gradients, random numbers, losses, convolution, pooling.

import * as conv from "@nn/conv";
import * as layers from "@nn/layers";
import * as nn from "@nn/tensor";
import { distinct, flat, floats, ints, type Sample, sample } from "./sample.js";

const doubled = nn.customGradient({ name: "doubled", forward: (x) => x.mul(2), backward: (ct) => [ct.mul(2)] });

const tensor: readonly Sample[] = [
  sample("stopGradient", [floats([3])], (x) => nn.stopGradient(x).mul(0).add(x)),
  sample("customGradient", [floats([3])], (x) => doubled(x)),
  sample("grad", [floats([3], 0.5, 2)], (x) => nn.grad(() => x.mul(x).mul(x).sum(), [x])),
  sample("valueAndGrad", [floats([3], 0.5, 2)], (x) => {
    const [value, gradients] = nn.valueAndGrad(() => x.exp().sum(), [x]);
    return [value, ...gradients];
  }),
  flat("zerosLike", "does not depend on its input", [floats([2, 3])], nn.zerosLike),
  flat("onesLike", "does not depend on its input", [floats([2, 3])], nn.onesLike),
  flat("bernoulli", "random", [floats([40], 0, 1)], (p) => nn.bernoulli(p)),
];

const [LOGITS, LABELS, WEIGHT] = [floats([4, 5]), ints([4], 0, 5), floats([5], 0.5, 2)];
const [P, T] = [floats([3, 4], 0.1, 0.9), floats([3, 4], 0.1, 0.9, { seed: 4 })];
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
  sample("nllLoss", [LOGITS, LABELS], (x, t) => layers.nllLoss(x, t)),
  sample("binaryCrossEntropy", [P, T], (x, t) => layers.binaryCrossEntropy(x, t)),
  sample("binaryCrossEntropyWithLogits", [floats([3, 4]), T, floats([4], 0.5, 2)], (x, t, w) =>
    layers.binaryCrossEntropyWithLogits(x, t, { posWeight: w }),
  ),
  sample("klDiv", [floats([3, 4]), T], (x, t) => layers.klDiv(x, t, { reduction: "batchmean" })),
  sample("klDiv logTarget", [floats([3, 4]), floats([3, 4])], (x, t) => layers.klDiv(x, t, { logTarget: true })),
  sample("dropout", [floats([3, 40])], (x) => layers.dropout(x, 0.3)),
];

const convolution: readonly Sample[] = [
  sample("conv", [floats([2, 3, 7], -1, 1), floats([4, 3, 3], -1, 1), floats([4])], (x, w, b) =>
    conv.conv(x, w, b, { stride: 2, padding: 1 }),
  ),
  sample("conv 2d in groups", [floats([2, 4, 5, 6], -1, 1), floats([2, 2, 3, 2], -1, 1)], (x, w) =>
    conv.conv(x, w, null, { groups: 2, dilation: [1, 2], padding: "same" }),
  ),
  sample("conv 3d", [floats([1, 2, 3, 4, 3], -1, 1), floats([2, 2, 2, 2, 2], -1, 1)], (x, w) => conv.conv(x, w)),
  sample("maxPool", [distinct([2, 2, 7])], (x) => conv.maxPool(x, [3], { stride: 2, padding: 1 })),
  sample("maxPool 2d", [distinct([1, 2, 5, 6])], (x) =>
    conv.maxPool(x, [2, 3], { stride: [2, 1], dilation: [2, 1], ceilMode: true }),
  ),
  sample("avgPool", [floats([2, 2, 7])], (x) =>
    conv.avgPool(x, [3], { stride: 2, padding: 1, countIncludePad: false }),
  ),
  sample("avgPool 2d", [floats([1, 2, 5, 6])], (x) => conv.avgPool(x, [2, 3], { ceilMode: true, divisorOverride: 4 })),
];

export const others: readonly Sample[] = [...tensor, ...losses, ...convolution];
