// Schedules that go up and down, and may turn the momentum the other way: CyclicLR, OneCycleLR.

import { fail, scope, tensor, Variable } from "@nn/tensor";
import { checkAtLeast, checkSteps } from "../check.js";
import type { Group } from "../group.js";
import { type AnyOptimizer, LRScheduler, perGroup, type ScheduleState } from "./scheduler.js";

/** Options of {@link CyclicLR}. Numbers per group may be arrays. */
export interface CyclicLROptions {
  /** Least learning rate. */
  readonly baseLr: number | readonly number[];
  /** Greatest learning rate of the first cycle. */
  readonly maxLr: number | readonly number[];
  /** Steps up (default 2000). */
  readonly stepSizeUp?: number;
  /** Steps down (default: as many as up). */
  readonly stepSizeDown?: number;
  /** Whether cycles stay as high (the default), become half as high each time, or lower by `gamma` at each step. */
  readonly mode?: "triangular" | "triangular2" | "exp_range";
  /** For "exp_range" (default 1). */
  readonly gamma?: number;
  /** Instead of a mode: the height as a function of the cycle (from 1), or with `scaleMode` "iterations" of the step. */
  readonly scaleFn?: (x: number) => number;
  /** What `scaleFn` is given (default "cycle"). */
  readonly scaleMode?: "cycle" | "iterations";
  /** Whether to turn the momentum, or Adam's β₁, against the learning rate (default true). */
  readonly cycleMomentum?: boolean;
  /** Default 0.8. */
  readonly baseMomentum?: number | readonly number[];
  /** Default 0.9. */
  readonly maxMomentum?: number | readonly number[];
}

/**
 * Up and down in triangles, as
 * [CyclicLR](https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CyclicLR.html) (Smith, 2017). Step it after
 * every batch. With `cycleMomentum`, make it before the first compiled step.
 *
 * @example
 * ```ts
 * new CyclicLR(optimizer, { baseLr: 0.001, maxLr: 0.01, stepSizeUp: 500, cycleMomentum: false });
 * ```
 */
export class CyclicLR extends LRScheduler {
  readonly #options: CyclicLROptions;
  readonly #max: readonly number[];
  readonly #momenta: Momenta | null;
  readonly #total: number;
  readonly #rising: number;

  /** @throws if an option is out of range, or the optimiser has no momentum to cycle */
  constructor(optimizer: AnyOptimizer, options: CyclicLROptions) {
    super(optimizer, perGroup("CyclicLR", "baseLr", optimizer, options.baseLr));
    const { stepSizeUp = 2000, stepSizeDown = stepSizeUp, mode = "triangular", cycleMomentum = true } = options;
    this.#options = options;
    this.#max = perGroup("CyclicLR", "maxLr", optimizer, options.maxLr);
    this.#total =
      checkSteps("CyclicLR", "stepSizeUp", stepSizeUp) + checkSteps("CyclicLR", "stepSizeDown", stepSizeDown);
    this.#rising = stepSizeUp / this.#total;
    if (mode !== "triangular" && mode !== "triangular2" && mode !== "exp_range") {
      fail({ op: "CyclicLR", expected: 'mode "triangular" or "triangular2" or "exp_range"', got: `"${mode}"` });
    }
    this.#momenta = cycleMomentum ? momentaOf("CyclicLR", optimizer, options, 0.8, 0.9) : null;
    this.begin();
  }
  protected override next(_: number, base: number, group: number): number {
    const cycle = Math.floor(1 + this.lastEpoch / this.#total);
    const x = 1 + this.lastEpoch / this.#total - cycle;
    const up = x <= this.#rising ? x / this.#rising : (x - 1) / (this.#rising - 1);
    const height = up * this.#height(cycle);
    this.#momenta?.set(group, ({ base, max }) => max - (max - base) * height);
    return base + (this.#max[group] - base) * height;
  }
  override loadStateDict(state: ScheduleState): void {
    super.loadStateDict(state);
    this.set((lr, base, group) => this.next(lr, base, group)); // for the momentum
  }

  #height(cycle: number): number {
    const { mode = "triangular", gamma = 1, scaleFn, scaleMode = "cycle" } = this.#options;
    if (scaleFn) return scaleFn(scaleMode === "cycle" ? cycle : this.lastEpoch);
    return mode === "triangular" ? 1 : mode === "triangular2" ? 1 / 2 ** (cycle - 1) : gamma ** this.lastEpoch;
  }
}

/** Options of {@link OneCycleLR}. Numbers per group may be arrays. */
export interface OneCycleLROptions {
  /** Greatest learning rate. */
  readonly maxLr: number | readonly number[];
  /** Steps of the whole cycle; or `epochs` and `stepsPerEpoch`. */
  readonly totalSteps?: number;
  readonly epochs?: number;
  readonly stepsPerEpoch?: number;
  /** Share of the steps that go up (default 0.3). */
  readonly pctStart?: number;
  /** Along a cosine (the default) or a line. */
  readonly annealStrategy?: "cos" | "linear";
  /** Whether to turn the momentum, or Adam's β₁, against the learning rate (default true). */
  readonly cycleMomentum?: boolean;
  /** Default 0.85. */
  readonly baseMomentum?: number | readonly number[];
  /** Default 0.95. */
  readonly maxMomentum?: number | readonly number[];
  /** The first learning rate is `maxLr / divFactor` (default 25). */
  readonly divFactor?: number;
  /** The last is the first divided by this (default 10,000). */
  readonly finalDivFactor?: number;
  /** Whether to come down as one went up, and only then to the last (default false). */
  readonly threePhase?: boolean;
}

/**
 * Up to `maxLr` and down to nearly 0, once, as
 * [OneCycleLR](https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html) (Smith and Topin, 2018).
 * Step it after every batch, the last one too: `totalSteps` times in all. With `cycleMomentum`, make it before the first compiled step.
 *
 * @example
 * ```ts
 * new OneCycleLR(optimizer, { maxLr: 0.1, epochs: 10, stepsPerEpoch: 200 });
 * ```
 */
export class OneCycleLR extends LRScheduler {
  readonly #max: readonly number[];
  readonly #last: number;
  readonly #momenta: Momenta | null;
  readonly #linear: boolean;
  readonly #total: number;
  /** Where phases end, and what they go to: the learning rate and the momentum. */
  readonly #phases: readonly { readonly end: number; readonly to: "max" | "first" | "last"; readonly fast: boolean }[];

