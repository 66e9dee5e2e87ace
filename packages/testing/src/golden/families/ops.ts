// Functions of tensors, by the names of torch and torch.nn.functional.

import { cosineSimilarity, normalize } from "@nn/layers";
import type { Tensor } from "@nn/tensor";
import * as nn from "@nn/tensor";
import { type Args, type GoldenCase, tensorsOf } from "../case.js";
import type { Tensors } from "../subject.js";
import { type Builder, familyOf, gives } from "./family.js";
import { images } from "./images.js";
import { movement } from "./movement.js";

const unary = (f: (x: Tensor) => Tensor): Builder =>
  gives(
    () =>
      ({ x }) =>
        f(x!),
  );

/** Of a and b, or of a and a number given as `other`. */
const binary = (f: (a: Tensor, b: Tensor | number) => Tensor): Builder =>
  gives((args) => {
    const other = args.get<number | undefined>("other", undefined);
    return ({ a, b }) => f(a!, b ?? other!);
  });

/** `a + alpha · b`. */
const scaled = (f: (a: Tensor, b: Tensor | number) => Tensor): Builder =>
  gives((args) => {
    const alpha = args.get("alpha", 1);
    return ({ a, b }) => f(a!, alpha === 1 ? b! : b!.mul(alpha));
  });

interface Keep {
  readonly keepDims: boolean;
}
type Axes = number | readonly number[] | null;
type Reduce = (x: Tensor, axes: Axes, options: Keep) => Tensor;

/** `f` asks for further arguments and gives the function. */
const reductionWith = (f: (args: Args) => Reduce): Builder =>
  gives((args) => {
    const axes = args.get<Axes>("dim", null);
    const keepDims = args.get("keepdim", false);
    const reduce = f(args);
    return ({ x }) => reduce(x!, axes, { keepDims });
  });
const reduction = (f: Reduce): Builder => reductionWith(() => f);
const variance = (f: typeof nn.variance): Builder =>
  reductionWith((args) => {
    const correction = args.get("correction", 1);
    return (x, axes, options) => f(x, axes, { ...options, correction });
  });
const norm = (p: number): Builder => reduction((x, axes, options) => nn.norm(x, axes, { ...options, p }));
const position = (f: (x: Tensor, axis: number | undefined, options: Keep) => Tensor): Builder =>
  reduction((x, axes, options) => f(x, (axes ?? undefined) as number | undefined, options));

/** Of `max_dim` and its like: outputs values and indices. */
const withIndex =
  (f: (x: Tensor, axis: number, options: Keep) => { values: Tensor; indices: Tensor }): Builder =>
  (args) => {
    const axis = args.get<number>("dim");
    const keepDims = args.get("keepdim", false);
    return { run: ({ x }) => ({ ...f(x!, axis, { keepDims }) }) };
  };

/** Of x along `dim`. */
const along = (f: (x: Tensor, axis: number) => Tensor): Builder =>
  gives((args) => {
    const axis = args.get<number>("dim");
    return ({ x }) => f(x!, axis);
  });

const pointwise: Record<string, Builder> = {
  add: scaled(nn.add),
  sub: scaled(nn.sub),
  mul: binary(nn.mul),
  div: binary(nn.div),
  pow: binary(nn.pow),
  maximum: binary(nn.maximum),
  minimum: binary(nn.minimum),
  eq: binary(nn.eq),
  ne: binary(nn.ne),
  lt: binary(nn.lt),
  le: binary(nn.le),
  gt: binary(nn.gt),
  ge: binary(nn.ge),
  logical_and: binary(nn.logicalAnd),
  logical_or: binary(nn.logicalOr),
  logical_xor: binary(nn.logicalXor),
  logical_not: unary(nn.logicalNot),
  isnan: unary(nn.isNaN),
  isfinite: unary(nn.isFinite),
  neg: unary(nn.neg),
  abs: unary(nn.abs),
  sign: unary(nn.sign),
  square: unary(nn.square),
  reciprocal: unary(nn.reciprocal),
  floor: unary(nn.floor),
  ceil: unary(nn.ceil),
  trunc: unary(nn.trunc),
  exp: unary(nn.exp),
  expm1: unary(nn.expm1),
  log: unary(nn.log),
  log1p: unary(nn.log1p),
  log2: unary(nn.log2),
  log10: unary(nn.log10),
  sqrt: unary(nn.sqrt),
  rsqrt: unary(nn.rsqrt),
  erf: unary(nn.erf),
  sin: unary(nn.sin),
  cos: unary(nn.cos),
  tan: unary(nn.tan),
  asin: unary(nn.asin),
  acos: unary(nn.acos),
  atan: unary(nn.atan),
  sinh: unary(nn.sinh),
  cosh: unary(nn.cosh),
  tanh: unary(nn.tanh),
  sigmoid: unary(nn.sigmoid),
  relu: unary(nn.relu),
  round: gives((args) => {
    args.only("decimals", 0);
    return ({ x }) => nn.round(x!);
  }),
  pow_scalar: gives((args) => {
    const exponent = args.get<number>("exponent");
    return ({ x }) => nn.pow(x!, exponent);
  }),
  remainder: gives((args) => {
    const divisor = args.get<number | undefined>("divisor", undefined);
    return ({ x, a, b }) => nn.mod((x ?? a)!, divisor ?? b!);
  }),
  clamp: gives((args) => {
    const [min, max] = [args.get<number | null>("min", null), args.get<number | null>("max", null)];
    return ({ x }) => nn.clamp(x!, min, max);
  }),
  where: gives(
    () =>
      ({ c, a, b }) =>
        nn.where(c!, a!, b!),
  ),
  masked_fill: gives((args) => {
    const value = args.get<number>("value");
    return ({ x, mask }) => nn.maskedFill(x!, mask!, value);
  }),
};

