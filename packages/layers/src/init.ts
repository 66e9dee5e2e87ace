// Initial values of parameters, as torch.nn.init: https://pytorch.org/docs/stable/nn.init.html
// Each gives a new tensor of a shape (out, in, kernel…).

import { fail, full, type Random, rand, randn, show, type Tensor } from "@nn/tensor";

export type Fan = "fanIn" | "fanOut";
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

/** Inputs and outputs of one unit: `in · kernel` and `out · kernel` of a shape (out, in, kernel…). */
export function fanInAndFanOut(shape: readonly number[]): { fanIn: number; fanOut: number } {
  if (shape.length < 2) fail({ op: "init", expected: "a shape with at least two axes (out, in, …)", got: show(shape) });
  const field = shape.slice(2).reduce((a, b) => a * b, 1);
  return { fanIn: shape[1]! * field, fanOut: shape[0]! * field };
}

/** The factor that keeps variances alike through a nonlinearity; `slope` is leakyRelu's. */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
  const gains = { linear: 1, sigmoid: 1, tanh: 5 / 3, relu: Math.SQRT2, leakyRelu: Math.sqrt(2 / (1 + slope * slope)), selu: 0.75 };
  return gains[nonlinearity] ?? fail({ op: "calculateGain", expected: Object.keys(gains).join(", "), got: `${nonlinearity}` });
}

/** Uniform between `low` and `high`. */
export function uniform(shape: readonly number[], low = 0, high = 1, options: Random = {}): Tensor {
  return rand(shape, options).mul(high - low).add(low);
}

/** Normal with the given mean and standard deviation. */
export function normal(shape: readonly number[], mean = 0, std = 1, options: Random = {}): Tensor {
  return randn(shape, options).mul(std).add(mean);
}

/** One value everywhere. */
export function constant(shape: readonly number[], value: number): Tensor {
  return full(shape, value);
}

/** Bound of {@link xavierUniform}: `gain · √(6 / (fanIn + fanOut))` (Glorot and Bengio, 2010). */
export function xavierBound(shape: readonly number[], gain = 1): number {
  return Math.sqrt(3) * xavierStd(shape, gain);
}

/** Standard deviation of {@link xavierNormal}. */
export function xavierStd(shape: readonly number[], gain = 1): number {
  const { fanIn, fanOut } = fanInAndFanOut(shape);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

export function xavierUniform(shape: readonly number[], { gain = 1, ...options }: Random & { gain?: number } = {}): Tensor {
  const bound = xavierBound(shape, gain);
  return uniform(shape, -bound, bound, options);
}

export function xavierNormal(shape: readonly number[], { gain = 1, ...options }: Random & { gain?: number } = {}): Tensor {
  return normal(shape, 0, xavierStd(shape, gain), options);
}

export interface KaimingOptions extends Random {
  /** Keep variances going forward ("fanIn", the default) or backward ("fanOut"). */
  readonly mode?: Fan;
  /** Default "leakyRelu". */
  readonly nonlinearity?: Nonlinearity;
  /** Slope of leakyRelu (default 0, which is relu). */
  readonly a?: number;
}

/** Standard deviation of {@link kaimingNormal}: `gain / √fan` (He et al., 2015). */
export function kaimingStd(shape: readonly number[], { mode = "fanIn", nonlinearity = "leakyRelu", a = 0 }: KaimingOptions = {}): number {
  return calculateGain(nonlinearity, a) / Math.sqrt(fanInAndFanOut(shape)[mode]);
}

/** Bound of {@link kaimingUniform}: `√3` standard deviations. */
export function kaimingBound(shape: readonly number[], options: KaimingOptions = {}): number {
  return Math.sqrt(3) * kaimingStd(shape, options);
}

export function kaimingUniform(shape: readonly number[], options: KaimingOptions = {}): Tensor {
  const bound = kaimingBound(shape, options);
  return uniform(shape, -bound, bound, options);
}

export function kaimingNormal(shape: readonly number[], options: KaimingOptions = {}): Tensor {
  return normal(shape, 0, kaimingStd(shape, options), options);
}

/** The bound PyTorch gives weight and bias of linear and convolution layers: `1 / √fanIn`, which is kaimingUniform with a = √5. */
export function defaultBound(shape: readonly number[]): number {
  const { fanIn } = fanInAndFanOut(shape);
  return fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
}
