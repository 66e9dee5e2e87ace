// Averages of weights over training: ExponentialMovingAverage, and AveragedModel for stochastic weight averaging.

import { fail, isFrozen, Module, scope, type Tensor, Variable, where, zeros } from "@nn/tensor";
import { checkAtLeast } from "./check.js";

/** How an average goes on: from the average, the value now, and how many there were before (an i32 scalar). */
export type AverageFn = (average: Tensor, value: Tensor, count: Tensor) => Tensor;

/** Options of {@link AveragedModel}. */
export interface AveragedModelOptions {
  /** Default: the mean of all, each counting the same. */
  readonly avgFn?: AverageFn;
  /** Whether running statistics are averaged, too (default false): else those of the model are used. */
  readonly useBuffers?: boolean;
}

/** A model: what it computes is up to it. */
type Model = Module & { forward(...args: never[]): unknown };

/**
 * Averages of a model's weights (Izmailov et al., 2018), as
 * [torch.optim.swa_utils.AveragedModel](https://pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema). It holds
 * the averages, and not a second model: {@link forward} computes with them, and puts the model's own weights back.
 *
 * State: `n_averaged`, and the averages under the model's keys, `module.fc.weight`. All of it works inside `compile`.
 *
 * @example
 * ```ts
 * const averaged = new AveragedModel(model);
 * const step = compile((x, y) => {
 *   const loss = optimizer.minimize(() => mse(model.forward(x), y));
 *   averaged.updateParameters();
 *   return loss;
 * });
 * averaged.forward(x); // with the averages
 * averaged.copyTo(model); // for good
 * ```
 */
export class AveragedModel<M extends Model = Model> extends Module {
  readonly #model: M;
  readonly #avgFn: AverageFn;
  readonly #averages: ReadonlyMap<string, Variable>;
  readonly n_averaged: Variable;

  /** @throws if the model has nothing to average */
  constructor(model: M, { avgFn = equally, useBuffers = false }: AveragedModelOptions = {}) {
    super();
    this.#model = model;
    this.#avgFn = avgFn;
    const chosen = [...model.namedVariables()].filter(
      ([, v]) => v.dtype === "f32" && (useBuffers || v.trainable || isFrozen(v)),
    );
    if (chosen.length === 0) fail({ op: "AveragedModel", expected: "a model with parameters", got: "one without" });
    this.#averages = new Map(
      chosen.map(([name, v]) => [name, scope(() => new Variable(v.value, { trainable: false }))] as const),
    );
    this.n_averaged = scope(() => new Variable(zeros([], { dtype: "i32" }), { trainable: false }));
  }

  /** Takes the weights of the model, as they are now, into the averages; the first time they are taken over. */
  updateParameters(): void {
    scope(() => {
      const count = this.n_averaged.value;
      const first = count.eq(0);
      for (const [average, own] of this.#pairs(this.#model)) {
        const value = own.value;
        average.value = where(first, value, this.#avgFn(average.value, value, count));
      }
      this.n_averaged.value = count.add(1);
    });
  }

  /** What the model computes with the averages for weights. */
  override forward(...args: Parameters<M["forward"]>): ReturnType<M["forward"]> {
    return this.use(() => this.#model.forward(...args) as ReturnType<M["forward"]>);
  }

  /** Runs a function while the model has the averages for weights, e.g. to evaluate or save it. Not for async ones. */
  use<T>(f: () => T): T {
    return scope(() => {
      const pairs = [...this.#pairs(this.#model)];
      const own = pairs.map(([, v]) => v.value);
      for (const [average, v] of pairs) v.value = average.value;
      try {
        return f();
      } finally {
        for (const [i, [, v]] of pairs.entries()) v.value = own[i];
      }
    }) as T;
  }

  /** Gives a model the averages for good: the model itself, or one of the same kind. */
  copyTo(model: M = this.#model): void {
    scope(() => {
      for (const [average, v] of this.#pairs(model)) v.value = average.value;
    });
  }

  protected override entries(): Iterable<readonly [string, unknown]> {
    return [["n_averaged", this.n_averaged], ...[...this.#averages].map(([name, v]) => [`module.${name}`, v] as const)];
  }

  /** Each average with the Variable of a model that it is of. */
  *#pairs(model: M): Generator<readonly [Variable, Variable]> {
    const named = model.namedVariables();
    for (const [name, average] of this.#averages) {
      const v = named.get(name);
      if (!v) fail({ op: "AveragedModel", expected: `a model with ${name}`, got: model.constructor.name });
      yield [average, v!];
    }
  }
}

/**
 * {@link AveragedModel} that forgets: `average ← decay · average + (1 − decay) · value`, as with PyTorch's
 * `get_ema_multi_avg_fn`.
 *
 * @example
 * ```ts
 * const ema = new ExponentialMovingAverage(model, { decay: 0.99 });
 * ema.updateParameters(); // after each step
 * ema.use(() => evaluate(model));
 * ```
 */
export class ExponentialMovingAverage<M extends Model = Model> extends AveragedModel<M> {
  /**
   * @param options.decay default 0.999
   * @throws if decay is not from 0 to 1
   */
  constructor(model: M, { decay = 0.999, ...options }: { decay?: number; useBuffers?: boolean } = {}) {
    checkAtLeast("ExponentialMovingAverage", "decay", decay, 0, 1 + Number.EPSILON);
    super(model, { ...options, avgFn: (average, value) => average.mul(decay).add(value.mul(1 - decay)) });
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

const equally: AverageFn = (average, value, count) => average.add(value.sub(average).div(count.add(1)));