const reductions: Record<string, Builder> = {
  sum: reduction(nn.sum),
  mean: reduction(nn.mean),
  prod: reduction(nn.prod),
  amax: reduction(nn.max),
  amin: reduction(nn.min),
  any: reduction(nn.any),
  all: reduction(nn.all),
  logsumexp: reduction(nn.logSumExp),
  var: variance(nn.variance),
  var_biased: variance(nn.variance),
  std: variance(nn.std),
  norm1: norm(1),
  norm2: norm(2),
  norm_inf: norm(Number.POSITIVE_INFINITY),
  norm: reductionWith((args) => {
    const p = Number(`${args.get<number | string>("p", 2)}`.replace("inf", "Infinity"));
    return (x, axes, options) => nn.norm(x, axes, { ...options, p });
  }),
  argmax: position(nn.argmax),
  argmin: position(nn.argmin),
  max_dim: withIndex(nn.maxWithIndex),
  min_dim: withIndex(nn.minWithIndex),
  cumsum: along(nn.cumsum),
  cumprod: along(nn.cumprod),
  softmax: along(nn.softmax),
  log_softmax: along(nn.logSoftmax),
};

/** The inputs in the order of the file: a, b, c, … */
const inOrder = (c: GoldenCase, ins: Tensors): Tensor[] => [...tensorsOf(c, "in").keys()].map((name) => ins[name]!);

const products: Record<string, Builder> = {
  matmul: gives((_, c) => {
    // One case's matrices come transposed: "y = transpose(a) @ transpose(b)".
    const turn = (name: string) => (x: Tensor) => (c.note.includes(`transpose(${name})`) ? x.transpose() : x);
    return ({ a, b }) => nn.matmul(turn("a")(a!), turn("b")(b!));
  }),
  outer: binary((a, b) => nn.outer(a, b as Tensor)),
  cosine_similarity: gives((args) => {
    const options = args.options({ dim: "axis", eps: "eps" });
    return ({ a, b }) => cosineSimilarity(a!, b!, options);
  }),
  normalize: gives((args) => {
    const options = args.options({ p: "p", dim: "axis", eps: "eps" });
    return ({ x }) => normalize(x!, options);
  }),
  einsum: gives((args, c) => {
    const equation = args.get<string>("equation");
    return (ins) => nn.einsum(equation, ...inOrder(c, ins));
  }),
};

/** Small programs of several ops; their notes say what they are. */
const programs: Record<string, Builder> = {
  mse_reused_leaf: gives(
    () =>
      ({ x }) =>
        x!.mul(x!.exp()).add(x!.sum(0).div(x!.abs().add(1))),
  ),
  attention: gives((_, c) => {
    const divisor = /\/ *([\d.]+)\)/.exec(c.note)?.[1]; // softmax(q k^T / 2) v
    return ({ q, k, v }) => {
      const scores = nn.matmul(q!, k!.transpose()).div(divisor ? Number(divisor) : Math.sqrt(q!.shape.at(-1)!));
      return nn.matmul(scores.softmax(-1), v!);
    };
  }),
};

export const ops = familyOf({ ...pointwise, ...reductions, ...products, ...movement, ...images, ...programs });
