// Dropout: in training, zeros at random; single elements, or whole channels.

import { bernoulli, fail, type Generator, Module, scope, show, type Tensor } from "@nn/tensor";
import { checkProbability } from "./check.js";

/** What the layers share: a probability, and the identity in evaluation. */
abstract class DropoutBase extends Module {
  /**
   * @param p probability of a zero (default 0.5)
   * @param generator decides instead of the default one
   * @throws if p is not from 0 to 1
   */
  constructor(
    readonly p = 0.5,
    private readonly generator?: Generator,
  ) {
    super();
    checkProbability(this.constructor.name, "p", p);
  }

  protected abstract readonly drop: (x: Tensor, p: number, generator?: Generator) => Tensor;

  override forward(x: Tensor): Tensor {
    return this.training ? this.drop(x, this.p, this.generator) : x;
  }
}

/**
 * Sets elements to 0 with probability `p` in training and scales the others by 1/(1 − p); in evaluation the identity
 * (Srivastava et al., 2014; [torch.nn.Dropout](https://pytorch.org/docs/stable/generated/torch.nn.Dropout.html)).
 * The default generator decides, so `manualSeed` makes it repeatable.
 *
 * x of any shape → the same. No state.
 *
 * @example
 * ```ts
 * new Dropout(0.2).eval().forward(x); // x
 * ```
 */
export class Dropout extends DropoutBase {
  protected override readonly drop = dropout;
}

/**
 * {@link Dropout2d} over (N, C, L) or (C, L):
 * [torch.nn.Dropout1d](https://pytorch.org/docs/stable/generated/torch.nn.Dropout1d.html).
 *
 * @example
 * ```ts
 * new Dropout1d(0.2).forward(ones([2, 3, 4])); // each row of 4 all 0 or all 1.25
 * ```
 */
export class Dropout1d extends DropoutBase {
  protected override readonly drop = dropout1d;
}

/**
 * {@link Dropout} of whole channels: neighbouring positions are alike, so that zeros here and there would hide little
 * (Tompson et al., 2015; [torch.nn.Dropout2d](https://pytorch.org/docs/stable/generated/torch.nn.Dropout2d.html)).
 *
 * x (N, C, H, W), or, as in PyTorch, (N, C, L) → the same. No state.
 *
 * @example
 * ```ts
 * new Dropout2d(0.2).forward(ones([2, 3, 4, 4])); // each channel of each sample all 0 or all 1.25
 * ```
 */
export class Dropout2d extends DropoutBase {
  protected override readonly drop = dropout2d;
}

/**
 * {@link Dropout2d} over (N, C, D, H, W) or (C, D, H, W):
 * [torch.nn.Dropout3d](https://pytorch.org/docs/stable/generated/torch.nn.Dropout3d.html).
 *
 * @example
 * ```ts
 * new Dropout3d(0.2).forward(ones([2, 3, 4, 4, 4])); // each channel of each sample all 0 or all 1.25
 * ```
 */
export class Dropout3d extends DropoutBase {
  protected override readonly drop = dropout3d;
}

/**
 * Dropout that leaves mean 0 and variance 1 as they are, for networks of SELU: what is dropped becomes −1.758, the least
 * value of SELU (Klambauer et al., 2017;
 * [torch.nn.AlphaDropout](https://pytorch.org/docs/stable/generated/torch.nn.AlphaDropout.html)).
 *
 * x of any shape → the same. No state.
 *
 * @example
 * ```ts
 * new AlphaDropout(0.1).forward(randn([64, 256])); // mean 0 and variance 1, as before
 * ```
 */
export class AlphaDropout extends DropoutBase {
  protected override readonly drop = alphaDropout;
}

/**
 * {@link AlphaDropout} of whole channels:
 * [torch.nn.FeatureAlphaDropout](https://pytorch.org/docs/stable/generated/torch.nn.FeatureAlphaDropout.html).
 *
 * x (N, C, …) → the same. No state.
 *
 * @example
 * ```ts
 * new FeatureAlphaDropout(0.1).forward(randn([2, 16, 8, 8]));
 * ```
 */
