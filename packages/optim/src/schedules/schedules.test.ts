// The figures of PyTorch are in the golden family "sched"; here is what else is said of schedules.

import { compile, memory, type Tensor, tensor, Variable, zeros } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { Adam } from "../adam.js";
import { NAdam } from "../nadam.js";
import { SGD } from "../sgd.js";
import { ChainedScheduler, SequentialLR } from "./compose.js";
import { CosineAnnealingLR, CosineAnnealingWarmRestarts } from "./cosine.js";
import { CyclicLR, OneCycleLR } from "./cycle.js";
import { LambdaLR, MultiplicativeLR } from "./lambda.js";
import { ReduceLROnPlateau } from "./plateau.js";
import { ConstantLR, LinearLR, PolynomialLR } from "./ramp.js";
import type { LRScheduler } from "./scheduler.js";
import { ExponentialLR, MultiStepLR, StepLR } from "./step.js";
import { SWALR } from "./swa.js";

const list = (t: Tensor) => Array.from(t.readSync());
const sgd = (lr = 0.1) => new SGD([new Variable(zeros([1]))], { lr, momentum: 0.9 });
const two = () =>
  new SGD([{ params: [new Variable(zeros([1]))] }, { params: [new Variable(zeros([1]))], lr: 0.01 }], { lr: 0.1 });
const rates = (schedule: LRScheduler, steps: number) =>
  Array.from({ length: steps }, () => {
    const [lr] = schedule.getLastLr();
    schedule.step();
    return lr;
  });
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 12));

const kinds: [string, (o: SGD) => LRScheduler][] = [
  ["StepLR", (o) => new StepLR(o, { stepSize: 3 })],
  ["MultiStepLR", (o) => new MultiStepLR(o, { milestones: [2, 5, 5], gamma: 0.5 })],
  ["ExponentialLR", (o) => new ExponentialLR(o, { gamma: 0.9 })],
  ["ConstantLR", (o) => new ConstantLR(o, { factor: 0.3, totalIters: 4 })],
  ["LinearLR", (o) => new LinearLR(o, { startFactor: 0.2, totalIters: 7 })],
  ["PolynomialLR", (o) => new PolynomialLR(o, { totalIters: 9, power: 1.5 })],
  ["CosineAnnealingLR", (o) => new CosineAnnealingLR(o, { tMax: 4, etaMin: 0.01 })],
  ["CosineAnnealingWarmRestarts", (o) => new CosineAnnealingWarmRestarts(o, { t0: 2, tMult: 2 })],
  ["LambdaLR", (o) => new LambdaLR(o, { lrLambda: (t) => 1 / (1 + t) })],
  ["MultiplicativeLR", (o) => new MultiplicativeLR(o, { lrLambda: (t) => 1 - 0.01 * t })],
  [
    "CyclicLR",
    (o) => new CyclicLR(o, { baseLr: 0.01, maxLr: 0.1, stepSizeUp: 2, stepSizeDown: 3, mode: "exp_range", gamma: 0.9 }),
  ],
  ["OneCycleLR", (o) => new OneCycleLR(o, { maxLr: 0.5, epochs: 4, stepsPerEpoch: 5 })],
  ["SWALR", (o) => new SWALR(o, { swaLr: 0.03, annealEpochs: 5 })],
  [
    "SequentialLR",
    (o) =>
      new SequentialLR(o, {
        schedulers: [
          new LinearLR(o, { totalIters: 3 }),
          new CosineAnnealingLR(o, { tMax: 8 }),
          new StepLR(o, { stepSize: 2 }),
        ],
        milestones: [3, 8],
      }),
  ],
  ["ChainedScheduler", (o) => new ChainedScheduler([new ConstantLR(o), new ExponentialLR(o, { gamma: 0.8 })])],
];

describe.each(kinds)("%s", (_, make) => {
  it("goes on from its state dict, through JSON, to the last bit", () => {
    const [a, b] = [sgd(), sgd()];
    const [one, other] = [make(a), make(b)];
    for (let t = 0; t < 6; t++) one.step();
    other.loadStateDict(JSON.parse(JSON.stringify(one.stateDict())));
    expect(b.lr).toBe(a.lr);
    expect(b.groups[0].momentum?.value.readSync()).toEqual(a.groups[0].momentum?.value.readSync());
    for (let t = 0; t < 6; t++) {
      one.step();
      other.step();
      expect(b.lr).toBe(a.lr);
    }
    expect(other.stateDict()).toEqual(one.stateDict());
  });

  it("says the same from the base as step by step", () => {
    const wrapped = (o: SGD) =>
      new SequentialLR(o, { schedulers: [new ConstantLR(o, { factor: 1 }), make(o)], milestones: [2] });
    const [alone, second] = [make(sgd()), wrapped(sgd())];
    if (alone instanceof OneCycleLR || alone instanceof CyclicLR) return; // these set the learning rate at once
    expect(rates(second, 12).slice(2)).toEqual(near(rates(alone, 10)));
  });

  it("keeps memory flat", () => {
    const schedule = make(sgd());
    const before = memory().bytes;
    for (let t = 0; t < 10; t++) schedule.step();
    expect(memory().bytes).toBe(before);
  });

  it("refuses a state that is not its own", () => {
    expect(() => make(sgd()).loadStateDict({} as never)).toThrow(/loadStateDict: expected/);
  });
});

