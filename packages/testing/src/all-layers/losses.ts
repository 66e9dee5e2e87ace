// Losses as modules.

import * as nn from "@nn/layers";
import type { Module, Tensor } from "@nn/tensor";
import { floats, given, type Input, ints } from "../all-ops/index.js";
import type { LayerSample } from "./sample.js";

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

export const losses: readonly LayerSample[] = [
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
