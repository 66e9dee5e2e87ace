// Optimisers over many steps, with given gradients or in a small net; clipping of gradients.

import * as nn from "@nn/optim";
import { clipGradNorm, clipGradValue, type Optimizer } from "@nn/optim";
import { compile, type Tensor, Variable } from "@nn/tensor";
import { Args, type GoldenCase, NotBuilt, tensorsOf } from "../case.js";
import type { Got } from "../rule.js";
import { type Finding, findings, fromGolden, type Mode, type Tensors } from "../subject.js";
import type { Family } from "./family.js";

type Make = (params: any, options: any) => Optimizer<any>;

const COMMON = { lr: "lr", weight_decay: "weightDecay", maximize: "maximize" };
const BETAS = { ...COMMON, betas: "betas", eps: "eps" };
const ADAM = { ...BETAS, amsgrad: "amsgrad" };
const SGD = { ...COMMON, momentum: "momentum", dampening: "dampening", nesterov: "nesterov" };
const RMSPROP = { ...COMMON, alpha: "alpha", eps: "eps", momentum: "momentum", centered: "centered" };
const ADAGRAD = { ...COMMON, lr_decay: "lrDecay", initial_accumulator_value: "initialAccumulatorValue", eps: "eps" };

/** How each is made, and PyTorch's names of its options with ours. */
const known: Record<string, { make: Make; names: Readonly<Record<string, string>> }> = {
  SGD: { make: (p, o) => new nn.SGD(p, o), names: SGD },
  Adam: { make: (p, o) => new nn.Adam(p, o), names: ADAM },
  AdamW: { make: (p, o) => new nn.AdamW(p, o), names: ADAM },
  RMSprop: { make: (p, o) => new nn.RMSprop(p, o), names: RMSPROP },
  Adagrad: { make: (p, o) => new nn.Adagrad(p, o), names: ADAGRAD },
  Adadelta: { make: (p, o) => new nn.Adadelta(p, o), names: { ...COMMON, rho: "rho", eps: "eps" } },
  NAdam: { make: (p, o) => new nn.NAdam(p, o), names: { ...BETAS, momentum_decay: "momentumDecay" } },
  RAdam: { make: (p, o) => new nn.RAdam(p, o), names: BETAS },
  Adamax: { make: (p, o) => new nn.Adamax(p, o), names: BETAS },
  Rprop: { make: (p, o) => new nn.Rprop(p, o), names: { ...COMMON, etas: "etas", step_sizes: "stepSizes" } },
};

/** An optimiser from PyTorch's name and arguments; `groups[i]` has what parameter i has of its own. */
export function optimizerOf(
  op: string,
  args: object,
  params: readonly Variable[],
  groups?: readonly object[],
): Optimizer {
  const kind = known[op];
  if (!kind) throw new NotBuilt(`no ${op}`);
  const options = (given: object) => {
    const list = new Args(given as Record<string, unknown>);
    const ours = list.options(kind.names);
    list.done();
    return ours;
  };
  if (groups === undefined) return kind.make(params, options(args));
  if (groups.length !== params.length) throw new Error(`${groups.length} groups for ${params.length} parameters`);
  return kind.make(
    groups.map((g, i) => ({ params: [params[i]], ...options(g) })),
    options(args),
  );
}

export const optim: Family = async (c, mode) => {
  const run = kinds[(c.raw["kind"] as string | undefined) ?? ""];
  if (!run) throw new NotBuilt(`no kind "${c.raw["kind"]}"`);
  return run(c, mode);
};

const kinds: Record<string, (c: GoldenCase, mode: Mode) => Promise<Finding[]>> = {
  given_gradients: given,
  param_groups: given,
  net,
  clip,
};

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Parameters p0, p1, … and at step t the gradients in.gK[t]; out.pK[t] is the parameter after it. */
async function given(c: GoldenCase, { compiled }: Mode): Promise<Finding[]> {
  const params = variables(c);
  const optimizer = optimizerOf(c.op, c.args, [...params.values()], c.raw["groups"] as object[] | undefined);
  const gradients = fromGolden(tensorsOf(c, "in"));
  const plain = (list: readonly Tensor[]): void => optimizer.step(list);
  const step = compiled ? compile(plain) : plain;
  const history = new History();
  for (let t = 0; t < (c.raw["steps"] as number); t++) {
    step([...params.keys()].map((name) => gradients[name.replace("p", "g")]!.select(0, t)));
    for (const [name, p] of params) await history.add(`out.${name}`, p.value);
  }
  return history.findings(c);
}