describe("compiled steps", () => {
  it("follow the learning rate and the momentum without being traced anew", () => {
    const given = [1, 0.5, -1, 2, 0.3, 1].map((g) => tensor([g]));
    const run = (compiled: boolean, make: (p: Variable) => SGD | Adam | NAdam) => {
      const p = new Variable(tensor([1]));
      const optimizer = make(p);
      const schedule = new OneCycleLR(optimizer, { maxLr: 0.5, totalSteps: 8 });
      let traces = 0;
      const body = (g: Tensor) => {
        traces++;
        optimizer.step([g]);
      };
      const step = compiled ? compile(body) : body;
      const values = given.flatMap((g) => {
        step(g);
        schedule.step();
        return list(p.value);
      });
      if (compiled) expect(traces).toBe(1);
      return values;
    };
    for (const make of [
      (p: Variable) => new SGD([p], { lr: 1, momentum: 0.5 }),
      (p: Variable) => new Adam([p]),
      (p: Variable) => new NAdam([p]),
    ]) {
      expect(run(true, make)).toEqual(run(false, make).map((v) => expect.closeTo(v, 5)));
    }
    // SGD by hand: what the schedule says is what is used.
    const p = new Variable(tensor([1]));
    const optimizer = new SGD([p], { lr: 1, momentum: 0.5 });
    const schedule = new OneCycleLR(optimizer, { maxLr: 0.5, totalSteps: 8 });
    let [want, buffer] = [1, 0];
    for (const g of given) {
      buffer = buffer * list((optimizer.groups[0].momentum as Variable).value)[0] + list(g)[0];
      want -= optimizer.lr * buffer;
      optimizer.step([g]);
      schedule.step();
      expect(list(p.value)[0]).toBeCloseTo(want, 5);
    }
  });
});

describe("groups", () => {
  it("each have their own base, and maybe their own function or bound", () => {
    const optimizer = two();
    const schedule = new ExponentialLR(optimizer, { gamma: 0.5 });
    schedule.step();
    expect(schedule.getLastLr()).toEqual([0.05, 0.005]);
    expect(schedule.baseLrs).toEqual([0.1, 0.01]);
    const lambdas = new LambdaLR(two(), { lrLambda: [() => 2, () => 3] });
    expect(lambdas.getLastLr()).toEqual(near([0.2, 0.03]));
    const cyclic = new CyclicLR(two(), { baseLr: [1, 2], maxLr: 4, stepSizeUp: 1, cycleMomentum: false });
    expect(cyclic.getLastLr()).toEqual([1, 2]);
    cyclic.step();
    expect(cyclic.getLastLr()).toEqual([4, 4]);
    expect(() => new LambdaLR(two(), { lrLambda: [() => 2] })).toThrow(
      "expected lrLambda to be one value, or 2, one per group, got 1",
    );
  });
});

