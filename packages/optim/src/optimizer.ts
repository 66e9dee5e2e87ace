// What all optimisers share: parameter groups, learning rates, state, minimize.

import { fail, scope, show, type Tensor, tensor, valueAndGrad, Variable, zeros } from "@nn/tensor";

/** Options every optimiser has. */
export interface OptimizerOptions {
  /** Learning rate. */
  readonly lr: number;
}

/** Parameters with options of their own; what is not given is as for the whole optimiser. */
export type ParameterGroup<O> = { readonly params: readonly Variable[] } & Partial<O>;

/** A group as the optimiser keeps it. */
export interface Group<O> {
  readonly params: readonly Variable[];
  readonly options: O;
  /** A Variable, so that schedules reach compiled steps. */
  readonly lr: Variable;
  /** Named state of each parameter, e.g. `exp_avg`. */
  readonly state: readonly Readonly<Record<string, Variable>>[];
}

/** A loss's gradients on their way to the update, e.g. to clip them. */
export interface MinimizeOptions {
  readonly transform?: (gradients: readonly Tensor[]) => readonly Tensor[];
}

/**
 * Base of all optimisers. Its state lives in Variables made here, so `step` and `minimize` work inside `compile`.
 * Updates are those of torch.optim.
 */
export abstract class Optimizer<O extends OptimizerOptions = OptimizerOptions> {
  readonly groups: readonly Group<O>[];
  /** Steps done, as an f32 scalar. */
  readonly #steps = new Variable(zeros([]), { trainable: false });

  /**
   * @param params Variables, or groups `{ params, …options }`
   * @throws if there are none, one is there twice, or one is no f32
   */
  constructor(params: readonly Variable[] | readonly ParameterGroup<O>[], options: O, stateNames: (options: O) => readonly string[]) {
    const name = this.constructor.name;
    const given = params.length > 0 && params[0] instanceof Variable ? [{ params: params as readonly Variable[] } as ParameterGroup<O>] : (params as readonly ParameterGroup<O>[]);
    const all = given.flatMap((g) => g.params);
    if (all.length === 0) fail({ op: name, expected: "at least one parameter", got: "none", hint: "Pass model.parameters()." });
    if (new Set(all).size !== all.length) fail({ op: name, expected: "each parameter once", got: "one of them twice" });
    for (const p of all) if (p.dtype !== "f32") fail({ op: name, expected: "f32 parameters", got: `${p.dtype} ${show(p.shape)}` });
    this.groups = given.map(({ params: list, ...own }) => {
      const merged: O = { ...options, ...own };
      this.check(merged);
      return {
        params: list,
        options: merged,
        lr: new Variable(tensor(merged.lr), { trainable: false }),
        state: list.map((p) => Object.fromEntries(stateNames(merged).map((s) => [s, new Variable(zeros(p.shape), { trainable: false })]))),
      };
    });
  }

  /** All parameters, group by group: the order of {@link step}'s gradients. */
  get parameters(): Variable[] {
    return this.groups.flatMap((g) => [...g.params]);
  }

  /** Learning rate of the first group; setting it sets that of all groups. Reads the device: not inside compile. */
  get lr(): number {
    return this.groups[0]!.lr.value.readSync()[0]!;
  }

  set lr(lr: number) {
    checkAtLeast(this.constructor.name, "lr", lr, 0);
    for (const g of this.groups) g.lr.value = tensor(lr);
  }

  /**
   * One update with given gradients.
   *
   * @throws if their number or shapes are not those of the parameters
   */
  step(gradients: readonly Tensor[]): void {
    const all = this.parameters;
    const wrong = all.findIndex((p, i) => show(p.shape) !== show(gradients[i]?.shape ?? []) || !gradients[i]);
    if (gradients.length !== all.length || wrong >= 0) {
      fail({
        op: `${this.constructor.name}.step`,
        expected: wrong >= 0 && gradients[wrong] ? `gradient ${wrong} ${show(all[wrong]!.shape)}` : `${all.length} gradients, in the order of the parameters`,
        got: wrong >= 0 && gradients[wrong] ? show(gradients[wrong]!.shape) : `${gradients.length}`,
      });
    }
    scope(() => {
      const t = this.#steps.value.add(1);
      this.#steps.value = t;
      let next = 0;
      for (const group of this.groups) {
        const own = group.params.map(() => gradients[next++]!);
        this.update(group, own, t);
      }
    });
  }

  /**
   * Computes the loss and its gradients in all parameters, updates them, and returns the loss (before the update).
   *
   * @param options.transform changes the gradients first, e.g. `(g) => clipGradNorm(g, 1).gradients`
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

  /** State by PyTorch's names: `state.0.exp_avg`, `state.0.step`, `param_groups.0.lr`. */
  stateDict(): Record<string, Tensor> {
    return Object.fromEntries([...this.#named()].map(([key, v]) => [key, v.value]));
  }

  /** Takes over a state dict. Nothing changes unless all of it fits. @throws naming every missing, unexpected or misshapen key */
  loadStateDict(state: Readonly<Record<string, Tensor>>): void {
    const mine = this.#named();
    const faults = [
      ...[...mine.keys()].filter((k) => !Object.hasOwn(state, k)).map((k) => `missing ${k}`),
      ...Object.keys(state).filter((k) => !mine.has(k)).map((k) => `unexpected ${k}`),
      ...[...mine].flatMap(([k, v]) => (Object.hasOwn(state, k) && show(state[k]!.shape) !== show(v.shape) ? [`${k}: expected ${show(v.shape)}, got ${show(state[k]!.shape)}`] : [])),
    ];
    if (faults.length > 0) fail({ op: `${this.constructor.name}.loadStateDict`, expected: "the state of this optimizer", got: faults.join("; "), hint: "Make it with the same parameters and options." });
    for (const [key, v] of mine) v.value = state[key]!;
  }

  /** Checks a group's options. */
  protected abstract check(options: O): void;

  /** Updates a group; `t` counts the steps from 1. */
  protected abstract update(group: Group<O>, gradients: readonly Tensor[], t: Tensor): void;

  #named(): Map<string, Variable> {
    const named = new Map<string, Variable>();
    let i = 0;
    for (const [g, group] of this.groups.entries()) {
      for (const state of group.state) {
        for (const [name, v] of Object.entries(state)) named.set(`state.${i}.${name}`, v);
        named.set(`state.${i}.step`, this.#steps);
        i++;
      }
      named.set(`param_groups.${g}.lr`, group.lr);
    }
    return named;
  }
}

/** A number of at least `least` (and less than `below`). */
export function checkAtLeast(op: string, name: string, value: number, least: number, below = Number.POSITIVE_INFINITY): void {
  if (!(value >= least && value < below)) {
    fail({ op, expected: `${name} ≥ ${least}${below === Number.POSITIVE_INFINITY ? "" : ` and < ${below}`}`, got: `${value}` });
  }
}

