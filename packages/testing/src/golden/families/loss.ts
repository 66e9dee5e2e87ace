// Losses.

import * as layers from "@nn/layers";
import { logSoftmax, type Tensor } from "@nn/tensor";
import type { Args } from "../case.js";
import type { Tensors } from "../subject.js";
import { type Builder, familyOf, gives } from "./family.js";

type Reduction = "mean" | "sum" | "none";

const reduction = (args: Args) => ({ reduction: args.only<Reduction>("reduction", "mean", "sum", "none") });

/** Of x and t, with numbers for options, by PyTorch's names and ours. */
const plain = (
  f: (x: Tensor, t: Tensor, options: { reduction: Reduction }) => Tensor,
  names: Record<string, string> = {},
): Builder =>
  gives((args) => {
    const options = { ...reduction(args), ...args.options(names) };
    // Masks come as integers.
    return ({ x, t }) => f(x!, t!.cast("f32"), options);
  });

/** Cross entropy and its like: class numbers or probabilities, and maybe a weight per class, the input `weight`. */
const classes = (f: typeof layers.crossEntropy): Builder =>
  gives((args) => {
    args.get("weight", false); // the tensor is an input
    args.get("probabilities", false); // what the targets are follows from their dtype
    const options = {
      ...reduction(args),
      ...args.options({ ignore_index: "ignoreIndex", label_smoothing: "labelSmoothing" }),
    };
    return ({ x, t, weight }) => f(x!, t!, weight ? { ...options, weight } : options);
  });

const binary = (f: typeof layers.binaryCrossEntropyWithLogits): Builder =>
  gives((args) => {
    args.get("weight", false);
    args.get("pos_weight", false);
    const options = reduction(args);
    return ({ x, t, weight, pos_weight }) =>
      f(x!, t!.cast("f32"), {
        ...options,
        ...(weight ? { weight } : {}),
        ...(pos_weight ? { posWeight: pos_weight } : {}),
      });
  });

/** Of several inputs, by their names. */
const inputs = <O extends object>(
  f: (ins: Tensors, options: O & { reduction: Reduction }) => Tensor,
  names: Record<string, string> = {},
): Builder =>
  gives((args) => {
    const options = { ...reduction(args), ...args.options(names) } as O & { reduction: Reduction };
    return (ins) => f(ins, options);
  });

export const loss = familyOf({
  CrossEntropyLoss: classes(layers.crossEntropy),
  NLLLoss: classes(layers.nllLoss),
  MSELoss: plain(layers.mse),
  L1Loss: plain(layers.l1),
  SmoothL1Loss: plain(layers.smoothL1, { beta: "beta" }),
  HuberLoss: plain(layers.huber, { delta: "delta" }),
  BCELoss: binary(layers.binaryCrossEntropy),
  BCEWithLogitsLoss: binary(layers.binaryCrossEntropyWithLogits),
  KLDivLoss: gives((args, c) => {
    const logTarget = args.get("log_target", false);
    const options = {
      reduction: args.only<Reduction | "batchmean">("reduction", "mean", "sum", "none", "batchmean"),
      logTarget,
    };
    return ({ x, t }) => layers.klDiv(logSoftmax(x!, 1), c.note.startsWith("both") ? logSoftmax(t!, 1) : t!, options);
  }),
  PoissonNLLLoss: plain(layers.poissonNLL, { log_input: "logInput", full: "full", eps: "eps" }),
  GaussianNLLLoss: inputs((ins, o) => layers.gaussianNLL(ins["x"]!, ins["t"]!, ins["var"]!, o), {
    full: "full",
    eps: "eps",
  }),
  HingeEmbeddingLoss: plain(layers.hingeEmbedding, { margin: "margin" }),
  SoftMarginLoss: plain(layers.softMargin),
  MarginRankingLoss: inputs((ins, o) => layers.marginRanking(ins["a"]!, ins["b"]!, ins["t"]!, o), { margin: "margin" }),
  TripletMarginLoss: inputs((ins, o) => layers.tripletMargin(ins["a"]!, ins["p"]!, ins["n"]!, o), {
    margin: "margin",
    p: "p",
    eps: "eps",
    swap: "swap",
  }),
  CosineEmbeddingLoss: inputs((ins, o) => layers.cosineEmbedding(ins["a"]!, ins["b"]!, ins["t"]!, o), {
    margin: "margin",
  }),
  CTCLoss: gives((args, c) => {
    const options = { ...reduction(args), ...args.options({ blank: "blank", zero_infinity: "zeroInfinity" }) };
    const [inputLengths, targetLengths] = [c.raw["input_lengths"], c.raw["target_lengths"]] as [number[], number[]];
    return ({ x, t }) => layers.ctcLoss(logSoftmax(x!, 2), t!, inputLengths, targetLengths, options);
  }),
});