  /** @throws if an option is missing or out of range, or the optimiser has no momentum to cycle */
  constructor(optimizer: AnyOptimizer, options: OneCycleLROptions) {
    const { maxLr, divFactor = 25, finalDivFactor = 1e4, pctStart = 0.3, cycleMomentum = true } = options;
    const max = perGroup("OneCycleLR", "maxLr", optimizer, maxLr);
    checkAtLeast("OneCycleLR", "pctStart", pctStart, 0, 1 + Number.EPSILON);
    super(
      optimizer,
      max.map((lr) => lr / divFactor),
    );
    this.#max = max;
    this.#last = 1 / finalDivFactor;
    this.#linear = options.annealStrategy === "linear";
    const total = options.totalSteps ?? (options.epochs ?? 0) * (options.stepsPerEpoch ?? 0);
    this.#total = checkSteps("OneCycleLR", "totalSteps, or epochs · stepsPerEpoch,", total);
    const top = pctStart * total - 1;
    const end = { end: total - 1, to: "last", fast: false } as const;
    this.#phases = options.threePhase
      ? [{ end: top, to: "max", fast: true }, { end: 2 * top, to: "first", fast: false }, end]
      : [{ end: top, to: "max", fast: true }, end];
    this.#momenta = cycleMomentum ? momentaOf("OneCycleLR", optimizer, options, 0.85, 0.95) : null;
    this.begin();
  }

  /** @throws if all steps are done */
  override step(): void {
    if (this.lastEpoch >= this.#total) {
      fail({ op: "OneCycleLR.step", expected: `at most ${this.#total} steps`, got: "one more" });
    }
    super.step();
  }
  protected override next(_: number, first: number, group: number): number {
    const rates = { first, max: this.#max[group], last: first * this.#last };
    const i = Math.max(
      0,
      this.#phases.findIndex(({ end }) => this.lastEpoch <= end),
    );
    const at = this.lastEpoch > this.#phases.at(-1)!.end ? this.#phases.length - 1 : i;
    const { end, to, fast } = this.#phases[at];
    const { end: start, to: from, fast: wasFast } = this.#phases[at - 1] ?? { end: 0, to: "first", fast: false };
    const done = (this.lastEpoch - start) / (end - start);
    this.#momenta?.set(group, ({ base, max }) => this.#between(wasFast ? base : max, fast ? base : max, done));
    return this.#between(rates[from], rates[to], done);
  }
  override loadStateDict(state: ScheduleState): void {
    super.loadStateDict(state);
    this.set((lr, base, group) => this.next(lr, base, group)); // for the momentum
  }

  #between(from: number, to: number, done: number): number {
    // After the last step, which nobody uses, PyTorch's line goes on below 0.
    return this.#linear
      ? (to - from) * Math.min(done, 1) + from
      : to + ((from - to) / 2) * (1 + Math.cos(Math.PI * done));
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** The bounds of the groups' momenta, and what sets one. */
interface Momenta {
  set(group: number, f: (bounds: { base: number; max: number }) => number): void;
}

function momentaOf(
  op: string,
  optimizer: AnyOptimizer,
  given: Pick<CyclicLROptions, "baseMomentum" | "maxMomentum">,
  low: number,
  high: number,
): Momenta {
  const base = perGroup(op, "baseMomentum", optimizer, given.baseMomentum ?? low);
  const max = perGroup(op, "maxMomentum", optimizer, given.maxMomentum ?? high);
  const groups: readonly Group<any>[] = optimizer.groups;
  if (!groups.every(({ options }) => options.momentum > 0 || options.betas)) {
    fail({
      op,
      expected: "an optimiser with momentum or betas",
      got: optimizer.constructor.name,
      hint: "Give it some, or pass cycleMomentum: false.",
    });
  }
  return {
    set(i, f) {
      const group = groups[i];
      scope(() => {
        const value = tensor(f({ base: base[i], max: max[i] }));
        if (group.momentum) group.momentum.value = value;
        else group.momentum = new Variable(value, { trainable: false });
      });
    },
  };
}
