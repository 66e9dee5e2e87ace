// Schedules: the learning rate, and maybe the momentum, before every step.

import * as nn from "@nn/optim";
import { type LRScheduler, type Optimizer, ReduceLROnPlateau, SGD } from "@nn/optim";
import { compile, type Tensor, Variable, zeros } from "@nn/tensor";
import { Args, type GoldenCase, NotBuilt } from "../case.js";
import type { Finding } from "../subject.js";
import type { Family } from "./family.js";

export const sched: Family = async (c, { compiled }) => {
  const optimizer = new SGD([new Variable(zeros([1]))], { lr: c.raw["lr0"] as number, momentum: 0.9 });
  const group = optimizer.groups[0]!;
  const metric = c.raw["metric"] as number[] | undefined;
  const schedule = metric ? plateauOf(c, optimizer) : scheduleOf(c.op, c.args, optimizer);
  // What a step would use: in a compiled one, what it reads without being traced anew.
  const plain = (): Tensor[] => [group.rate, group.momentum].flatMap((v) => (v ? [v.value.mul(1)] : []));
  const read = compiled ? compile(plain) : plain;
  const want = { lr: c.raw["lr"] as number[], momentum: c.raw["momentum"] as number[] | undefined };
  const got = { lr: [] as number[], momentum: [] as number[] };
  for (let t = 0; t < want.lr.length; t++) {
    const [lr, momentum] = await Promise.all(read().map((v) => v.item()));
    got.lr.push(compiled ? lr! : schedule.getLastLr()[0]!);
    got.momentum.push(momentum ?? Number.NaN);
    if (schedule instanceof ReduceLROnPlateau) schedule.step(metric![t]!);
    else schedule.step();
  }
  const found: Finding[] = [finding("lr", got.lr, want.lr)];
  if (want.momentum) found.push(finding("momentum", got.momentum, want.momentum));
  return found;
};

/** A schedule from PyTorch's name and arguments. */
export function scheduleOf(op: string, given: object, optimizer: Optimizer<any>): LRScheduler {
  const args = new Args(given as Record<string, unknown>);
  const make = known[op];
  if (!make) throw new NotBuilt(`no ${op}`);
  const schedule = make(optimizer, args);
  args.done();
  return schedule;
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

type Make = (optimizer: Optimizer<any>, args: Args) => LRScheduler;

/** A class, and PyTorch's names of its options with ours. */
const plain =
  (
    Class: new (optimizer: Optimizer<any>, options: any) => LRScheduler,
    names: Readonly<Record<string, string>>,
  ): Make =>
  (optimizer, args) =>
    new Class(optimizer, args.options(names));

const MOMENTUM = { cycle_momentum: "cycleMomentum", base_momentum: "baseMomentum", max_momentum: "maxMomentum" };

const known: Readonly<Record<string, Make>> = {
  StepLR: plain(nn.StepLR, { step_size: "stepSize", gamma: "gamma" }),
  MultiStepLR: plain(nn.MultiStepLR, { milestones: "milestones", gamma: "gamma" }),
  ExponentialLR: plain(nn.ExponentialLR, { gamma: "gamma" }),
  CosineAnnealingLR: plain(nn.CosineAnnealingLR, { T_max: "tMax", eta_min: "etaMin" }),
  CosineAnnealingWarmRestarts: plain(nn.CosineAnnealingWarmRestarts, { T_0: "t0", T_mult: "tMult", eta_min: "etaMin" }),
  LinearLR: plain(nn.LinearLR, { start_factor: "startFactor", end_factor: "endFactor", total_iters: "totalIters" }),
  ConstantLR: plain(nn.ConstantLR, { factor: "factor", total_iters: "totalIters" }),
  PolynomialLR: plain(nn.PolynomialLR, { total_iters: "totalIters", power: "power" }),
  CyclicLR: plain(nn.CyclicLR, {
    ...MOMENTUM,
    base_lr: "baseLr",
    max_lr: "maxLr",
    step_size_up: "stepSizeUp",
    step_size_down: "stepSizeDown",
    mode: "mode",
    gamma: "gamma",
  }),
  OneCycleLR: plain(nn.OneCycleLR, {
    ...MOMENTUM,
    max_lr: "maxLr",
    total_steps: "totalSteps",
    epochs: "epochs",
    steps_per_epoch: "stepsPerEpoch",
    pct_start: "pctStart",
    anneal_strategy: "annealStrategy",
    div_factor: "divFactor",
    final_div_factor: "finalDivFactor",
    three_phase: "threePhase",
  }),
  LambdaLR(optimizer, args) {
    const W = args.get<number>("W");
    args.only("formula", "0.5*min((t+1)^-0.5,(t+1)*W^-1.5)*4");
    return new nn.LambdaLR(optimizer, { lrLambda: (t) => 0.5 * Math.min((t + 1) ** -0.5, (t + 1) * W ** -1.5) * 4 });
  },
  MultiplicativeLR(optimizer, args) {
    const factor = args.get<number>("factor");
    return new nn.MultiplicativeLR(optimizer, { lrLambda: () => factor });
  },
  SequentialLR: (optimizer, args) =>
    new nn.SequentialLR(optimizer, { schedulers: partsOf(optimizer, args), milestones: args.get("milestones") }),
  ChainedScheduler: (optimizer, args) => new nn.ChainedScheduler(partsOf(optimizer, args)),
};

const partsOf = (optimizer: Optimizer<any>, args: Args): LRScheduler[] =>
  args.get<[string, object][]>("schedulers").map(([op, given]) => scheduleOf(op, given, optimizer));

function plateauOf(c: GoldenCase, optimizer: Optimizer<any>): ReduceLROnPlateau {
  if (c.op !== "ReduceLROnPlateau") throw new NotBuilt(`no ${c.op} with a metric`);
  const args = new Args(c.args);
  const options = args.options({
    mode: "mode",
    factor: "factor",
    patience: "patience",
    threshold: "threshold",
    threshold_mode: "thresholdMode",
    cooldown: "cooldown",
    min_lr: "minLr",
    eps: "eps",
  });
  args.done();
  return new ReduceLROnPlateau(optimizer, options);
}

function finding(name: string, got: readonly number[], want: readonly number[]): Finding {
  const shape = [want.length];
  const scale = Math.max(...want.map(Math.abs));
  return {
    name,
    got: { shape, data: got },
    want: { shape, dtype: "f32", data: Float32Array.from(want), f32Err: 0, scale },
  };
}
