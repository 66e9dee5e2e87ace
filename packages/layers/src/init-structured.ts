// Initial values whose elements are not drawn one by one: identities, orthogonal and sparse matrices; and cut-off normal ones.

import { add, fail, full, eye as identity, type Random, rand, randn, scope, show, sort, type Tensor, where } from "@nn/tensor"; // biome-ignore format: a line
import { checkNumber, checkProbability } from "./check.js";

/** Options of {@link truncNormal}. */
export interface TruncNormalOptions extends Random {
  /** Of the normal distribution before it is cut off (default 0). */
  readonly mean?: number;
  /** Of that, too (default 1). */
  readonly std?: number;
  /** Least value (default −2), not a multiple of `std`. */
  readonly a?: number;
  /** Greatest value (default 2). */
  readonly b?: number;
}

/**
 * Normal, but only values from a to b, as [trunc_normal_](https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.trunc_normal_).
 *
 * @throws if std is not above 0, or a is not below b
 */
export function truncNormal(shape: readonly number[], options: TruncNormalOptions = {}): Tensor {
  const { mean = 0, std = 1, a = -2, b = 2, ...random } = options;
  checkNumber("init.truncNormal", "mean", mean);
  if (!(std > 0)) fail({ op: "init.truncNormal", expected: "std > 0", got: `${std}` });
  if (!(a < b)) fail({ op: "init.truncNormal", expected: "a < b", got: `a ${a}, b ${b}` });
  // The normal distribution's inverse at uniform places of the part that is kept.
  const [low, high] = [a, b].map((x) => erf((x - mean) / (std * Math.SQRT2)));
  return scope(() => {
    const place = rand(shape, random)
      .mul(high! - low!)
      .add(low!);
    return inverseErf(place)
      .mul(std * Math.SQRT2)
      .add(mean)
      .clamp(a, b);
  });
}

/** Options of {@link orthogonal}. */
export interface OrthogonalOptions extends Random {
  /** A factor (default 1). */
  readonly gain?: number;
}

/**
 * A random orthogonal matrix (Saxe et al., 2014), every one as likely as another, as
 * [orthogonal_](https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.orthogonal_): the rows of (out, all the rest) have length `gain` and stand
 * at right angles, or if there are more rows than columns, the columns do.
 *
 * @throws if the shape has fewer than two axes
 * @example
 * ```ts
 * layer.weight.value = init.orthogonal(layer.weight.shape, { gain: Math.SQRT2 });
 * ```
 */
export function orthogonal(shape: readonly number[], { gain = 1, ...random }: OrthogonalOptions = {}): Tensor {
  if (shape.length < 2) fail({ op: "init.orthogonal", expected: "a shape with at least two axes", got: show(shape) });
  checkNumber("init.orthogonal", "gain", gain);
  return scope(() => {
    const normal = randn(shape, random).reshape([shape[0]!, -1]);
    const tall = normal.shape[0]! > normal.shape[1]!;
    const wide = tall ? normal.transpose() : normal;
    // U·Vᵀ of the matrix U·S·Vᵀ, by Newton and Schulz: singular values below √3 go to 1, small ones half as large again in each step.
    let x = wide.div(wide.square().sum().sqrt());
    for (let i = 0; i < 50; i++) x = x.mul(1.5).sub(x.matmul(x.transpose()).matmul(x).mul(0.5));
    return (tall ? x.transpose() : x).reshape(shape).mul(gain);
  });
}

/**
 * Ones where row and column are the same, else zeros, as [eye_](https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.eye_).
 *
 * @throws if the shape has not two axes
 */
export function eye(shape: readonly number[]): Tensor {
  if (shape.length !== 2) fail({ op: "init.eye", expected: "a shape (rows, columns)", got: show(shape) });
  return identity(shape[0]!, shape[1]);
}

/**
 * A convolution's weights (out, in, kernel…) that leave as many channels as possible as they are, in each of `groups` (default 1) parts of the outputs,
 * as [dirac_](https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.dirac_).
 *
 * @throws if the shape has not three to five axes, or groups do not divide the outputs
 */
export function dirac(shape: readonly number[], { groups = 1 }: { readonly groups?: number } = {}): Tensor {
  if (shape.length < 3 || shape.length > 5) {
    fail({ op: "init.dirac", expected: "a shape (out, in, kernel…) of three to five axes", got: show(shape) });
  }
  const [out, inputs, ...kernel] = shape as [number, number, ...number[]];
  if (!Number.isInteger(groups) || groups < 1 || out % groups !== 0) {
    fail({ op: "init.dirac", expected: `groups that divide ${out} outputs`, got: `${groups}` });
  }
  return scope(() => {
    const channels = identity(out / groups, inputs).reshape([1, out / groups, inputs, ...kernel.map(() => 1)]);
    const middle = kernel.reduce(
      (product, size, axis) => {
        const line = identity(size).select(0, Math.floor(size / 2));
        return product.mul(line.reshape(kernel.map((_, k) => (k === axis ? size : 1))));
      },
      full(
        kernel.map(() => 1),
        1,
      ),
    );
    return channels
      .mul(middle)
      .expand([groups, out / groups, inputs, ...kernel])
      .reshape(shape);
  });
}

/** Options of {@link sparse}. */
export interface SparseOptions extends Random {
  /** Of the other elements (default 0.01). */
  readonly std?: number;
}

/**
 * Normal with mean 0, but this share of every column is 0 (Martens, 2010), rounded up, as
 * [sparse_](https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.sparse_).
 *
 * @throws if the shape has not two axes, or the share is not from 0 to 1
 */
export function sparse(
  shape: readonly number[],
  sparsity: number,
  { std = 0.01, ...random }: SparseOptions = {},
): Tensor {
  if (shape.length !== 2) fail({ op: "init.sparse", expected: "a shape (rows, columns)", got: show(shape) });
  checkProbability("init.sparse", "sparsity", sparsity);
  checkNumber("init.sparse", "std", std, 0);
  const zeros = Math.ceil(sparsity * shape[0]!);
  return scope(() => {
    const normal = randn(shape, random).mul(std);
    if (zeros === 0) return normal;
    const dice = rand(shape, random);
    const least = sort(dice, { axis: 0 }).values.slice([[zeros - 1, zeros]]); // of each column
    return where(dice.le(least), 0, normal);
  });
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** The error function, to about 1e-15: its series, or where that is long its continued fraction. */
function erf(x: number): number {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 2.5) {
    let [term, sum] = [z, z];
    for (let n = 1; n < 80; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 80; n > 0; n--) fraction = n / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction));
}

/** Its inverse by Giles (2010), "Approximating the erfinv function", single precision: about 1e-6 of the value. */
function inverseErf(x: Tensor): Tensor {
  const w = x.neg().add(1).mul(x.add(1)).log().neg();
  const polynomial = (at: Tensor, coefficients: readonly number[]) =>
    coefficients.slice(1).reduce((sum, c) => add(sum.mul(at), c), full([], coefficients[0]!));
  const middle = polynomial(w.sub(2.5), [
    2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
    0.246640727, 1.50140941,
  ]); // biome-ignore format: a table
  const ends = polynomial(w.sqrt().sub(3), [
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
    1.00167406, 2.83297682,
  ]); // biome-ignore format: a table
  return where(w.lt(5), middle, ends).mul(x);
}
