// What all schedules share: they count steps, and set the learning rates of an optimiser's groups.

import { fail } from "@nn/tensor";
import type { Group } from "../group.js";
import type { Optimizer } from "../optimizer.js";

/** An optimiser of any kind. */
export type AnyOptimizer = Optimizer<any>;

/** State of a schedule under PyTorch's names: plain numbers, which JSON holds exactly. */
export interface ScheduleState {
  readonly last_epoch: number;
  readonly _last_lr: readonly number[];
  readonly [more: string]: unknown;
}

/**
 * Base of the schedules, as [torch.optim.lr_scheduler](https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate).
 * Call {@link step} after the optimiser's steps, once per epoch or per step, as the numbers are meant. Learning rates are
 * Variables: compiled steps follow them without tracing anew.
 *
 * To write one, say what a learning rate becomes ({@link next}), and call {@link begin} at the end of the constructor.
 */
export abstract class LRScheduler {
  /** How many steps were done. */
  lastEpoch = -1;
  /** What the learning rates of the groups were, when the optimiser's first schedule was made. */
  readonly baseLrs: readonly number[];
  readonly optimizer: AnyOptimizer;

  /** @param initial what the learning rates are to begin with, if that is not what they are */
  constructor(optimizer: AnyOptimizer, initial?: readonly number[]) {
    this.optimizer = optimizer;
    this.baseLrs = optimizer.groups.map((group, i) => initialLr(group, initial?.[i]));
  }

  /** Goes on by one: sets the learning rate of every group. */
  step(): void {
    this.lastEpoch++;
    this.set((lr, base, i) => this.next(lr, base, i));
  }

  /** The learning rates of the groups that were set last. */
  getLastLr(): number[] {
    return this.optimizer.groups.map((g) => g.lr);
  }

  /** Under PyTorch's names; options are not in it: they are those of the constructor. */
  stateDict(): ScheduleState {
    return { last_epoch: this.lastEpoch, base_lrs: this.baseLrs, _last_lr: this.getLastLr() };
  }

  /**
   * Takes over a state, and sets the learning rates to those in it.
   *
   * @throws if it is not of a schedule of as many groups
   */
  loadStateDict(state: ScheduleState): void {
    const { last_epoch: epoch, _last_lr: rates, base_lrs: bases = this.baseLrs } = state;
    const { groups } = this.optimizer;
    if (!Number.isInteger(epoch) || !isNumbers(rates, groups.length) || !isNumbers(bases, groups.length)) {
      fail({
        op: `${this.constructor.name}.loadStateDict`,
        expected: `last_epoch, and base_lrs and _last_lr of ${groups.length} groups`,
        got: JSON.stringify(state),
      });
    }
    this.lastEpoch = epoch;
    (this as { baseLrs: readonly number[] }).baseLrs = [...bases];
    for (const [i, group] of groups.entries()) group.lr = rates[i];
  }

  /** @internal Begins anew at step 0 and with the first learning rates: what SequentialLR does. */
  restart(): void {
    this.lastEpoch = 0;
    const { at } = this;
    this.set((lr, base, i) => (at ? at.call(this, base, i) : this.next(lr, base, i)));
  }

  /** The learning rate of a group after step `lastEpoch`, from the one before it. */
  protected abstract next(lr: number, base: number, group: number): number;

  /** The same from the base alone, where there is such a formula. */
  protected at?(base: number, group: number): number;

  /** Step 0. Called at the end of constructors: `next` may need what they set. */
  protected begin(): void {
    this.step();
  }

  /** Sets the learning rates. */
  protected set(f: (lr: number, base: number, group: number) => number): void {
    for (const [i, group] of this.optimizer.groups.entries()) {
      const lr = group.lr;
      const now = f(lr, this.baseLrs[i], i);
      if (now !== lr) group.lr = now;
    }
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** The learning rate that a group had when its first schedule was made; or that it shall have had. */
export function initialLr(group: Group<any>, lr?: number): number {
  if (lr !== undefined) {
    group.lr = lr;
    initial.set(group, lr);
  }
  const known = initial.get(group) ?? group.lr;
  initial.set(group, known);
  return known;
}
const initial = /* @__PURE__ */ new WeakMap<Group<any>, number>();

/** One number per group; a single one is for all. */
export function perGroup<T>(op: string, name: string, optimizer: AnyOptimizer, value: T | readonly T[]): readonly T[] {
  const { length } = optimizer.groups;
  if (!Array.isArray(value)) return Array<T>(length).fill(value as T);
  if (value.length === length) return value;
  return fail({ op, expected: `${name} to be one value, or ${length}, one per group`, got: `${value.length}` });
}

function isNumbers(list: unknown, count: number): list is readonly number[] {
  return Array.isArray(list) && list.length === count && list.every((v) => typeof v === "number");
}
