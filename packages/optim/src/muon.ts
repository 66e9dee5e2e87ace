// Muon: momentum whose directions all count the same.

import { fail, maximum, norm, show, type Tensor, zerosLike } from "@nn/tensor";
import { checkAtLeast, checkCommon } from "./check.js";
import { blend, directed } from "./formulas.js";
import type { Group, OptimizerOptions, Params, Slots } from "./group.js";
import { Optimizer } from "./optimizer.js";

/** Options of {@link Muon}. */
export interface MuonOptions extends Partial<OptimizerOptions> {
  /** Learning rate (default 1e-3). */
  readonly lr?: number;
  /** Decoupled decay (default 0.1). */
  readonly weightDecay?: number;
  /** How slowly the mean of the gradient forgets (default 0.95). */
  readonly momentum?: number;
  /** Look ahead along the momentum (default true). */
  readonly nesterov?: boolean;
  /** a, b and c of the Newton–Schulz step `a·X + (b·XXᵀ + c·(XXᵀ)²)·X` (default 3.4445, −4.7750, 2.0315). */
  readonly nsCoefficients?: readonly [number, number, number];
  /** Newton–Schulz steps (default 5). */
  readonly nsSteps?: number;
  /** The least norm to divide by (default 1e-7). */
  readonly eps?: number;
  /**
   * How the learning rate follows the shape (A, B): "original" times √max(1, A/B) (the default), "match_rms_adamw"
   * times 0.2·√max(A, B), so that AdamW's learning rates fit.
   */
  readonly adjustLrFn?: "original" | "match_rms_adamw";
  /** Climb instead of descend (default false). */
  readonly maximize?: boolean;
}

/**
 * Momentum made orthogonal: `p ← p·(1 − lr·weightDecay) − lr·UVᵀ`, where `U·S·Vᵀ` is the mean of the gradients, as
 * [torch.optim.Muon](https://pytorch.org/docs/stable/generated/torch.optim.Muon.html)
 * ([Jordan, 2024](https://kellerjordan.github.io/posts/muon/)), but in f32. For the matrices of hidden layers; filters count
 * as (out, all the rest). Biases, embeddings and the last layer are for AdamW.
 *
 * State of each parameter: `momentum_buffer`.
 *
 * @example
 * ```ts
 * const matrices = model.parameters().filter((p) => p.shape.length >= 2);
 * const muon = new Muon(matrices, { lr: 0.02 });
 * ```
 */
export class Muon extends Optimizer<Required<MuonOptions>> {
  /** @throws also if a parameter has fewer than two axes */
  constructor(params: Params<MuonOptions>, options: MuonOptions = {}) {
    super(params, options, {
      lr: 1e-3,
      weightDecay: 0.1,
      momentum: 0.95,
      nesterov: true,
      nsCoefficients: [3.4445, -4.775, 2.0315],
      nsSteps: 5,
      eps: 1e-7,
      adjustLrFn: "original",
      maximize: false,
    });
    const vector = this.parameters.find((p) => p.shape.length < 2);
    if (vector) {
      fail({
        op: "Muon",
        expected: "parameters with two axes or more",
        got: show(vector.shape),
        hint: "Give biases and norms to AdamW.",
      });
    }
  }

  protected override check(options: Required<MuonOptions>): void {
    checkCommon("Muon", options);
    checkAtLeast("Muon", "momentum", options.momentum, 0, 1);
    checkAtLeast("Muon", "nsSteps", options.nsSteps, 1, 100);
    checkAtLeast("Muon", "eps", options.eps, 0);
    const { adjustLrFn: adjust } = options;
    if (adjust !== "original" && adjust !== "match_rms_adamw") {
      fail({ op: "Muon", expected: 'adjustLrFn "original" or "match_rms_adamw"', got: `"${adjust}"` });
    }
  }

  protected override slots(): Slots {
    return { momentum_buffer: zerosLike };
  }

  protected override update(
    { params, options, rate, state, momentum: turned }: Group<Required<MuonOptions>>,
    gradients: readonly Tensor[],
  ): void {
    const { weightDecay, maximize, nesterov, adjustLrFn } = options;
    const momentum = turned?.value ?? options.momentum;
    for (const [i, p] of params.entries()) {
      const { momentum_buffer } = state[i];
      const value = p.value;
      const g = directed(gradients[i], value, { maximize, weightDecay: 0 });
      const m = blend(momentum_buffer.value, g, momentum);
      momentum_buffer.value = m;
      const update = nesterov ? blend(m, g, momentum) : m;
      const direction = orthogonal(update.reshape([p.shape[0], -1]), options);
      const [rows, columns] = direction.shape as readonly [number, number];
      const scale =
        adjustLrFn === "original" ? Math.sqrt(Math.max(1, rows / columns)) : 0.2 * Math.sqrt(Math.max(rows, columns));
      const decayed = weightDecay === 0 ? value : value.mul(rate.value.mul(-weightDecay).add(1));
      p.value = decayed.sub(direction.reshape(p.shape).mul(rate.value.mul(scale)));
    }
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** About `UVᵀ` of `x = U·S·Vᵀ`: singular values come near 1, from about 0.7 to 1.2, by a polynomial of odd powers. */
function orthogonal(x: Tensor, { nsSteps, nsCoefficients: [a, b, c], eps }: Required<MuonOptions>): Tensor {
  const tall = x.shape[0] > x.shape[1];
  const wide = tall ? x.transpose() : x;
  let y = wide.div(maximum(norm(wide), eps));
  for (let i = 0; i < nsSteps; i++) {
    const gram = y.matmul(y.transpose());
    y = y.mul(a).add(gram.mul(b).add(gram.matmul(gram).mul(c)).matmul(y));
  }
  return tall ? y.transpose() : y;
}
