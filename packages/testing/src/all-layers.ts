// Every layer of @nn/layers, @nn/conv and @nn/recurrent, with inputs to try it on.

import * as conv from "@nn/conv";
import * as nn from "@nn/layers";
import * as recurrent from "@nn/recurrent";
import { type Module, rand, type Tensor } from "@nn/tensor";
import { distinct, floats, given, type Input, ints, type Sample } from "./all-ops/index.js";

export interface LayerSample extends Pick<Sample, "name" | "inputs"> {
  /** Makes the layer; its weights come from the default generator. */
  make(): Module;
  run(layer: Module, ...xs: Tensor[]): Tensor | readonly Tensor[];
  /** In evaluation, not training. */
  readonly evaluate?: boolean;
  /** Of the finite differences, where kinks cannot be avoided by the choice of inputs. */
  readonly step?: number;
}

/** A layer of one tensor. `name`: of the class, then maybe what is special. */
function layer(
  name: string,
  make: () => Module & { forward(x: Tensor): Tensor },
  ...inputs: readonly Input[]
): LayerSample {
  return { name, inputs, make, run: (m, x) => (m as Module & { forward(x: Tensor): Tensor }).forward(x!) };
}

const X = (kinks: readonly number[] = []) => floats([2, 6], -2, 2, { kinks });

const activations: readonly LayerSample[] = [
  layer("ReLU", () => new nn.ReLU(), X([0])),
  layer("ReLU6", () => new nn.ReLU6(), X([0])),
  layer("SELU", () => new nn.SELU(), X([0])),
  layer("SiLU", () => new nn.SiLU(), X()),
  layer("Mish", () => new nn.Mish(), X()),
  layer("Sigmoid", () => new nn.Sigmoid(), X()),
  layer("Tanh", () => new nn.Tanh(), X()),
  layer("Softsign", () => new nn.Softsign(), X([0])),
  layer("Hardsigmoid", () => new nn.Hardsigmoid(), X()),
  layer("Hardswish", () => new nn.Hardswish(), X()),
  layer("LogSigmoid", () => new nn.LogSigmoid(), X()),
  layer("Tanhshrink", () => new nn.Tanhshrink(), X()),
  layer("LeakyReLU", () => new nn.LeakyReLU(0.2), X([0])),
  layer("ELU", () => new nn.ELU(0.5), X([0])),
  layer("CELU", () => new nn.CELU(1.5), X([0])),
  layer("GELU", () => new nn.GELU(), X()),
  layer("GELU tanh", () => new nn.GELU({ approximate: "tanh" }), X()),
  layer("Softplus", () => new nn.Softplus(2), X()),
  layer("Hardtanh", () => new nn.Hardtanh(-0.5, 1), X([-0.5, 1])),
  layer("Softshrink", () => new nn.Softshrink(0.3), X([-0.3, 0.3])),
  layer("Hardshrink", () => new nn.Hardshrink(0.3), X([-0.3, 0.3])),
  layer("Threshold", () => new nn.Threshold(0.3, -1), X([0.3])),
  layer("Softmax", () => new nn.Softmax(), X()),
  layer("LogSoftmax", () => new nn.LogSoftmax(0), X()),
  layer("Softmin", () => new nn.Softmin(), X()),
  layer("Softmax2d", () => new nn.Softmax2d(), floats([3, 2, 2])),
  layer("RReLU", () => new nn.RReLU(), X([0])),
  layer("GLU", () => new nn.GLU(), X()),
  layer("PReLU", () => new nn.PReLU(6), X([0])),
];

const IMAGES = floats([2, 3, 4, 3], -1, 1);
const [ROWS, SERIES, VOLUMES] = [floats([5, 3]), floats([3, 2, 5]), floats([2, 2, 2, 3, 2])];

