// Samples of the pointwise functions and activations of @nn/tensor.

import type { Tensor } from "@nn/tensor";
import * as nn from "@nn/tensor";
import { bools, flat, floats, given, type Input, ints, type Sample, sample } from "./sample.js";

type Unary = (x: Tensor) => Tensor;
const of = (name: string, f: Unary, low = -2, high = 2, kinks: readonly number[] = []): Sample =>
  sample(name, [floats([2, 7], low, high, { kinks })], f);
const steps = (name: string, f: Unary): Sample =>
  flat(name, "constant between jumps", [given([9], [-2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5, 3.7, -3.7])], f);
const asked = (name: string, f: (a: Tensor, b: Tensor) => Tensor): Sample =>
  flat(name, "gives bool", [given([2, 3], [1, 2, 3, 1, 2, 3]), given([3], [1, 1, 4])], f);

/** a (2, 1, 3) and b (4, 1), so that both are broadcast. */
const [A, B] = [floats([2, 1, 3], 0.5, 2), floats([4, 1], 0.5, 2, { seed: 3 })];
/** Two inputs further apart than finite differences go. */
const APART: readonly Input[] = [given([2, 3], [1, 2, 3, -1, -2, -3]), given([3], [1.5, 1.5, 1.5])];

const arithmetic: readonly Sample[] = [
  sample("add", [A, B], nn.add),
  sample("add number", [A], (a) => nn.add(a, 2.5)),
  sample("sub", [A, B], nn.sub),
  sample("sub number", [A], (a) => nn.sub(1, a)),
  sample("mul", [A, B], nn.mul),
  sample("mul itself", [A], (a) => nn.mul(a, a)),
  sample("div", [A, B], nn.div),
  sample("div number", [A], (a) => nn.div(3, a)),
  sample("mod", [given([4], [5.3, -5.3, 7.1, 0.4]), given([2, 1], [2, -2.5])], nn.mod),
  sample("pow", [A, B], nn.pow),
  ...[0, 0.5, 1, 2, 3, -1, -2, 4, 1.7].map((n) => sample(`pow ${n}`, [floats([2, 3], 0.5, 2)], (x) => nn.pow(x, n))),
  sample("pow of a number", [A], (a) => nn.pow(2, a)),
  sample("maximum", APART, nn.maximum),
  sample("minimum", APART, nn.minimum),
  sample("maximum number", [APART[0]!], (x) => nn.maximum(x, 0.5)),
  flat("add integers", "integers", [ints([3, 4], -5, 5), ints([4], 0, 9, 2)], nn.add),
  flat("mul promoted", "integers", [ints([3], -5, 5), bools([3])], nn.mul),
];

const elementary: readonly Sample[] = [
  of("neg", nn.neg),
  of("abs", nn.abs, -2, 2, [0]),
  of("square", nn.square),
  of("reciprocal", nn.reciprocal, 0.5, 2),
  of("exp", nn.exp),
  of("expm1", nn.expm1),
  of("log", nn.log, 0.3, 3),
  of("log1p", nn.log1p, -0.5, 3),
  of("log2", nn.log2, 0.3, 3),
  of("log10", nn.log10, 0.3, 3),
  of("sqrt", nn.sqrt, 0.3, 3),
  of("rsqrt", nn.rsqrt, 0.3, 3),
  of("erf", nn.erf),
  of("sin", nn.sin),
  of("cos", nn.cos),
  of("tan", nn.tan, -1, 1),
  of("asin", nn.asin, -0.8, 0.8),
  of("acos", nn.acos, -0.8, 0.8),
  of("atan", nn.atan),
  of("sinh", nn.sinh),
  of("cosh", nn.cosh),
  sample("clamp", [floats([2, 7], -2, 2, { kinks: [-0.5, 0.8] })], (x) => nn.clamp(x, -0.5, 0.8)),
  sample("clamp below", [floats([2, 7], -2, 2, { kinks: [0] })], (x) => nn.clamp(x, 0)),
  sample("cast to f32", [floats([3])], (x) => nn.cast(x, "f32").mul(2)),
  flat("cast to i32", "integers", [given([5], [1.7, -1.7, 3e9, -0.2, 0])], (x) => nn.cast(x, "i32")),
  flat("cast to bool", "gives bool", [given([3], [0, -0.5, 2])], (x) => nn.cast(x, "bool")),
  steps("sign", nn.sign),
  steps("floor", nn.floor),
  steps("ceil", nn.ceil),
  steps("round", nn.round),
  steps("trunc", nn.trunc),
];

