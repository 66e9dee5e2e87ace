// What all optimisers share: parameter groups, learning rates, state, minimize.

import {
  fail,
  readState,
  type StateDict,
  sameShape,
  scope,
  show,
  type Tensor,
  Variable,
  valueAndGrad,
  writeState,
  zeros,
} from "@nn/tensor";
import { Group, groupsOf, type OptimizerOptions, type Params, type Slots } from "./group.js";

/** A loss's gradients on their way to the update, e.g. to clip them. */
export interface MinimizeOptions {
  readonly transform?: (gradients: readonly Tensor[]) => readonly Tensor[];
}

/**
 * Base of all optimisers. Its state lives in Variables made here, so `step` and `minimize` work inside `compile`.
 * Updates are those of [torch.optim](https://pytorch.org/docs/stable/optim.html).
 *
 * `O` is the type of the options with all defaults filled in. To write an optimiser, say what its options must be
 * ({@link check}), what it keeps of each parameter ({@link slots}), and how it updates a group ({@link update}).
 */
export abstract class Optimizer<O extends OptimizerOptions = OptimizerOptions> {
  /** The parameters with their learning rates and state: `optimizer.groups[1].lr = 1e-4`. */
  readonly groups: readonly Group<O>[];
  /** @internal Steps done, as an f32 scalar. */
  readonly steps = scope(() => new Variable(zeros([]), { trainable: false }));

  /**
   * @param params Variables, or groups `{ params, …options }`
   * @param options of all groups that do not say otherwise
   * @param defaults for what neither says
   * @throws if there are no parameters, one is there twice, is not f32 or not trainable, or an option is out of range
   */
  constructor(params: Params<O>, options: Partial<O>, defaults: Partial<O>) {
    const name = this.constructor.name;
    this.groups = groupsOf(name, params).map(({ params: list, ...own }) => {
      const merged = { ...defaults, ...defined(options), ...defined(own) } as unknown as O;
      this.check(merged);
      return new Group(name, [...list], merged, this.slots(merged));
    });
  }

  /** All parameters but frozen ones, group by group: the order of {@link step}'s gradients. */
  get parameters(): Variable[] {
    return this.groups.flatMap((g) => [...g.params]);
  }

  /**
   * Learning rate of the first group; setting it sets that of all groups. Compiled steps use the new one. Set and read
   * it outside of compile.
   */
  get lr(): number {
    return this.groups[0].lr;
  }

  set lr(lr: number) {
    for (const g of this.groups) g.lr = lr;
  }

  /**
   * One update with given gradients, in the order of {@link parameters}.
   *
   * @throws if their number or shapes are not those of the parameters
   * @example
   * ```ts
   * const [loss, gradients] = valueAndGrad(() => mse(model.forward(x), y), optimizer.parameters);
   * optimizer.step(gradients);
   * ```
   */
  step(gradients: readonly Tensor[]): void {
    this.#check(gradients);
    scope(() => {
      const t = this.steps.value.add(1);
      this.steps.value = t;
      let next = 0;
      for (const group of this.groups) {
        const own = gradients.slice(next, (next += group.params.length));
        this.update(group, own, t);
      }
    });
  }

  /**
   * Computes the loss and its gradients in all parameters, updates them, and returns the loss (from before the update).
   *
   * @param loss computes a scalar from the parameters; what else it makes is freed
   * @param options.transform changes the gradients first, e.g. `(g) => clipGradNorm(g, 1).gradients`
   * @throws if the loss is not a scalar
   * @example
   * ```ts
   * const step = compile((x, y) => optimizer.minimize(() => crossEntropy(model.forward(x), y)));
   * ```
   */
  minimize(loss: () => Tensor, { transform }: MinimizeOptions = {}): Tensor {
    return scope(() => {
      const [value, gradients] = valueAndGrad(loss, this.parameters);
      this.step(transform ? transform(gradients) : gradients);
      return value;
    });
  }

  /**
   * State by PyTorch's names: `state.0.exp_avg`, `state.0.step` (the same number for all parameters),
   * `param_groups.0.lr`. The other options are not in it: they are those of the constructor.
   */
  stateDict(): Record<string, Tensor> {
    return readState(this.#named());
  }

  /**
   * Takes over a state dict of an optimiser with the same parameters. Nothing changes unless all of it fits.
   *
   * @throws naming every missing, unexpected or misshapen key
   */
  loadStateDict(state: StateDict): void {
    const { name } = this.constructor;
    writeState(
      { name, kind: "optimizer", hint: "Make it with the same parameters and options." },
      this.#named(),
      state,
    );
    for (const g of this.groups) g.forgetRate();
  }

  /** Checks a group's options. Called by the constructor: it cannot use the subclass's fields. */
  protected abstract check(options: O): void;

  /** The state of each parameter of a group. Called by the constructor: it cannot use the subclass's fields. */
  protected abstract slots(options: O): Slots;

  /** Updates a group; `t` counts the steps from 1, as an f32 scalar. */
  protected abstract update(group: Group<O>, gradients: readonly Tensor[], t: Tensor): void;

  #check(gradients: readonly Tensor[]): void {
    const all = this.parameters;
    const op = `${this.constructor.name}.step`;
    if (gradients.length !== all.length) {
      fail({
        op,
        expected: `${all.length} gradients, in the order of the parameters`,
        got: `${gradients.length}`,
        hint: "Differentiate in optimizer.parameters.",
      });
    }
    for (const [i, p] of all.entries()) {
      if (sameShape(p.shape, gradients[i].shape)) continue;
      fail({ op, expected: `gradient ${i} ${show(p.shape)}`, got: show(gradients[i].shape) });
    }
  }

  #named(): Map<string, Variable> {
    const named = new Map<string, Variable>();
    let i = 0;
    for (const [g, group] of this.groups.entries()) {
      for (const { state } of group.all) {
        for (const [name, v] of Object.entries(state)) named.set(`state.${i}.${name}`, v);
        named.set(`state.${i}.step`, this.steps);
        i++;
      }
      named.set(`param_groups.${g}.lr`, group.rate);
    }
    return named;
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Without the fields that are undefined: they are as good as not given. */
function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)) as Partial<T>;
}
