// Groups: parameters that share options and a learning rate, and their state.

import { fail, getBackend, scope, show, type Tensor, tensor, Variable } from "@nn/tensor";
import { checkAtLeast } from "./check.js";

/** Options every optimiser has. */
export interface OptimizerOptions {
  /** Learning rate. */
  readonly lr: number;
}

/** Parameters with options of their own; what is not given is as for the whole optimiser. */
export type ParameterGroup<O> = { readonly params: readonly Variable[] } & Partial<O>;

/** What optimisers are made for: Variables, or groups of them. */
export type Params<O> = readonly Variable[] | readonly ParameterGroup<O>[];

/** State of one parameter: names, and how each begins. */
export type Slots = Readonly<Record<string, (parameter: Variable) => Tensor>>;

/** A group as the optimiser keeps it. */
export class Group<O extends OptimizerOptions> {
  /** All parameters, frozen ones too, each with its named state, e.g. `exp_avg`. */
  readonly all: readonly { readonly parameter: Variable; readonly state: Readonly<Record<string, Variable>> }[];
  /** With all defaults filled in. `lr` here is the first one. */
  readonly options: O;
  /** The learning rate as a scalar Variable: what compiled steps read. */
  readonly rate: Variable;
  /** Momentum, or Adam's β₁, as a scalar, once a schedule turns it: the option does not count then. */
  momentum: Variable | null = null;
  readonly #op: string;
  /** The number that was set, as `rate` has only 24 bits of it; and whether `rate` has come from elsewhere since. */
  #lr: number;
  #stale = false;

  /** @internal */
  constructor(op: string, params: readonly Variable[], options: O, slots: Slots) {
    this.#op = op;
    this.#lr = options.lr;
    this.options = options;
    const held = (initial: () => Tensor) => scope(() => new Variable(initial(), { trainable: false }));
    this.rate = held(() => tensor(options.lr));
    this.all = params.map((parameter) => ({
      parameter,
      state: Object.fromEntries(Object.entries(slots).map(([name, start]) => [name, held(() => start(parameter))])),
    }));
  }

  /** The parameters that are trainable now: what is updated. */
  get params(): readonly Variable[] {
    return this.#trainable().map(({ parameter }) => parameter);
  }

  /** The named state of each of {@link params}. */
  get state(): readonly Readonly<Record<string, Variable>>[] {
    return this.#trainable().map(({ state }) => state);
  }

  /** The learning rate now. Setting it reaches compiled steps, too; reading it inside compile is not possible. */
  get lr(): number {
    if (getBackend().readSync) {
      const now = scope(() => this.rate.value.readSync()[0]);
      return Math.fround(this.#lr) === now ? this.#lr : now;
    }
    if (!this.#stale) return this.#lr;
    return fail({
      op: `${this.#op}.lr`,
      expected: "a learning rate that was set as a number",
      got: "one from loadStateDict, which this backend cannot read at once",
      hint: "Read it with await optimizer.groups[0].rate.value.item(), or set it.",
    });
  }

  set lr(lr: number) {
    checkAtLeast(this.#op, "lr", lr, 0);
    this.#lr = lr;
    this.#stale = false;
    scope(() => {
      this.rate.value = tensor(lr);
    });
  }

  /** @internal The rate has come from elsewhere. */
  forgetRate(): void {
    this.#stale = true;
  }

  #trainable() {
    return this.all.filter(({ parameter }) => parameter.trainable);
  }
}

/** The groups that were meant; each parameter once, f32 and trainable. */
export function groupsOf<O>(op: string, params: Params<O>): ParameterGroup<O>[] {
  const list: readonly unknown[] = Array.isArray(params) ? params : [];
  const groups = (list[0] instanceof Variable ? [{ params: list }] : list) as ParameterGroup<O>[];
  const all = groups.flatMap((g) => (Array.isArray(g?.params) ? g.params : [null]));
  if (!Array.isArray(params) || !all.every((p) => p instanceof Variable)) {
    fail({
      op,
      expected: "an array of Variables, or of groups { params: Variable[], …options }",
      got: Array.isArray(params) ? "something else among them" : typeof params,
      hint: "Pass model.parameters().",
    });
  }
  if (all.length === 0) {
    fail({
      op,
      expected: "at least one parameter",
      got: "none",
      hint: "Pass model.parameters() of a model that has some.",
    });
  }
  if (new Set(all).size !== all.length) fail({ op, expected: "each parameter once", got: "one of them twice" });
  for (const p of all) {
    if (p.dtype !== "f32") fail({ op, expected: "f32 parameters", got: `${p.dtype} ${show(p.shape)}` });
    if (!p.trainable) {
      fail({
        op,
        expected: "trainable parameters",
        got: `a Variable ${show(p.shape)} with trainable = false`,
        hint: "Leave buffers out, as model.parameters() does. To freeze weights for a while, make the optimiser first.",
      });
    }
  }
  return groups;
}