const plain: readonly LayerSample[] = [
  layer("Linear", () => new nn.Linear(6, 4), X()),
  layer("Linear without bias", () => new nn.Linear(3, 2, { bias: false }), floats([2, 2, 3])),
  layer("Embedding", () => new nn.Embedding(7, 3), ints([2, 4], 0, 7)),
  layer("Embedding paddingIdx", () => new nn.Embedding(7, 3, { paddingIdx: 2 }), ints([5], 3, 7)),
  layer(
    "Embedding scaleGradByFreq",
    () => new nn.Embedding(7, 3, { scaleGradByFreq: true }),
    given([3], [4, 0, 2], "i32"),
  ),
  layer("EmbeddingBag", () => new nn.EmbeddingBag(7, 3), ints([2, 4], 0, 7)),
  layer("EmbeddingBag max", () => new nn.EmbeddingBag(7, 3, { mode: "max" }), ints([2, 4], 0, 7)),
  {
    name: "EmbeddingBag with offsets and weights",
    make: () => new nn.EmbeddingBag(7, 3, { mode: "sum", paddingIdx: 1 }),
    inputs: [ints([6], 0, 7), given([3], [0, 2, 2], "i32"), floats([6])],
    run: (m, x, offsets, w) => (m as nn.EmbeddingBag).forward(x!, { offsets: offsets!, perSampleWeights: w! }),
  },
  {
    name: "Bilinear",
    make: () => new nn.Bilinear(3, 2, 4),
    inputs: [floats([5, 3]), floats([5, 2])],
    run: (m, a, b) => (m as nn.Bilinear).forward(a!, b!),
  },
  layer("LayerNorm", () => new nn.LayerNorm([4, 3]), IMAGES),
  layer("LayerNorm plain", () => new nn.LayerNorm(3, { elementwiseAffine: false, eps: 0.01 }), ROWS),
  layer("RMSNorm", () => new nn.RMSNorm([4, 3]), IMAGES),
  layer("RMSNorm plain", () => new nn.RMSNorm(3, { elementwiseAffine: false, eps: 0.01 }), ROWS),
  layer("BatchNorm1d", () => new nn.BatchNorm1d(3), ROWS),
  layer("BatchNorm1d series", () => new nn.BatchNorm1d(2), SERIES),
  layer("BatchNorm2d", () => new nn.BatchNorm2d(3), IMAGES),
  layer("BatchNorm2d cumulative", () => new nn.BatchNorm2d(3, { momentum: null, affine: false }), IMAGES),
  layer("BatchNorm3d", () => new nn.BatchNorm3d(2), VOLUMES),
  { ...layer("BatchNorm2d in evaluation", () => new nn.BatchNorm2d(3), IMAGES), evaluate: true },
  layer("InstanceNorm1d", () => new nn.InstanceNorm1d(2), SERIES),
  layer("InstanceNorm2d", () => new nn.InstanceNorm2d(3, { affine: true, trackRunningStats: true }), IMAGES),
  layer("InstanceNorm3d of one sample", () => new nn.InstanceNorm3d(2), floats([2, 2, 3, 2])),
  {
    ...layer(
      "InstanceNorm2d in evaluation",
      () => new nn.InstanceNorm2d(3, { affine: true, trackRunningStats: true }),
      IMAGES,
    ),
    evaluate: true,
  },
  layer("GroupNorm", () => new nn.GroupNorm(2, 4), floats([2, 4, 3])),
  layer("LocalResponseNorm", () => new nn.LocalResponseNorm(2, { alpha: 0.5 }), IMAGES),
  layer("Dropout", () => new nn.Dropout(0.4), floats([3, 20])),
  layer("Dropout1d", () => new nn.Dropout1d(0.4), SERIES),
  layer("Dropout2d", () => new nn.Dropout2d(0.4), IMAGES),
  layer("Dropout3d", () => new nn.Dropout3d(0.4), VOLUMES),
  layer("AlphaDropout", () => new nn.AlphaDropout(0.4), floats([3, 20])),
  layer("FeatureAlphaDropout", () => new nn.FeatureAlphaDropout(0.4), IMAGES),
  { ...layer("Dropout in evaluation", () => new nn.Dropout(0.4), X()), evaluate: true },
  layer("Flatten", () => new nn.Flatten(), IMAGES),
  layer("Identity", () => new nn.Identity(), X()),
  layer("Residual", () => new nn.Residual([new nn.Linear(6, 4)], { shortcut: new nn.Linear(6, 4) }), X()),
  layer("Sequential", () => new nn.Sequential(new nn.Linear(6, 4), new nn.Tanh(), new nn.Linear(4, 2)), X()),
];

const unpool = (name: string, make: () => conv.MaxUnpool1d, shape: number[], at: number[]): LayerSample => ({
  name,
  make,
  inputs: [floats(shape), given(shape, at, "i32")],
  run: (m, x, indices) => (m as conv.MaxUnpool1d).forward(x!, indices!),
});

