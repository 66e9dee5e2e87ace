// A case that is a function of tensors, maybe with weights: computed forward and backward, and set against PyTorch.
// L = Σ over the float outputs of Σ out · cot; gin.* and gparam.* are its gradients, after.* the buffers after the call.

import { compile, keep, type Module, type Tensor, tensor, type Variable, valueAndGrad } from "@nn/tensor";
import { type GoldenCase, type GoldenTensor, tensorsOf } from "./case.js";
import type { Got } from "./rule.js";

export type Tensors = Record<string, Tensor>;

/** What a case becomes on our API. */
export interface Subject {
  /** Holds `param.*` and `buffer.*`, under PyTorch's names. */
  readonly module?: Module;
  /** Inputs to outputs, both by the case's names. */
  run(inputs: Tensors): Tensors;
}

/** One expected tensor and what we got for it. */
export interface Finding {
  readonly name: string;
  readonly got: Got;
  readonly want: GoldenTensor;
}

export interface Mode {
  readonly compiled: boolean;
}

/** Runs a subject: outputs, gradients and buffers, all of them that the case expects. */
export async function check(c: GoldenCase, subject: Subject, { compiled }: Mode): Promise<Finding[]> {
  const { module } = subject;
  const state = fromGolden(new Map([...tensorsOf(c, "param"), ...tensorsOf(c, "buffer")]));
  if (module) {
    module.loadStateDict(state);
    module.train(c.train);
  } else if (Object.keys(state).length > 0)
    throw new Error(`weights ${Object.keys(state)} for a function that has none`);

  const inputs = fromGolden(tensorsOf(c, "in"));
  const weights = module?.namedVariables() ?? new Map<string, Variable>();
  const body = gradients(c, subject, weights);
  const run = compiled ? compile(body) : body;
  let result = run(inputs);
  // A compiled step is replayed over memory it has used before; running buffers must move only once.
  if (compiled && tensorsOf(c, "buffer").size === 0) result = run(inputs);

  const found: Tensors = {};
  for (const [name, t] of Object.entries(result.out)) found[`out.${name}`] = t;
  for (const [name, t] of Object.entries(result.gin)) found[`gin.${name}`] = t;
  for (const [name, t] of Object.entries(result.gparam)) found[`gparam.${name}`] = t;
  for (const [name, v] of weights) found[`after.${name}`] = v.value;
  return findings(c, found);
}

/** Reads what the case expects among what was found. */
export async function findings(c: GoldenCase, found: Tensors): Promise<Finding[]> {
  const list: Finding[] = [];
  for (const [name, want] of c.tensors) {
    if (!/^(out|gin|gparam|after)\./.test(name)) continue;
    const t = found[name];
    if (!t) throw new Error(`nothing was computed for ${name}`);
    list.push({ name, want, got: { shape: t.shape, data: await t.read() } });
  }
  if (list.length === 0) throw new Error("the case expects nothing");
  return list;
}

/** The tensors of a case on the current backend. */
export function fromGolden(tensors: ReadonlyMap<string, GoldenTensor>): Tensors {
  return Object.fromEntries([...tensors].map(([name, t]) => [name, tensor(t.data, { shape: t.shape })]));
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

type Gradients = { out: Tensors; gin: Tensors; gparam: Tensors };

/** The whole computation as one function, so that compile() sees all of it. */
function gradients(
  c: GoldenCase,
  subject: Subject,
  weights: ReadonlyMap<string, Variable>,
): (inputs: Tensors) => Gradients {
  const cotangents = fromGolden(tensorsOf(c, "cot"));
  const gin = [...tensorsOf(c, "gin").keys()];
  const gparam = [...tensorsOf(c, "gparam").keys()];
  return (inputs) => {
    if (gin.length + gparam.length === 0) return { out: subject.run(inputs), gin: {}, gparam: {} };
    const wrt = [
      ...gin.map((name) => inputs[name] ?? missing(`input ${name}`)),
      ...gparam.map((name) => weights.get(name) ?? missing(`weight ${name}`)),
    ];
    let out: Tensors = {};
    const [, found] = valueAndGrad(() => {
      out = subject.run(inputs);
      for (const t of Object.values(out)) keep(t);
      return lossOf(out, cotangents);
    }, wrt);
    const named = (names: readonly string[], from: number) =>
      Object.fromEntries(names.map((name, i) => [name, found[from + i]!]));
    return { out, gin: named(gin, 0), gparam: named(gparam, gin.length) };
  };
}

function lossOf(out: Tensors, cotangents: Tensors): Tensor {
  const parts = Object.entries(out).flatMap(([name, t]) => {
    const cotangent = cotangents[name];
    if (cotangent) return [t.mul(cotangent).sum()];
    return t.dtype === "f32" && t.rank === 0 ? [t] : []; // of a scalar loss: 1
  });
  if (parts.length === 0) throw new Error("no output has a cotangent");
  return parts.reduce((a, b) => a.add(b));
}

function missing(what: string): never {
  throw new Error(`there is no ${what} to differentiate in`);
}
