// Schedules of a run: made before it, or made for it by a function that is told how many steps it has.

import type { Optimizer } from "@nn/optim";
import { fail } from "@nn/tensor";
import type { Loader } from "../data/loader.js";

/** A schedule, as those of @nn/optim: `step()`, or `step(figure)` where a figure is asked for. */
export interface Schedule {
  step(figure?: any): void;
  stateDict(): unknown;
  loadStateDict(state: any): void;
}

/** How long a run is, in updates: one per batch, or per `accumulate` batches. To ask for it is an error if the data is a stream. */
export interface RunLength {
  readonly steps: number;
  readonly stepsPerEpoch: number;
}

/** Makes the schedule of a run. */
export type MakeSchedule = (optimizer: Optimizer<any>, length: RunLength) => Schedule;

/** Which schedule, and when it steps. */
export interface Scheduling {
  /**
   * Steps after each epoch. Or a function that makes one, told how many steps there are, and that steps after each of them, as OneCycleLR wants it:
   * `(optimizer, { steps }) => new OneCycleLR(optimizer, { maxLr: 0.01, totalSteps: steps })`.
   */
  readonly schedule?: Schedule | MakeSchedule;
  /** When the schedule steps, if not as said there. One that asks for a figure steps after each epoch by itself. */
  readonly scheduleEvery?: "epoch" | "step";
}

/** A schedule, and when it steps. */
export interface Scheduled {
  readonly schedule: Schedule;
  readonly every: "epoch" | "step";
}

export function scheduleOf(
  { schedule: given, scheduleEvery }: Scheduling,
  optimizer: Optimizer<any>,
  length: RunLength,
): Scheduled | null {
  if (given === undefined) return null;
  const schedule = typeof given === "function" ? given(optimizer, length) : given;
  if (typeof schedule?.step !== "function") {
    fail({
      op: "fit",
      expected: "schedule: one of @nn/optim, or a function that gives one",
      got: typeof given === "function" ? `a function that gives ${typeof schedule}` : typeof given,
      hint: "E.g. (optimizer, { steps }) => new OneCycleLR(optimizer, { maxLr: 0.01, totalSteps: steps }).",
    });
  }
  const bySteps = typeof given === "function" && !wantsFigure(schedule);
  return { schedule, every: scheduleEvery ?? (bySteps ? "step" : "epoch") };
}

/** Whether it must be told a figure of the epoch, as ReduceLROnPlateau. */
export function wantsFigure({ step }: Schedule): boolean {
  return step.length > 0;
}

export function runLength(epochs: number, accumulate: number, { length }: Loader): RunLength {
  const perEpoch = () => {
    if (length !== undefined) return Math.ceil(length / accumulate); // what is left at the end of an epoch makes an update, too
    return fail({
      op: "fit",
      expected: "data of a known length, as the schedule asks for the number of steps",
      got: "a stream",
      hint: "Make the schedule before the run, with a number of your own, and pass it with scheduleEvery.",
    });
  };
  return {
    get steps() {
      return Math.max(1, epochs * perEpoch()); // schedules want at least one, also for a run of no epochs
    },
    get stepsPerEpoch() {
      return perEpoch();
    },
  };
}
