// Schedules along a cosine: CosineAnnealingLR, CosineAnnealingWarmRestarts.

import { checkAtLeast, checkSteps } from "../check.js";
import { type AnyOptimizer, LRScheduler, type ScheduleState } from "./scheduler.js";

/**
 * Falls from the first learning rate to `etaMin` within `tMax` steps, along half a cosine (and back up after that), as
 * [CosineAnnealingLR](https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html)
 * (Loshchilov and Hutter, 2017).
 *
 * @example
 * ```ts
 * new CosineAnnealingLR(optimizer, { tMax: epochs });
 * ```
 */
export class CosineAnnealingLR extends LRScheduler {
  readonly #tMax: number;
  readonly #etaMin: number;

  /** @param options.etaMin default 0 */
  constructor(optimizer: AnyOptimizer, { tMax, etaMin = 0 }: { tMax: number; etaMin?: number }) {
    super(optimizer);
    this.#tMax = checkSteps("CosineAnnealingLR", "tMax", tMax);
    this.#etaMin = checkAtLeast("CosineAnnealingLR", "etaMin", etaMin, 0);
    this.begin();
  }
  protected override next(lr: number, base: number): number {
    const [t, T, least] = [this.lastEpoch, this.#tMax, this.#etaMin];
    if (t === 0) return lr;
    // From the bottom there is no way up by a factor.
    if ((t - 1 - T) % (2 * T) === 0) return lr + ((base - least) * (1 - Math.cos(Math.PI / T))) / 2;
    return ((1 + Math.cos((Math.PI * t) / T)) / (1 + Math.cos((Math.PI * (t - 1)) / T))) * (lr - least) + least;
  }
  protected override at(base: number): number {
    return between(this.#etaMin, base, this.lastEpoch / this.#tMax);
  }
}

/**
 * As {@link CosineAnnealingLR}, but begins anew at the top after `t0` steps, then after `t0 · tMult`, and so on, as
 * [CosineAnnealingWarmRestarts](https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html).
 *
 * @example
 * ```ts
 * const schedule = new CosineAnnealingWarmRestarts(optimizer, { t0: 10, tMult: 2 });
 * schedule.step(epoch + batch / batches); // or without an argument, once per epoch
 * ```
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  readonly #t0: number;
  readonly #tMult: number;
  readonly #etaMin: number;
  /** Where it is, maybe between two steps. */
  #at = 0;

  /**
   * @param options.tMult by how much each period is longer (default 1)
   * @param options.etaMin default 0
   */
  constructor(optimizer: AnyOptimizer, { t0, tMult = 1, etaMin = 0 }: { t0: number; tMult?: number; etaMin?: number }) {
    super(optimizer);
    this.#t0 = checkSteps("CosineAnnealingWarmRestarts", "t0", t0);
    this.#tMult = checkSteps("CosineAnnealingWarmRestarts", "tMult", tMult);
    this.#etaMin = checkAtLeast("CosineAnnealingWarmRestarts", "etaMin", etaMin, 0);
    this.begin();
  }

  /** @param epoch where to go, in steps, a fraction too (default: to the next whole one) */
  override step(epoch = this.lastEpoch + 1): void {
    this.#at = checkAtLeast("CosineAnnealingWarmRestarts.step", "epoch", epoch, 0);
    this.lastEpoch = Math.floor(epoch);
    this.set((_, base) => this.at(base));
  }
  override restart(): void {
    this.step(0);
  }
  override stateDict(): ScheduleState {
    const { now, period } = this.#place();
    return { ...super.stateDict(), T_cur: now, T_i: period };
  }
  override loadStateDict(state: ScheduleState): void {
    super.loadStateDict(state);
    const fraction = typeof state["T_cur"] === "number" ? state["T_cur"] % 1 : 0;
    this.#at = this.lastEpoch + fraction;
  }
  protected override next(_: number, base: number): number {
    return this.at(base);
  }
  protected override at(base: number): number {
    const { now, period } = this.#place();
    return between(this.#etaMin, base, now / period);
  }

  /** Steps since the last restart, and until the next. */
  #place(): { now: number; period: number } {
    let [now, period] = [this.#at, this.#t0];
    if (this.#tMult === 1) return { now: now % period, period };
    while (now >= period) {
      now -= period;
      period *= this.#tMult;
    }
    return { now, period };
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** From `high` at 0 to `low` at 1, along a cosine. */
function between(low: number, high: number, t: number): number {
  return low + ((high - low) * (1 + Math.cos(Math.PI * t))) / 2;
}