const convolution: readonly LayerSample[] = [
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
type Loss = Module & { forward(x: Tensor, target: Tensor): Tensor };
const loss = (name: string, make: () => Loss, x: Input, t: Input): LayerSample => ({
  name,
  make,
  inputs: [x, t],
  run: (m, a, b) => (m as Loss).forward(a!, b!),
});
/** A loss of three tensors. */
type Loss3 = Module & { forward(a: Tensor, b: Tensor, c: Tensor): Tensor };
const three = (name: string, make: () => Loss3, ...inputs: readonly Input[]): LayerSample => ({
  name,
  make,
  inputs,
  run: (m, a, b, c) => (m as Loss3).forward(a!, b!, c!),
});
const [SCORES, LABELS] = [floats([4, 5]), ints([4], 0, 5)];
const SIGNS = given([3, 4], [1, -1, -1, 1, 1, 1, -1, 1, -1, -1, 1, -1], "i32");
const [PROBABLE, TARGET] = [floats([3, 4], 0.1, 0.4), floats([3, 4], 0.5, 0.9, { seed: 4 })];

const losses: readonly LayerSample[] = [
  loss("CrossEntropyLoss", () => new nn.CrossEntropyLoss({ labelSmoothing: 0.1, ignoreIndex: 2 }), SCORES, LABELS),
  loss("NLLLoss", () => new nn.NLLLoss({ reduction: "sum" }), SCORES, LABELS),
  loss("MSELoss", () => new nn.MSELoss(), PROBABLE, TARGET),
  loss("L1Loss", () => new nn.L1Loss(), PROBABLE, TARGET),
  loss("SmoothL1Loss", () => new nn.SmoothL1Loss({ beta: 2 }), PROBABLE, TARGET),
  loss("HuberLoss", () => new nn.HuberLoss({ delta: 2 }), PROBABLE, TARGET),
  loss("BCELoss", () => new nn.BCELoss(), PROBABLE, TARGET),
  loss("BCEWithLogitsLoss", () => new nn.BCEWithLogitsLoss(), SCORES, floats([4, 5], 0, 1)),
  loss("KLDivLoss", () => new nn.KLDivLoss({ reduction: "batchmean" }), PROBABLE, TARGET),
  loss("PoissonNLLLoss", () => new nn.PoissonNLLLoss({ full: true }), PROBABLE, ints([3, 4], 0, 5)),
  loss("HingeEmbeddingLoss", () => new nn.HingeEmbeddingLoss(), PROBABLE, SIGNS),
  loss("SoftMarginLoss", () => new nn.SoftMarginLoss(), PROBABLE, SIGNS),
  loss("MultiMarginLoss", () => new nn.MultiMarginLoss({ p: 2, margin: 9 }), SCORES, LABELS),
  loss(
    "MultiLabelMarginLoss",
    () => new nn.MultiLabelMarginLoss(),
    PROBABLE,
    given([3, 4], [2, 0, -1, 1, 3, -1, 0, 0, 0, 1, 2, -1], "i32"),
  ),
  loss("MultiLabelSoftMarginLoss", () => new nn.MultiLabelSoftMarginLoss(), SCORES, ints([4, 5], 0, 2)),
  loss("FocalLoss", () => new nn.FocalLoss(), SCORES, LABELS),
  loss("SigmoidFocalLoss", () => new nn.SigmoidFocalLoss(), SCORES, ints([4, 5], 0, 2)),
  loss("MDNLoss", () => new nn.MDNLoss(2, 3), floats([4, 14], -1, 1), floats([4, 3])),
  three("GaussianNLLLoss", () => new nn.GaussianNLLLoss(), PROBABLE, TARGET, floats([3, 4], 0.5, 2)),
  three("MarginRankingLoss", () => new nn.MarginRankingLoss({ margin: 2 }), PROBABLE, TARGET, SIGNS),
  three("TripletMarginLoss", () => new nn.TripletMarginLoss({ margin: 3 }), PROBABLE, TARGET, floats([3, 4], -2, 2)),
  three(
    "CosineEmbeddingLoss",
    () => new nn.CosineEmbeddingLoss(),
    SCORES,
    floats([4, 5], -2, 2, { seed: 7 }),
    given([4], [1, 1, 1, 1], "i32"),
  ),
  {
    name: "CTCLoss",
    make: () => new nn.CTCLoss(),
    inputs: [floats([5, 2, 4]), given([2, 2], [1, 3, 2, 0], "i32")],
    run: (m, x, t) => (m as nn.CTCLoss).forward(x!.logSoftmax(2), t!, [5, 4], [2, 1]),
  },
];

const STEPS = floats([4, 2, 3]);
const H = (n: number, size = 2) => floats([n, 2, size], -1, 1, { seed: 5 });
type Cells = { output: Tensor; h: Tensor; c?: Tensor };
const all = ({ output, h, c }: Cells): Tensor[] => [output, h, ...(c ? [c] : [])];
const of = <M extends Module>(
  name: string,
  make: () => M,
  inputs: readonly Input[],
  run: (m: M, ...xs: Tensor[]) => Tensor | readonly Tensor[],
): LayerSample => ({ name, inputs, make, run: run as LayerSample["run"] });
const LENGTHS = { lengths: [4, 2] };

const recurrence: readonly LayerSample[] = [
  of(
    "RNN",
    () => new recurrent.RNN(3, 2),
    [STEPS, H(1)],
    (m, x, h) => all(m.forward(x!, h)),
  ),
  {
    ...of(
      "RNN relu, two layers",
      () => new recurrent.RNN(3, 2, { numLayers: 2, nonlinearity: "relu", batchFirst: true, bias: false }),
      [STEPS],
      (m, x) => all(m.forward(x!)),
    ),
    step: 0.002,
  },
  of(
    "GRU",
    () => new recurrent.GRU(3, 2),
    [STEPS, H(1)],
    (m, x, h) => all(m.forward(x!, h)),
  ),
  of(
    "GRU stateful",
    () => new recurrent.GRU(3, 2, { stateful: true }),
    [STEPS],
    (m, x) => {
      m.resetState();
      return all(m.forward(x!));
    },
  ),
  of(
    "GRU both ways with lengths",
    () => new recurrent.GRU(3, 2, { bidirectional: true }),
    [STEPS, H(2)],
    (m, x, h) => all(m.forward(x!, h, LENGTHS)),
  ),
  of(
    "LSTM",
    () => new recurrent.LSTM(3, 2),
    [STEPS, H(1), H(1)],
    (m, x, h, c) => all(m.forward(x!, { h: h!, c: c! })),
  ),
  of(
    "LSTM both ways with lengths",
    () => new recurrent.LSTM(3, 2, { bidirectional: true, numLayers: 2, projSize: 1 }),
    [STEPS],
    (m, x) => all(m.forward(x!, undefined, LENGTHS)),
  ),
  of(
    "RNNCell",
    () => new recurrent.RNNCell(3, 2),
    [floats([2, 3]), floats([2, 2])],
    (m, x, h) => m.forward(x!, h),
  ),
  of(
    "GRUCell",
    () => new recurrent.GRUCell(3, 2),
    [floats([2, 3]), floats([2, 2])],
    (m, x, h) => m.forward(x!, h),
  ),
  of(
    "LSTMCell",
    () => new recurrent.LSTMCell(3, 2),
    [floats([2, 3]), floats([2, 2]), floats([2, 2], 0, 1)],
    (m, x, h, c) => Object.values(m.forward(x!, { h: h!, c: c! })),
  ),
];

/** What is 0 at first is not: a gradient that it hides could be wrong. */
const started = <M extends Module>(m: M): M => {
  for (const v of m.parameters()) v.value = v.value.add(rand(v.shape).sub(0.5).mul(0.6));
  return m;
};
const COUNTS = given([4, 2], [1, 0, 0, 0, 1, 1, 1, 0], "bool");

const extended: readonly LayerSample[] = [
  of(
    "GRU reset before, masked",
    () => new recurrent.GRU(3, 2, { resetAfter: false, bidirectional: true, merge: "mean" }),
    [STEPS, H(2), COUNTS],
    (m, x, h, mask) => all(m.forward(x!, h!, { mask: mask! })),
  ),
  of(
    "GRU with variational dropout and lengths",
    () => started(new recurrent.GRU(3, 4, { recurrentDropout: 0.4, numLayers: 2, learnInitialState: true })),
    [STEPS],
    (m, x) => all(m.forward(x!, undefined, LENGTHS)),
  ),
  of(
    "RNN merged, with variational dropout",
    () => new recurrent.RNN(3, 2, { recurrentDropout: 0.4, bidirectional: true, merge: "sum", numLayers: 2 }),
    [STEPS],
    (m, x) => all(m.forward(x!, undefined, LENGTHS)),
  ),
  of(
    "LSTM with peepholes, packed",
    () =>
      started(
        new recurrent.LSTM(3, 2, { peepholes: true, learnInitialState: true, bidirectional: true, forgetBias: 1 }),
      ),
    [STEPS],
    (m, x) => {
      const { output, h, c } = m.forward(recurrent.packPaddedSequence(x!, [4, 2]));
      return all({ output: output.data, h, c });
    },
  ),
  of(
    "LSTM with peepholes, a projection and variational dropout",
    () => started(new recurrent.LSTM(3, 3, { peepholes: true, projSize: 2, recurrentDropout: 0.4 })),
    [STEPS, COUNTS],
    (m, x, mask) => all(m.forward(x!, undefined, { mask: mask! })),
  ),
  of(
    "GRUCell reset before",
    () => new recurrent.GRUCell(3, 2, { resetAfter: false, bias: false }),
    [floats([2, 3]), floats([2, 2])],
    (m, x, h) => m.forward(x!, h),
  ),
  of(
    "LSTMCell with peepholes",
    () => started(new recurrent.LSTMCell(3, 2, { peepholes: true, forgetBias: 1 })),
    [floats([2, 3]), floats([2, 2]), floats([2, 2], 0, 1)],
    (m, x, h, c) => Object.values(m.forward(x!, { h: h!, c: c! })),
  ),
  of(
    "RNNLayer",
    () => new recurrent.RNNLayer(new recurrent.LSTMCell(3, 2), { reverse: true }),
    [STEPS, floats([2, 2]), floats([2, 2], 0, 1)],
    (m, x, h, c) => {
      const { output, state } = m.forward(x!, { h: h!, c: c! }, LENGTHS);
      return all({ output, ...state });
    },
  ),
  of(
    "RNNLayer masked",
    () => new recurrent.RNNLayer(new recurrent.GRUCell(3, 2)),
    [STEPS, COUNTS],
    (m, x, mask) => Object.values(m.forward(x!, undefined, { mask: mask! })),
  ),
];

const MASK = given([2, 5], [0, 0, 1, 0, 1, 0, 0, 0, 0, 0], "bool");

const attention: readonly LayerSample[] = [
  of(
    "MultiheadAttention",
    () => new nn.MultiheadAttention(4, 2, { batchFirst: true }),
    [floats([2, 5, 4]), MASK],
    (m, x, keyPaddingMask) => Object.values(m.forward(x!, x!, x!, { keyPaddingMask: keyPaddingMask! })) as Tensor[],
  ),
  of(
    "MultiheadAttention of others",
    () => new nn.MultiheadAttention(4, 2, { kdim: 3, vdim: 2, addBiasKv: true, addZeroAttn: true, dropout: 0.2 }),
    [floats([3, 2, 4]), floats([5, 2, 3]), floats([5, 2, 2]), floats([3, 5])],
    (m, q, k, v, attnMask) => m.forward(q!, k!, v!, { attnMask: attnMask!, isCausal: true }).output,
  ),
  of(
    "AdditiveAttention",
    () => new nn.AdditiveAttention(4, 3, 6),
    [floats([2, 4]), floats([2, 5, 3]), MASK],
    (m, q, k, mask) => Object.values(m.forward(q!, k!, k!, { keyPaddingMask: mask! })),
  ),
  of(
    "DotAttention",
    () => new nn.DotAttention(4, 3),
    [floats([2, 2, 4]), floats([2, 5, 3]), MASK],
    (m, q, k, mask) => Object.values(m.forward(q!, k!, k!, { keyPaddingMask: mask! })),
  ),
  of(
    "ConvLSTM1d",
    () => new conv.ConvLSTM1d(2, 3, 3, { batchFirst: true }),
    [floats([2, 3, 2, 5], -1, 1)],
    (m, x) => all(m.forward(x!)),
  ),
  of(
    "ConvLSTM2d",
    () => new conv.ConvLSTM2d(2, 2, [3, 2], { peephole: true }),
    [floats([2, 1, 2, 3, 4], -1, 1), floats([1, 2, 3, 4]), floats([1, 2, 3, 4], 0, 1)],
    (m, x, h, c) => all(m.forward(x!, { h: h!, c: c! })),
  ),
];

export const allLayers: readonly LayerSample[] = [
  ...activations,
  ...plain,
  ...losses,
  ...convolution,
  ...recurrence,
  ...extended,
  ...attention,
];

/** What has no sample of its own. */
export const notSampled: Readonly<Record<string, string>> = {
  ModuleList: "does not run",
  ModuleDict: "does not run",
  Recurrent: "abstract: the base of RNN, GRU and LSTM",
  RecurrentCell: "abstract: the base of the cells",
};
