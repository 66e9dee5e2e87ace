// Mixture density networks: the negative log likelihood of a mixture of Gaussians that a network gives.

import {
  exp,
  fail,
  logSoftmax,
  logSumExp,
  Module,
  scope,
  show,
  softplus,
  split,
  square,
  type Tensor,
  unsqueeze,
} from "@nn/tensor";
import { checkCount } from "../check.js";
import { checkReduction, type LossOptions, reduced } from "./reduction.js";

/** A mixture of K Gaussians over D numbers, at each position of the leading axes. */
export interface Mixture {
  /** (…, K): the weights of the components are their softmax. */
  readonly logits: Tensor;
  /** (…, K, D) */
  readonly means: Tensor;
  /** (…, K, D): logarithms of the standard deviations. */
  readonly logStds: Tensor;
  /** (…, K), with D = 2: the components' correlations are their tanh. Omitted: all are 0. */
  readonly correlations?: Tensor;
}

/**
 * `−log Σₖ πₖ·N(t; μₖ, σₖ)`: Gaussians with a variance per number (Bishop, "Mixture density networks", 1994), or, for
 * pairs (D = 2), with correlations, too (Graves, "Generating sequences with recurrent neural networks", 2013, eq. 23–26, for
 * handwriting). All in logarithms, so that targets far from every mean do no harm.
 *
 * @param target (…, D)
 * @returns a scalar, or with reduction "none" (…)
 * @throws if the shapes do not fit
 * @example
 * ```ts
 * const mixture = mixtureOf(head.forward(h), 5, 2); // head = new Linear(64, 5 * (1 + 2 * 2))
 * mdn(mixture, target);
 * ```
 */
export function mdn(mixture: Mixture, target: Tensor, { reduction = "mean" }: LossOptions = {}): Tensor {
  checkReduction("mdn", reduction);
  checkShapes(mixture, target);
  const { logits, means, logStds, correlations } = mixture;
  return scope(() => {
    const z = unsqueeze(target, -2).sub(means).mul(exp(logStds.neg()));
    const inside = correlations ? correlated(z, correlations) : square(z).sum(-1).mul(-0.5);
    const logDensities = inside.sub(logStds.sum(-1)).sub(0.5 * Math.log(2 * Math.PI) * target.shape.at(-1)!);
    return reduced(logSumExp(logSoftmax(logits).add(logDensities), -1).neg(), reduction);
  });
}

/** Options of {@link mixtureOf}. */
export interface MixtureOptions {
  /** Whether there are correlations, of D = 2 numbers (default false). */
  readonly correlated?: boolean;
}

/**
 * Cuts a network's output (…, K·(1 + 2·D)), or (…, K·(2 + 2·D)) with correlations, into the parts of a {@link Mixture}:
 * logits, means, logarithms of standard deviations, correlations.
 *
 * @throws if the last axis does not fit
 * @example
 * ```ts
 * mixtureOf(randn([4, 15]), 3, 2).means.shape; // [4, 3, 2]
 * ```
 */
export function mixtureOf(
  output: Tensor,
  components: number,
  size: number,
  { correlated = false }: MixtureOptions = {},
): Mixture {
  const parts = partsOf("mixtureOf", components, size, correlated);
  const wanted = parts.reduce((a, b) => a + b);
  if (output.shape.at(-1) !== wanted)
    fail({ op: "mixtureOf", expected: `output (…, ${wanted})`, got: show(output.shape) });
  const [logits, means, logStds, correlations] = split(output, parts, -1);
  const rows = (t: Tensor) => t.reshape([...output.shape.slice(0, -1), components, size]);
  return { logits, means: rows(means), logStds: rows(logStds), ...(correlations ? { correlations } : {}) };
}

/** Options of {@link MDNLoss}. */
export interface MDNLossOptions extends LossOptions, MixtureOptions {}

/**
 * {@link mdn} of a network's output, cut by {@link mixtureOf}, as a module.
 *
 * @example
 * ```ts
 * const loss = new MDNLoss(5, 2);
 * const head = new Linear(64, loss.outputSize);
 * loss.forward(head.forward(h), target);
 * ```
 */
export class MDNLoss extends Module {
  /** How many numbers the network is to give: K·(1 + 2·D), or K·(2 + 2·D) with correlations. */
  readonly outputSize: number;

  /**
   * @param components K
   * @param size D, numbers in a target
   * @throws if a number is not whole and ≥ 1, or there are correlations and D is not 2
   */
  constructor(
    readonly components: number,
    readonly size: number,
    private readonly options: MDNLossOptions = {},
  ) {
    super();
    checkReduction("MDNLoss", options.reduction ?? "mean");
    this.outputSize = partsOf("MDNLoss", components, size, options.correlated ?? false).reduce((a, b) => a + b);
  }

  /** @param output (…, outputSize) @param target (…, D) */
  override forward(output: Tensor, target: Tensor): Tensor {
    return scope(() => mdn(mixtureOf(output, this.components, this.size, this.options), target, this.options));
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * `−½·zᵀ·R⁻¹·z − ½·log det R` for a correlation ρ = tanh(r), with z turned to the axes where R is diagonal: there
 * 1/(1 ± ρ) = ½·(1 + e^∓2r), which no rounding makes infinite, and ½·log(1 − ρ²) = log 2 − r − softplus(−2r).
 */
function correlated(z: Tensor, r: Tensor): Tensor {
  const [a, b] = [z.select(-1, 0), z.select(-1, 1)];
  const along = (t: Tensor, sign: number) => square(t).mul(exp(r.mul(sign)).add(1));
  const quadratic = along(a.add(b), -2).add(along(a.sub(b), 2));
  return quadratic
    .mul(-0.125)
    .add(r)
    .add(softplus(r.mul(-2)))
    .sub(Math.LN2);
}

function partsOf(op: string, components: number, size: number, correlated: boolean): number[] {
  checkCount(op, "components", components);
  checkCount(op, "size", size);
  if (correlated && size !== 2) fail({ op, expected: "size 2, as there are correlations", got: `${size}` });
  return [components, components * size, components * size, ...(correlated ? [components] : [])];
}

function checkShapes({ logits, means, logStds, correlations }: Mixture, target: Tensor): void {
  const [weights, size] = [logits.shape, target.shape.at(-1)];
  const whole = show([...weights, size ?? 0]);
  const fits =
    size !== undefined &&
    weights.length === target.rank &&
    show(weights.slice(0, -1)) === show(target.shape.slice(0, -1)) &&
    show(means.shape) === whole &&
    show(logStds.shape) === whole &&
    (!correlations || (size === 2 && show(correlations.shape) === show(weights)));
  if (fits) return;
  fail({
    op: "mdn",
    expected: "logits (…, K), means and logStds (…, K, D), correlations (…, K) with D = 2 if any, and target (…, D)",
    got: [logits, means, logStds, ...(correlations ? [correlations] : []), target].map((t) => show(t.shape)).join(", "),
  });
}