const logic: readonly Sample[] = [
  asked("eq", nn.eq),
  asked("ne", nn.ne),
  asked("lt", nn.lt),
  asked("le", nn.le),
  asked("gt", nn.gt),
  asked("ge", nn.ge),
  asked("logicalAnd", nn.logicalAnd),
  asked("logicalOr", nn.logicalOr),
  asked("logicalXor", nn.logicalXor),
  flat("logicalNot", "gives bool", [bools([5])], nn.logicalNot),
  flat("isNaN", "gives bool", [given([3], [1, Number.NaN, Number.POSITIVE_INFINITY])], nn.isNaN),
  flat("isFinite", "gives bool", [given([3], [1, Number.NaN, Number.POSITIVE_INFINITY])], nn.isFinite),
  sample("where", [bools([3, 1]), floats([3, 4]), floats([4], 3, 5)], nn.where),
  sample("where numbers", [bools([3, 4]), floats([3, 4])], (c, a) => nn.where(c, a, -1)),
  sample("maskedFill", [floats([3, 4]), bools([4])], (x, mask) => nn.maskedFill(x, mask, -9)),
];

const activations: readonly Sample[] = [
  of("relu", nn.relu, -2, 2, [0]),
  of("relu6", nn.relu6, -3, 9, [0, 6]),
  of("leakyRelu", nn.leakyRelu, -2, 2, [0]),
  of("leakyRelu slope", (x) => nn.leakyRelu(x, 0.3), -2, 2, [0]),
  of("elu", nn.elu, -2, 2, [0]),
  of("elu alpha", (x) => nn.elu(x, 0.7), -2, 2, [0]),
  of("selu", nn.selu, -2, 2, [0]),
  of("celu", nn.celu, -2, 2, [0]),
  of("celu alpha", (x) => nn.celu(x, 1.3), -2, 2, [0]),
  of("gelu", nn.gelu),
  of("gelu tanh", (x) => nn.gelu(x, { approximate: "tanh" })),
  of("silu", nn.silu),
  of("mish", nn.mish),
  of("sigmoid", nn.sigmoid),
  of("tanh", nn.tanh),
  of("softplus", nn.softplus),
  of("softplus beta", (x) => nn.softplus(x, 2, 1.5), -2, 2, [0.75]),
  of("softsign", nn.softsign, -2, 2, [0]),
  of("hardtanh", nn.hardtanh, -2, 2, [-1, 1]),
  of("hardsigmoid", nn.hardsigmoid, -5, 5, [-3, 3]),
  of("hardswish", nn.hardswish, -5, 5, [-3, 3]),
  of("logSigmoid", nn.logSigmoid),
  of("tanhshrink", nn.tanhshrink),
  of("softshrink", nn.softshrink, -2, 2, [-0.5, 0.5]),
  of("hardshrink", nn.hardshrink, -2, 2, [-0.5, 0.5]),
  of("threshold", (x) => nn.threshold(x, 0.3, -1), -2, 2, [0.3]),
  sample("prelu", [floats([2, 3, 2], -2, 2, { kinks: [0] }), given([3], [0.1, 0.2, 0.3])], nn.prelu),
  sample("prelu shared", [floats([2, 3, 2], -2, 2, { kinks: [0] }), given([1], [0.25])], nn.prelu),
  sample("glu", [floats([3, 4])], (x) => nn.glu(x)),
  sample("glu axis 0", [floats([4, 3])], (x) => nn.glu(x, 0)),
];

export const pointwise: readonly Sample[] = [...arithmetic, ...elementary, ...logic, ...activations];
