// Initial values of parameters, as torch.nn.init: https://pytorch.org/docs/stable/nn.init.html
// Each gives a new tensor of a shape (out, in, kernel…), to be written into a parameter.

import { fail, full, type Random, rand, randn, scope, show, type Tensor } from "@nn/tensor";
import { checkChoice, checkNumber } from "./check.js";
import { dirac, eye, orthogonal, sparse, truncNormal } from "./init-structured.js";

/** Which side of a weight counts: its inputs or its outputs. */
export type Fan = "fanIn" | "fanOut";

/** What {@link calculateGain} knows. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

/**
 * Inputs and outputs of one unit: `in · kernel` and `out · kernel` of a shape (out, in, kernel…).
 *
 * @throws if the shape has fewer than two axes
 * @example
 * ```ts
 * fanInAndFanOut([16, 3, 5, 5]); // { fanIn: 75, fanOut: 400 }
 * ```
 */
export function fanInAndFanOut(shape: readonly number[]): { fanIn: number; fanOut: number } {
  if (shape.length < 2) {
    fail({ op: "init", expected: "a shape with at least two axes (out, in, …)", got: show(shape) });
  }
  const field = shape.slice(2).reduce((a, b) => a * b, 1);
  return { fanIn: shape[1] * field, fanOut: shape[0] * field };
}

/**
 * The factor that keeps variances alike through a nonlinearity, as
 * [torch.nn.init.calculate_gain](https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.calculate_gain).
 *
 * @param slope leakyRelu's slope (default 0.01); the others have none
 * @throws if it does not know the nonlinearity
 */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
  const gains: Record<Nonlinearity, number> = {
    linear: 1,
    sigmoid: 1,
    tanh: 5 / 3,
    relu: Math.SQRT2,
    leakyRelu: Math.sqrt(2 / (1 + slope * slope)),
    selu: 0.75,
  };
  checkChoice("calculateGain", "nonlinearity", nonlinearity, Object.keys(gains) as Nonlinearity[]);
  return gains[nonlinearity];
}

/**
 * Uniform from `low` to `high`.
 *
 * @example
 * ```ts
 * layer.weight.value = init.uniform(layer.weight.shape, -0.1, 0.1);
 * ```
 */
export function uniform(shape: readonly number[], low = 0, high = 1, options: Random = {}): Tensor {
  checkNumber("init.uniform", "low", low);
  checkNumber("init.uniform", "high", high, low);
  return scope(() =>
    rand(shape, options)
      .mul(high - low)
      .add(low),
  );
}

/** Normal with the given mean (default 0) and standard deviation (default 1). */
export function normal(shape: readonly number[], mean = 0, std = 1, options: Random = {}): Tensor {
  checkNumber("init.normal", "mean", mean);
  checkNumber("init.normal", "std", std, 0);
  return scope(() => randn(shape, options).mul(std).add(mean));
}

/** One value everywhere. */
export function constant(shape: readonly number[], value: number): Tensor {
  return full(shape, value);
}

/** Zeros everywhere. */
export function zeros(shape: readonly number[]): Tensor {
  return full(shape, 0);
}

/** Ones everywhere. */
export function ones(shape: readonly number[]): Tensor {
  return full(shape, 1);
}

/** Options of {@link xavierUniform} and {@link xavierNormal}. */
export interface XavierOptions extends Random {
  /** See {@link calculateGain} (default 1). */
  readonly gain?: number;
}

/** Bound of {@link xavierUniform}: `gain · √(6 / (fanIn + fanOut))` (Glorot and Bengio, 2010). */
export function xavierBound(shape: readonly number[], gain = 1): number {
  return Math.sqrt(3) * xavierStd(shape, gain);
}

/** Standard deviation of {@link xavierNormal}: `gain · √(2 / (fanIn + fanOut))`. */
export function xavierStd(shape: readonly number[], gain = 1): number {
  const { fanIn, fanOut } = fanInAndFanOut(shape);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

/**
 * Uniform on ±{@link xavierBound}, for tanh and sigmoid; as
 * [torch.nn.init.xavier_uniform_](https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.xavier_uniform_).
 *
 * @example
 * ```ts
 * layer.weight.value = init.xavierUniform(layer.weight.shape, { gain: init.calculateGain("tanh") });
 * ```
 */
export function xavierUniform(shape: readonly number[], { gain = 1, ...options }: XavierOptions = {}): Tensor {
  const bound = xavierBound(shape, gain);
  return uniform(shape, -bound, bound, options);
}

/** Normal with standard deviation {@link xavierStd}; else as {@link xavierUniform}. */
export function xavierNormal(shape: readonly number[], { gain = 1, ...options }: XavierOptions = {}): Tensor {
  return normal(shape, 0, xavierStd(shape, gain), options);
}

/** Options of {@link kaimingUniform} and {@link kaimingNormal}. */
export interface KaimingOptions extends Random {
  /** Keep variances going forward ("fanIn", the default) or backward ("fanOut"). */
  readonly mode?: Fan;
  /** What follows the layer (default "leakyRelu"). */
  readonly nonlinearity?: Nonlinearity;
  /** Slope of leakyRelu (default 0, which is relu). */
  readonly a?: number;
}

/** Standard deviation of {@link kaimingNormal}: `gain / √fan` (He et al., 2015). */
export function kaimingStd(
  shape: readonly number[],
  { mode = "fanIn", nonlinearity = "leakyRelu", a = 0 }: KaimingOptions = {},
): number {
  checkChoice("init.kaiming", "mode", mode, ["fanIn", "fanOut"]);
  return calculateGain(nonlinearity, a) / Math.sqrt(fanInAndFanOut(shape)[mode]);
}

/** Bound of {@link kaimingUniform}: `√3` standard deviations. */
export function kaimingBound(shape: readonly number[], options: KaimingOptions = {}): number {
  return Math.sqrt(3) * kaimingStd(shape, options);
}

/**
 * Uniform on ±{@link kaimingBound}, for relu and its like; as
 * [torch.nn.init.kaiming_uniform_](https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.kaiming_uniform_).
 *
 * @example
 * ```ts
 * layer.weight.value = init.kaimingUniform(layer.weight.shape, { nonlinearity: "relu" });
 * ```
 */
export function kaimingUniform(shape: readonly number[], options: KaimingOptions = {}): Tensor {
  const bound = kaimingBound(shape, options);
  return uniform(shape, -bound, bound, options);
}

/** Normal with standard deviation {@link kaimingStd}; else as {@link kaimingUniform}. */
export function kaimingNormal(shape: readonly number[], options: KaimingOptions = {}): Tensor {
  return normal(shape, 0, kaimingStd(shape, options), options);
}

/**
 * The bound PyTorch gives weight and bias of linear and convolution layers: `1 / √fanIn`, which is kaimingUniform with
 * a = √5.
 */
export function defaultBound(shape: readonly number[]): number {
  const { fanIn } = fanInAndFanOut(shape);
  return fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
}

/** All of them. An object and not `export * as`, so that bundles hold it only where it is used. */
export const init = {
  fanInAndFanOut,
  calculateGain,
  uniform,
  normal,
  constant,
  zeros,
  ones,
  xavierBound,
  xavierStd,
  xavierUniform,
  xavierNormal,
  kaimingStd,
  kaimingBound,
  kaimingUniform,
  kaimingNormal,
  defaultBound,
  truncNormal,
  orthogonal,
  eye,
  dirac,
  sparse,
};
