// Every layer of @nn/layers, @nn/conv and @nn/recurrent, with inputs to try it on.

import * as conv from "@nn/conv";
import * as nn from "@nn/layers";
import * as recurrent from "@nn/recurrent";
import type { Module, Tensor } from "@nn/tensor";
import { distinct, floats, type Input, ints, type Sample } from "./all-ops/index.js";

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
  layer("LayerNorm", () => new nn.LayerNorm([4, 3]), IMAGES),
  layer("LayerNorm plain", () => new nn.LayerNorm(3, { elementwiseAffine: false, eps: 0.01 }), ROWS),
  layer("BatchNorm1d", () => new nn.BatchNorm1d(3), ROWS),
  layer("BatchNorm1d series", () => new nn.BatchNorm1d(2), SERIES),
  layer("BatchNorm2d", () => new nn.BatchNorm2d(3), IMAGES),
  layer("BatchNorm2d cumulative", () => new nn.BatchNorm2d(3, { momentum: null, affine: false }), IMAGES),
  layer("BatchNorm3d", () => new nn.BatchNorm3d(2), VOLUMES),
  { ...layer("BatchNorm2d in evaluation", () => new nn.BatchNorm2d(3), IMAGES), evaluate: true },
  layer("Dropout", () => new nn.Dropout(0.4), floats([3, 20])),
  { ...layer("Dropout in evaluation", () => new nn.Dropout(0.4), X()), evaluate: true },
  layer("Flatten", () => new nn.Flatten(), IMAGES),
  layer("Identity", () => new nn.Identity(), X()),
  layer("Sequential", () => new nn.Sequential(new nn.Linear(6, 4), new nn.Tanh(), new nn.Linear(4, 2)), X()),
];

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
  layer("MaxPool1d", () => new conv.MaxPool1d(2), distinct([2, 2, 7])),
  layer("MaxPool2d", () => new conv.MaxPool2d(3, { stride: 2, padding: 1 }), distinct([1, 2, 6, 5])),
  layer("MaxPool3d", () => new conv.MaxPool3d(2, { ceilMode: true }), distinct([1, 1, 3, 4, 3])),
  layer("AvgPool1d", () => new conv.AvgPool1d(3, { stride: 2, padding: 1 }), SERIES),
  layer("AvgPool2d", () => new conv.AvgPool2d(2, { ceilMode: true }), IMAGES),
  layer("AvgPool3d", () => new conv.AvgPool3d(2, { padding: 1, countIncludePad: false }), VOLUMES),
];

/** A loss: of predictions and targets. */
type Loss = Module & { forward(x: Tensor, target: Tensor): Tensor };
const loss = (name: string, make: () => Loss, x: Input, t: Input): LayerSample => ({
  name,
  make,
  inputs: [x, t],
  run: (m, a, b) => (m as Loss).forward(a!, b!),
});
const [SCORES, LABELS] = [floats([4, 5]), ints([4], 0, 5)];
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

export const allLayers: readonly LayerSample[] = [...activations, ...plain, ...losses, ...convolution, ...recurrence];

/** What has no sample of its own. */
export const notSampled: Readonly<Record<string, string>> = {
  ModuleList: "does not run",
  Recurrent: "abstract: the base of RNN, GRU and LSTM",
  RecurrentCell: "abstract: the base of the cells",
};