describe("details", () => {
  it("a second schedule starts from the learning rates of before the first", () => {
    const optimizer = sgd(1);
    new ConstantLR(optimizer, { factor: 0.5 });
    expect(new ExponentialLR(optimizer, { gamma: 0.9 }).baseLrs).toEqual([1]);
    expect(optimizer.lr).toBe(0.5);
  });

  it("warm restarts take fractions of a step", () => {
    const schedule = new CosineAnnealingWarmRestarts(sgd(1), { t0: 4 });
    schedule.step(2);
    expect(schedule.getLastLr()).toEqual(near([0.5]));
    schedule.step(5.5);
    expect(schedule.getLastLr()).toEqual(near([(1 + Math.cos((1.5 / 4) * Math.PI)) / 2]));
    expect(schedule.stateDict()).toMatchObject({ last_epoch: 5, T_cur: 1.5, T_i: 4 });
  });

  it("a cyclic schedule takes a function for its height", () => {
    const options = { baseLr: 0, maxLr: 1, stepSizeUp: 1, cycleMomentum: false };
    expect(rates(new CyclicLR(sgd(), { ...options, scaleFn: (c) => 1 / c }), 6)).toEqual(
      near([0, 1, 0, 0.5, 0, 1 / 3]),
    );
    const byStep = new CyclicLR(sgd(), { ...options, scaleFn: (t) => t, scaleMode: "iterations" });
    expect(rates(byStep, 4)).toEqual(near([0, 1, 0, 3]));
  });

  it("one cycle ends", () => {
    const schedule = new OneCycleLR(sgd(), { maxLr: 1, totalSteps: 3 });
    for (let i = 0; i < 3; i++) schedule.step();
    expect(() => schedule.step()).toThrow("OneCycleLR.step: expected at most 3 steps, got one more");
    // As many steps as there are batches, also along a line, which PyTorch lets go below 0 after the last.
    const line = new OneCycleLR(sgd(), { maxLr: 1, totalSteps: 10, annealStrategy: "linear" });
    expect(rates(line, 10)[9]).toBeCloseTo(1 / 25 / 1e4, 12);
    expect(line.getLastLr()[0]).toBeCloseTo(1 / 25 / 1e4, 12);
  });

  it("SWALR ends at its learning rate", () => {
    const schedule = new SWALR(sgd(1), { swaLr: 0.2, annealEpochs: 4, annealStrategy: "linear" });
    expect(rates(schedule, 7)).toEqual(near([1, 0.8, 0.6, 0.4, 0.2, 0.2, 0.2]));
    expect(rates(new SWALR(sgd(1), { swaLr: 0.2, annealEpochs: 0 }), 2)).toEqual(near([0.2, 0.2]));
  });
});

describe("ReduceLROnPlateau", () => {
  it("waits, reduces, cools down, and goes on from its state", () => {
    const [a, b] = [sgd(1), sgd(1)];
    const options = { patience: 1, factor: 0.5, cooldown: 1, minLr: 0.2 };
    const [one, other] = [new ReduceLROnPlateau(a, options), new ReduceLROnPlateau(b, options)];
    const metrics = [1, 1, 1, 1, 1, 1, 0.5, 0.6, 0.6, 0.6, 0.6, Number.NaN, 0.6];
    const seen = metrics.map((m, i) => {
      if (i === 4) other.loadStateDict(JSON.parse(JSON.stringify(one.stateDict())));
      one.step(m);
      if (i >= 4) other.step(m);
      return one.getLastLr()[0];
    });
    expect(seen).toEqual([1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2, 0.2]);
    expect(other.stateDict()).toEqual(one.stateDict());
  });

  it("names the fault", () => {
    expect(() => new ReduceLROnPlateau(sgd(), { factor: 1 })).toThrow(
      "ReduceLROnPlateau: expected factor ≥ 0 and < 1, got 1",
    );
    expect(() => new ReduceLROnPlateau(sgd(), { mode: "less" as "min" })).toThrow('expected mode "min" or "max"');
    expect(() => new ReduceLROnPlateau(sgd()).step(tensor(1) as never)).toThrow("Read a tensor with await loss.item()");
    expect(() => new ReduceLROnPlateau(sgd()).loadStateDict({} as never)).toThrow("_last_lr of 1 groups");
  });
});

describe("mistakes", () => {
  it("are named where they are made", () => {
    expect(() => new StepLR(sgd(), { stepSize: 0 })).toThrow(
      "StepLR: expected stepSize to be a whole number ≥ 1, got 0",
    );
    expect(() => new LinearLR(sgd(), { startFactor: 0 })).toThrow("LinearLR: expected startFactor > 0 and ≤ 1, got 0");
    expect(() => new OneCycleLR(sgd(), { maxLr: 1 })).toThrow("totalSteps, or epochs · stepsPerEpoch,");
    const plain = new SGD([new Variable(zeros([1]))], { lr: 1 });
    expect(() => new OneCycleLR(plain, { maxLr: 1, totalSteps: 9 })).toThrow("or pass cycleMomentum: false");
    const optimizer = sgd();
    const schedulers = [new StepLR(optimizer, { stepSize: 1 }), new StepLR(optimizer, { stepSize: 2 })];
    expect(() => new SequentialLR(optimizer, { schedulers, milestones: [] })).toThrow(
      "expected 1 rising milestones, got []",
    );
    expect(() => new SequentialLR(sgd(), { schedulers, milestones: [1] })).toThrow(
      "expected schedules of one optimiser",
    );
    expect(() => new ChainedScheduler([])).toThrow("expected at least one schedule, got none");
  });
});