/** loss = mean((tanh(x w1ᵀ + b1) w2ᵀ + b2 − t)²), full batch; weights after the steps in `keep`. */
async function net(c: GoldenCase, { compiled }: Mode): Promise<Finding[]> {
  const params = variables(c);
  const optimizer = optimizerOf(c.op, c.args, [...params.values()]);
  const { x, t: target } = fromGolden(tensorsOf(c, "in")) as { x: Tensor; t: Tensor };
  const weight = (name: string) => params.get(name)!.value;
  const plain = (): Tensor =>
    optimizer.minimize(() => {
      const hidden = x.matmul(weight("w1").transpose()).add(weight("b1")).tanh();
      const y = hidden.matmul(weight("w2").transpose()).add(weight("b2"));
      return y.sub(target).square().mean();
    });
  const step = compiled ? compile(plain) : plain;
  const keep = c.raw["keep"] as number[];
  const history = new History();
  for (let t = 1; t <= (c.raw["steps"] as number); t++) {
    await history.add("out.loss", step());
    if (keep.includes(t)) for (const [name, p] of params) await history.add(`out.${name}`, p.value);
  }
  return history.findings(c);
}

/** Gradients in.gK to out.gK, and their norm before. */
async function clip(c: GoldenCase, { compiled }: Mode): Promise<Finding[]> {
  const given = fromGolden(tensorsOf(c, "in"));
  const plain = clipping(c);
  return findings(c, prefixed((compiled ? compile(plain) : plain)(given)));
}

function clipping(c: GoldenCase): (ins: Tensors) => Tensors {
  const args = new Args(c.args);
  const named = (ins: Tensors, list: readonly Tensor[]) =>
    Object.fromEntries(Object.keys(ins).map((name, i) => [name, list[i]!]));
  const build: Record<string, () => (ins: Tensors) => Tensors> = {
    clip_grad_norm() {
      const maxNorm = args.get<number>("max_norm");
      const normType = Number(`${args.get<number | string>("norm_type", 2)}`.replace("inf", "Infinity"));
      return (ins) => {
        const { gradients, totalNorm } = clipGradNorm(Object.values(ins), maxNorm, { normType });
        return { ...named(ins, gradients), total_norm: totalNorm };
      };
    },
    clip_grad_value() {
      const clipValue = args.get<number>("clip_value");
      return (ins) => named(ins, clipGradValue(Object.values(ins), clipValue));
    },
  };
  const make = build[c.op];
  if (!make) throw new NotBuilt(`no ${c.op}`);
  const f = make();
  args.done();
  return f;
}

const prefixed = (out: Tensors): Tensors =>
  Object.fromEntries(Object.entries(out).map(([name, t]) => [`out.${name}`, t]));

function variables(c: GoldenCase): Map<string, Variable> {
  return new Map(Object.entries(fromGolden(tensorsOf(c, "param"))).map(([name, t]) => [name, new Variable(t)]));
}

/** Values that come one by one, and are expected stacked. */
export class History {
  readonly #values = new Map<string, { shape: readonly number[]; steps: number; data: number[] }>();

  async add(name: string, t: Tensor): Promise<void> {
    const entry = this.#values.get(name) ?? { shape: t.shape, steps: 0, data: [] };
    this.#values.set(name, entry);
    entry.steps++;
    for (const v of await t.read()) entry.data.push(v);
  }

  get(name: string): Got | undefined {
    const entry = this.#values.get(name);
    return entry && { shape: [entry.steps, ...entry.shape], data: entry.data };
  }

  findings(c: GoldenCase): Finding[] {
    return [...tensorsOf(c, "out")].map(([short, want]) => {
      const got = this.get(`out.${short}`);
      if (!got) throw new Error(`nothing was computed for out.${short}`);
      return { name: `out.${short}`, got, want };
    });
  }
}
