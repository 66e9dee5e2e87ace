// Schedules made of schedules: SequentialLR, ChainedScheduler.

import { fail } from "@nn/tensor";
import { type AnyOptimizer, initialLr, LRScheduler, type ScheduleState } from "./scheduler.js";

/** Options of {@link SequentialLR}. */
export interface SequentialLROptions {
  readonly schedulers: readonly LRScheduler[];
  /** At which step each but the first begins, rising. */
  readonly milestones: readonly number[];
}

/**
 * One schedule after the other, each from its own step 0, as
 * [SequentialLR](https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html).
 *
 * @example
 * ```ts
 * const warmUp = new LinearLR(optimizer, { startFactor: 0.1, totalIters: 5 });
 * const cosine = new CosineAnnealingLR(optimizer, { tMax: 45 });
 * new SequentialLR(optimizer, { schedulers: [warmUp, cosine], milestones: [5] });
 * ```
 */
export class SequentialLR extends LRScheduler {
  readonly #schedulers: readonly LRScheduler[];
  readonly #milestones: readonly number[];

  /** @throws if a schedule is of another optimiser, or the milestones are not one less and rising */
  constructor(optimizer: AnyOptimizer, { schedulers, milestones }: SequentialLROptions) {
    super(optimizer);
    const op = "SequentialLR";
    checkSame(op, schedulers, optimizer);
    if (milestones.length !== schedulers.length - 1 || milestones.some((m, i) => !(m > (milestones[i - 1] ?? 0)))) {
      fail({ op, expected: `${schedulers.length - 1} rising milestones`, got: JSON.stringify(milestones) });
    }
    this.#schedulers = schedulers;
    this.#milestones = milestones;
    // What making the schedules did is undone, and only the first begins.
    for (const group of optimizer.groups) group.lr = initialLr(group);
    for (const s of schedulers) s.lastEpoch = -1;
    this.begin();
  }

  override step(): void {
    this.lastEpoch++;
    const current = this.#schedulers[this.#milestones.filter((m) => m <= this.lastEpoch).length];
    if (this.#milestones.includes(this.lastEpoch)) current.restart();
    else current.step();
  }
  override restart(): void {
    this.lastEpoch = -1;
    for (const s of this.#schedulers) s.lastEpoch = -1;
    this.set((_, base) => base);
    this.step();
  }
  override stateDict(): ScheduleState {
    return {
      ...super.stateDict(),
      _milestones: this.#milestones,
      _schedulers: this.#schedulers.map((s) => s.stateDict()),
    };
  }
  override loadStateDict(state: ScheduleState): void {
    loadEach("SequentialLR", this.#schedulers, state);
    super.loadStateDict(state);
  }
  protected override next(lr: number): number {
    return lr;
  }
}

/**
 * Several schedules at once: each changes what the one before it has left, as
 * [ChainedScheduler](https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ChainedScheduler.html).
 *
 * @example
 * ```ts
 * new ChainedScheduler([new ConstantLR(optimizer), new ExponentialLR(optimizer, { gamma: 0.9 })]);
 * ```
 */
export class ChainedScheduler extends LRScheduler {
  readonly #schedulers: readonly LRScheduler[];

  /** @throws if there are none, or of different optimisers */
  constructor(schedulers: readonly LRScheduler[]) {
    checkSame("ChainedScheduler", schedulers, schedulers[0]?.optimizer);
    super(schedulers[0].optimizer);
    this.#schedulers = schedulers;
    this.lastEpoch = 0; // theirs have begun
  }

  override step(): void {
    this.lastEpoch++;
    for (const s of this.#schedulers) s.step();
  }
  override restart(): void {
    this.lastEpoch = 0;
    this.set((_, base) => base);
    for (const s of this.#schedulers) {
      s.lastEpoch = -1;
      s.step();
    }
  }
  override stateDict(): ScheduleState {
    return { ...super.stateDict(), _schedulers: this.#schedulers.map((s) => s.stateDict()) };
  }
  override loadStateDict(state: ScheduleState): void {
    loadEach("ChainedScheduler", this.#schedulers, state);
    super.loadStateDict(state);
  }
  protected override next(lr: number): number {
    return lr;
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function checkSame(op: string, schedulers: readonly LRScheduler[], optimizer: AnyOptimizer | undefined): void {
  if (schedulers.length === 0) fail({ op, expected: "at least one schedule", got: "none" });
  if (schedulers.some((s) => s.optimizer !== optimizer)) {
    fail({ op, expected: "schedules of one optimiser", got: "one of another" });
  }
}

function loadEach(op: string, schedulers: readonly LRScheduler[], state: ScheduleState): void {
  const states = state["_schedulers"];
  if (!Array.isArray(states) || states.length !== schedulers.length) {
    fail({ op: `${op}.loadStateDict`, expected: `_schedulers with ${schedulers.length} states`, got: typeof states });
  }
  for (const [i, s] of schedulers.entries()) s.loadStateDict((states as ScheduleState[])[i]);
}
