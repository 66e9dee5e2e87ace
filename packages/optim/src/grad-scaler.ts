// Loss scaling: keeps small gradients from vanishing in f16, and passes over steps whose gradients overflow.

import {
  all,
  fail,
  full,
  ge,
  isFinite,
  keep,
  scope,
  stack,
  type Tensor,
  Variable,
  valueAndGrad,
  where,
  zeros,
} from "@nn/tensor";
import { checkAtLeast, checkSteps } from "./check.js";
import type { MinimizeOptions, Optimizer } from "./optimizer.js";

/** Options of {@link GradScaler}. */
export interface GradScalerOptions {
  /** The first scale (default 65536). */
  readonly initScale?: number;
  /** By what the scale grows after `growthInterval` good steps in a row (default 2). */
  readonly growthFactor?: number;
  /** By what it is multiplied after a step with an infinity or NaN (default 0.5). */
  readonly backoffFactor?: number;
  /** Good steps in a row before it grows (default 2000). */
  readonly growthInterval?: number;
}

/**
 * Dynamic loss scaling, as [torch.amp.GradScaler](https://pytorch.org/docs/stable/amp.html#gradient-scaling): the loss is multiplied by a
 * scale and its gradients are divided by it. A step with a gradient that is not finite changes nothing in parameters and
 * optimiser, and makes the scale smaller; many good steps in a row make it larger. All is decided on the device, so it
 * works inside `compile`, and nothing is read.
 *
 * @example
 * ```ts
 * const scaler = new GradScaler();
 * const step = compile((x, y) => scaler.minimize(optimizer, () => crossEntropy(model.forward(x), y)));
 * ```
 */
export class GradScaler {
  /** By what losses are multiplied now, an f32 scalar. */
  readonly #scale: Variable;
  /** Good steps in a row, an i32 scalar. */
  readonly #tracker: Variable;
  readonly #options: Required<GradScalerOptions>;

  /** @throws if initScale ≤ 0, growthFactor ≤ 1, backoffFactor is not between 0 and 1, or growthInterval is no whole number ≥ 1 */
  constructor({
    initScale = 65536,
    growthFactor = 2,
    backoffFactor = 0.5,
    growthInterval = 2000,
  }: GradScalerOptions = {}) {
    const op = "GradScaler";
    checkAtLeast(op, "growthFactor", growthFactor, 1 + Number.EPSILON);
    checkAtLeast(op, "backoffFactor", backoffFactor, Number.MIN_VALUE, 1);
    checkAtLeast(op, "initScale", initScale, Number.MIN_VALUE);
    checkSteps(op, "growthInterval", growthInterval);
    this.#options = { initScale, growthFactor, backoffFactor, growthInterval };
    this.#scale = scope(() => new Variable(full([], initScale), { trainable: false }));
    this.#tracker = scope(() => new Variable(zeros([], { dtype: "i32" }), { trainable: false }));
  }

  /** The scale now, an f32 scalar: PyTorch's `get_scale()`. */
  getScale(): Tensor {
    return this.#scale.value;
  }

  /** A loss times the scale, to be differentiated for {@link step}. */
  scale(loss: Tensor): Tensor {
    return loss.mul(this.#scale.value);
  }

  /**
   * Divides gradients of a scaled loss by the scale, and updates by them if all are finite; then the scale follows. It is PyTorch's
   * `unscale_`, `step` and `update` in one.
   *
   * @param gradients in the order of `optimizer.parameters`
   * @param options.transform changes the gradients after they were divided, e.g. clips them
   */
  step(optimizer: Optimizer<any>, gradients: readonly Tensor[], { transform }: MinimizeOptions = {}): void {
    scope(() => {
      const [scale, tracker] = [this.#scale.value, this.#tracker.value];
      const inverse = scale.reciprocal();
      const unscaled = gradients.map((g) => g.mul(inverse));
      const good = all(stack(unscaled.map((g) => all(isFinite(g)))));
      const before = changing(optimizer).map((v) => [v, v.value] as const);
      optimizer.step(transform ? transform(unscaled) : unscaled);
      for (const [v, old] of before) v.value = where(good, v.value, old);
      const { growthFactor, backoffFactor, growthInterval } = this.#options;
      const next = tracker.add(1);
      const grows = ge(next, growthInterval);
      const grown = scale.mul(growthFactor);
      const larger = where(isFinite(grown), grown, scale);
      this.#scale.value = where(good, where(grows, larger, scale), scale.mul(backoffFactor));
      this.#tracker.value = where(good, where(grows, 0, next), 0);
    });
  }

  /**
   * As {@link Optimizer.minimize}, by the gradients of the scaled loss.
   *
   * @returns the loss, not scaled
   */
  minimize(optimizer: Optimizer<any>, loss: () => Tensor, options: MinimizeOptions = {}): Tensor {
    return scope(() => {
      let value: Tensor | undefined;
      const [, gradients] = valueAndGrad(() => {
        value = keep(loss()); // beyond the scope of the tape
        return this.scale(value);
      }, optimizer.parameters);
      this.step(optimizer, gradients, options);
      const result = value!.mul(1);
      value!.dispose();
      return result;
    });
  }

  /** State by PyTorch's names: `scale`, and `_growth_tracker`, the good steps in a row. */
  stateDict(): Record<string, Tensor> {
    return { scale: this.#scale.value, _growth_tracker: this.#tracker.value };
  }

  /** @throws if a key is missing, or of another shape or dtype */
  loadStateDict(state: Readonly<Record<string, Tensor>>): void {
    const { scale, _growth_tracker } = state;
    if (!scale || !_growth_tracker)
      fail({
        op: "GradScaler.loadStateDict",
        expected: "scale and _growth_tracker",
        got: Object.keys(state).join(", ") || "nothing",
      });
    if (scale!.shape.length > 0 || _growth_tracker!.shape.length > 0)
      fail({ op: "GradScaler.loadStateDict", expected: "scalars", got: "other shapes" });
    scope(() => {
      this.#scale.value = scale!.cast("f32");
      this.#tracker.value = _growth_tracker!.cast("i32");
    });
  }
}

/** What a step of an optimiser may change. */
function changing({ steps, groups }: Optimizer<any>): Variable[] {
  return [steps, ...groups.flatMap((g) => [...g.params, ...g.state.flatMap((s) => Object.values(s))])];
}
