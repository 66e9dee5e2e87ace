// Variable: the only mutable thing. A cell that holds a tensor of a fixed shape and dtype.

import { interpreter } from "./apply.js";
import type { Layout } from "./backend.js";
import { eager } from "./eager.js";
import { fail, show } from "./errors.js";
import { guarded } from "./guarded.js";
import { keep } from "./scope.js";
import type { DType, Spec } from "./spec.js";
import { sameShape } from "./spec.js";
import type { Tensor } from "./tensor.js";

/** How a Variable's value lies in memory: plain rows (`layout` null), or packed as a compiled step wants it. */
export interface HeldValue {
  readonly tensor: Tensor;
  readonly layout: Layout | null;
}

/**
 * A mutable cell: a parameter, running statistic, optimiser moment, or random state. Inside {@link compile}, reading
 * one makes it an input of the compiled step, and writing one an output, updated in place.
 *
 * @example
 * ```ts
 * const w = new Variable(randn([3, 4]));
 * w.value = w.value.mul(0.9);
 * ```
 */
export class Variable implements Spec {
  readonly shape: readonly number[];
  readonly dtype: DType;
  #trainable: boolean;
  #held: HeldValue | null = null;

  /**
   * @param initial its first value; the Variable keeps a copy of its own
   * @param options `trainable` (default true)
   */
  constructor(initial: Tensor, { trainable = true }: { trainable?: boolean } = {}) {
    this.shape = initial.shape;
    this.dtype = initial.dtype;
    this.#trainable = trainable;
    if (initial.symbol) {
      fail({
        op: "Variable",
        expected: "to be made outside compile()",
        got: "a traced value",
        hint: "Make modules and optimizers before it runs.",
      });
    }
    eager.write(this, initial);
  }

  /** Whether it counts among the parameters, and optimisers change it; see {@link freeze}. A compiled step follows. */
  get trainable(): boolean {
    return guarded(() => this.#trainable);
  }

  set trainable(on: boolean) {
    this.#trainable = on;
  }

  /** The value now. Assigning checks shape and dtype. */
  get value(): Tensor {
    return interpreter().read(this);
  }

  set value(next: Tensor) {
    if (!sameShape(next.shape, this.shape) || next.dtype !== this.dtype) {
      fail({
        op: "Variable",
        expected: `a value ${show(this.shape)} ${this.dtype}`,
        got: `${show(next.shape)} ${next.dtype}`,
        hint: "Make another for another shape or dtype.",
      });
    }
    interpreter().write(this, next);
  }

  /** @internal */
  get held(): HeldValue {
    return (
      this.#held ??
      fail({ op: "Variable", expected: "a live Variable", got: `one that was disposed ${show(this.shape)}` })
    );
  }

  /** @internal Takes over `tensor`, a handle of its own. */
  hold(tensor: Tensor, layout: Layout | null): void {
    const before = this.#held;
    this.#held = { tensor: keep(tensor), layout };
    before?.tensor.dispose();
  }

  /** Gives the memory back. Only for Variables no module or optimiser uses any more. */
  dispose(): void {
    this.#held?.tensor.dispose();
    this.#held = null;
  }
}