export class FeatureAlphaDropout extends DropoutBase {
  protected override readonly drop = featureAlphaDropout;
}

/**
 * {@link Dropout} as a function: always drops, as
 * [torch.nn.functional.dropout](https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html).
 *
 * @example
 * ```ts
 * dropout(ones([4]), 0.5); // e.g. [2, 0, 0, 2]
 * ```
 */
export function dropout(x: Tensor, p = 0.5, generator?: Generator): Tensor {
  return scaled("dropout", x, p, x.shape, generator);
}

/** {@link Dropout1d} as a function: always drops. */
export function dropout1d(x: Tensor, p = 0.5, generator?: Generator): Tensor {
  return scaled("dropout1d", x, p, channels("dropout1d", x, { "N, C, L": 2, "C, L": 1 }), generator);
}

/** {@link Dropout2d} as a function: always drops. */
export function dropout2d(x: Tensor, p = 0.5, generator?: Generator): Tensor {
  return scaled("dropout2d", x, p, channels("dropout2d", x, { "N, C, H, W": 2, "N, C, L": 2 }), generator);
}

/** {@link Dropout3d} as a function: always drops. */
export function dropout3d(x: Tensor, p = 0.5, generator?: Generator): Tensor {
  return scaled("dropout3d", x, p, channels("dropout3d", x, { "N, C, D, H, W": 2, "C, D, H, W": 1 }), generator);
}

/** {@link AlphaDropout} as a function: always drops. */
export function alphaDropout(x: Tensor, p = 0.5, generator?: Generator): Tensor {
  return alpha("alphaDropout", x, p, x.shape, generator);
}

/** {@link FeatureAlphaDropout} as a function: always drops. */
export function featureAlphaDropout(x: Tensor, p = 0.5, generator?: Generator): Tensor {
  const op = "featureAlphaDropout";
  if (x.rank < 2) fail({ op, expected: "x (N, C, …)", got: show(x.shape) });
  return alpha(op, x, p, perAxes(x, 2), generator);
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** The shape of one decision per channel; `forms` says how many axes come before the positions in each allowed shape. */
function channels(op: string, x: Tensor, forms: Readonly<Record<string, number>>): number[] {
  for (const [form, kept] of Object.entries(forms)) if (form.split(",").length === x.rank) return perAxes(x, kept);
  return fail({ op, expected: `x (${Object.keys(forms).join(") or (")})`, got: show(x.shape) });
}

const perAxes = (x: Tensor, kept: number): number[] => x.shape.map((d, axis) => (axis < kept ? d : 1));

/** One decision for each element of `shape`, which broadcasts to x: 0 or 1/(1 − p) times. */
function scaled(op: string, x: Tensor, p: number, shape: readonly number[], generator?: Generator): Tensor {
  return decided(op, x, p, shape, generator, (kept) => x.mul(kept.mul(1 / (1 - p))));
}

/** Likewise for {@link AlphaDropout}. */
function alpha(op: string, x: Tensor, p: number, shape: readonly number[], generator?: Generator): Tensor {
  const least = 1.7580993408473766; // scale · alpha of SELU
  const a = 1 / Math.sqrt((least ** 2 * p + 1) * (1 - p));
  return decided(op, x, p, shape, generator, (kept) =>
    x
      .add(least)
      .mul(kept.mul(a))
      .add(a * least * (p - 1)),
  );
}

function decided(
  op: string,
  x: Tensor,
  p: number,
  shape: readonly number[],
  generator: Generator | undefined,
  body: (kept: Tensor) => Tensor,
): Tensor {
  checkProbability(op, "p", p);
  if (p === 0) return x;
  if (p === 1) return x.mul(0);
  return scope(() => body(bernoulli(1 - p, shape, generator ? { generator } : {})));
}
