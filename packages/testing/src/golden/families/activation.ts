// Activation functions: the modules of torch.nn.

import * as layers from "@nn/layers";
import type { Module, Tensor } from "@nn/tensor";
import type { Args } from "../case.js";
import { type Builder, familyOf } from "./family.js";

type Layer = Module & { forward(x: Tensor): Tensor };

/** A module from one tensor to one, x to y. */
export const layer =
  (make: (args: Args) => Layer): Builder =>
  (args) => {
    const module = make(args);
    return { module, run: ({ x }) => ({ y: module.forward(x!) }) };
  };

export const activation = familyOf({
  ReLU: layer(() => new layers.ReLU()),
  ReLU6: layer(() => new layers.ReLU6()),
  LeakyReLU: layer((args) => new layers.LeakyReLU(args.get("negative_slope", 0.01))),
  ELU: layer((args) => new layers.ELU(args.get("alpha", 1))),
  SELU: layer(() => new layers.SELU()),
  CELU: layer((args) => new layers.CELU(args.get("alpha", 1))),
  GELU: layer((args) => new layers.GELU({ approximate: args.only<"none" | "tanh">("approximate", "none", "tanh") })),
  Sigmoid: layer(() => new layers.Sigmoid()),
  Tanh: layer(() => new layers.Tanh()),
  Softplus: layer((args) => new layers.Softplus(args.get("beta", 1), args.get("threshold", 20))),
  Softsign: layer(() => new layers.Softsign()),
  SiLU: layer(() => new layers.SiLU()),
  Mish: layer(() => new layers.Mish()),
  Hardsigmoid: layer(() => new layers.Hardsigmoid()),
  Hardswish: layer(() => new layers.Hardswish()),
  Hardtanh: layer((args) => new layers.Hardtanh(args.get("min_val", -1), args.get("max_val", 1))),
  LogSigmoid: layer(() => new layers.LogSigmoid()),
  Tanhshrink: layer(() => new layers.Tanhshrink()),
  Softshrink: layer((args) => new layers.Softshrink(args.get("lambd", 0.5))),
  Hardshrink: layer((args) => new layers.Hardshrink(args.get("lambd", 0.5))),
  Threshold: layer((args) => new layers.Threshold(args.get<number>("threshold"), args.get<number>("value"))),
  PReLU: layer((args) => new layers.PReLU(args.get("num_parameters", 1), args.get("init", 0.25))),
  GLU: layer((args) => new layers.GLU(args.get("dim", -1))),
  Softmax: layer((args) => new layers.Softmax(args.get<number>("dim"))),
  LogSoftmax: layer((args) => new layers.LogSoftmax(args.get<number>("dim"))),
});
