// Gradients: a Tape records the ops on the way forward, and the way back asks each for its share.

import { apply1, interpreter } from "./apply.js";
import { traceSpecs } from "./compile/trace.js";
import { fail, insideModules, type Modules, modulesNow, show } from "./errors.js";
import { call, differentiate, input } from "./expr.js";
import { type Interpreter, withInterpreter } from "./interpreter.js";
import { defineOp, type OpDef } from "./op.js";
import { onesLike, zerosLike } from "./ops/creation.js";
import { add } from "./ops/pointwise.js";
import { assemble, mapUsed, strided, sumTo } from "./primitives.js";
import { scope } from "./scope.js";
import { contiguousView, type Spec } from "./spec.js";
import { Tensor } from "./tensor.js";
import { Variable } from "./variable.js";

interface Step {
  readonly op: OpDef;
  readonly ins: readonly Tensor[];
  readonly outs: readonly Tensor[];
  readonly attrs: unknown;
  readonly needs: readonly boolean[];
  readonly modules: Modules;
}

/** Records what depends on the watched tensors and Variables; passes all work on to the interpreter below. */
class Tape implements Interpreter {
  readonly recording = true;
  readonly #below = interpreter();
  readonly #steps: Step[] = [];
  /** What a gradient flows through. */
  readonly #tracked = new Set<Tensor>();
  readonly #watched: ReadonlySet<Variable | Tensor>;
  /** Each Variable's value as this tape sees it; one handle until it is written. */
  readonly #values = new Map<Variable, Tensor>();
  /** The handle a watched Variable's gradient belongs to. */
  readonly #leaves = new Map<Variable, Tensor>();

  constructor(wrt: readonly (Variable | Tensor)[]) {
    this.#watched = new Set(wrt);
    for (const t of wrt) if (t instanceof Tensor) this.#tracked.add(t);
  }

  apply<A>(op: OpDef<A>, ins: readonly Tensor[], attrs: A, specs: readonly Spec[]): readonly Tensor[] {
    const needs = ins.map((t) => this.#tracked.has(t));
    const below = () => this.#under(() => this.#below.apply(op, ins, attrs, specs));
    if (!needs.includes(true)) return below();
    if (!op.vjp && !op.expr && !op.view && !op.assemble) {
      if (op.lower) return op.lower(ins, attrs); // still under this tape: its parts are recorded instead
      fail({
        op: op.name,
        expected: "an op with a gradient",
        got: "one without vjp or lowering",
        hint: "Use stopGradient, or give it a vjp.",
      });
    }
    const outs = below();
    const differentiable = outs.filter((t) => t.dtype === "f32");
    if (differentiable.length > 0) {
      this.#steps.push({ op, ins, outs, attrs, needs, modules: modulesNow });
      for (const t of differentiable) this.#tracked.add(t);
    }
    return outs;
  }

  read(variable: Variable): Tensor {
    let value = this.#values.get(variable);
    if (value === undefined) {
      value = this.#under(() => this.#below.read(variable));
      this.#values.set(variable, value);
      if (this.#watched.has(variable) && !this.#leaves.has(variable)) {
        this.#leaves.set(variable, value);
        this.#tracked.add(value);
      }
    }
    return value;
  }

  write(variable: Variable, value: Tensor): void {
    this.#under(() => this.#below.write(variable, value));
    this.#values.set(variable, value);
  }

  guard(holds: () => boolean): void {
    this.#below.guard?.(holds);
  }

  /** Gradients of the scalar `loss`; zeros for what it does not depend on. */
  backward(loss: Tensor, wrt: readonly (Variable | Tensor)[]): Tensor[] {
    const gradients = new Map<Tensor, Tensor>();
    if (this.#tracked.has(loss)) gradients.set(loss, onesLike(loss));
    for (let i = this.#steps.length - 1; i >= 0; i--) {
      const step = this.#steps[i]!;
      const ct = step.outs.map((t) => gradients.get(t) ?? null);
      if (ct.every((t) => t === null)) continue;
      const shares = insideModules(step.modules, () => vjpOf(step, ct));
      step.ins.forEach((t, k) => {
        const share = shares[k];
        if (!share || !step.needs[k]) return;
        const before = gradients.get(t);
        gradients.set(t, before ? add(before, share) : share);
      });
      for (const t of step.outs) if (t !== loss) gradients.delete(t);
    }
    return wrt.map((w) => {
      const leaf = w instanceof Variable ? this.#leaves.get(w) : w;
      return (leaf && gradients.get(leaf)) ?? zerosLike(w);
    });
  }

  #under<T>(body: () => T): T {
    return withInterpreter(this.#below, body);
  }
}

/** The op's own rule, or the one that follows from what it is. */
function vjpOf({ op, ins, outs, attrs, needs }: Step, ct: readonly (Tensor | null)[]): readonly (Tensor | null)[] {
  if (op.vjp) return op.vjp(ct, { ins, outs, attrs, needs });
  const g = ct[0]!;
  if (op.expr) {
    const formula = op.expr(
      ins.map((t, i) => input(i + 1, t.dtype)),
      attrs,
    );
    const result = input(ins.length + 1, outs[0]!.dtype);
    return ins.map((t, i) => {
      const d = needs[i] ? differentiate(formula, i + 1, result) : null;
      if (d === null) return null;
      const whole =
        d.k === "const" && d.v === 1 ? g : mapUsed(call("mul", input(0), d), [g, ...ins, outs[0]!], g.shape);
      return sumTo(whole, t.shape);
    });
  }
  if (op.view) {
    const { shape } = ins[0]!;
    const region = op.view(contiguousView(ins[0]!), attrs)!;
    return [apply1(assemble, [g], { shape, fill: 0, regions: [region], accumulate: true })];
  }
  return op.assemble!(ins, attrs).views.map((region, i) => (needs[i] ? apply1(strided, [g], { region }) : null));
}

/**
 * The value of a scalar function and its gradients in Variables or tensors.
 *
 * @param f computes the loss from what it closes over; everything else it makes is freed (see {@link keep})
 * @param wrt what to differentiate in; zeros come back for what the loss does not depend on
 * @returns `[value, gradients]`, the gradients in the order and with the shapes of `wrt`
 * @throws if the value is not a scalar f32
 * @example
 * ```ts
 * const [loss, [gw]] = valueAndGrad(() => x.matmul(w.value).sub(y).square().mean(), [w]);
 * ```
 */
export function valueAndGrad(
  f: () => Tensor,
  wrt: readonly (Variable | Tensor)[],
): [value: Tensor, gradients: Tensor[]] {
  return scope(() => {
    for (const w of wrt) {
      if (w.dtype !== "f32")
        fail({
          op: "grad",
          expected: "f32 to differentiate in",
          got: `${w.dtype} ${show(w.shape)}`,
          hint: "Other dtypes have none.",
        });
    }
    const tape = new Tape(wrt);
    const value = withInterpreter(tape, f);
    if (!(value instanceof Tensor) || value.size !== 1 || value.dtype !== "f32") {
      const got = value instanceof Tensor ? `${show(value.shape)} ${value.dtype}` : typeof value;
      fail({
        op: "grad",
        expected: "a function that returns a scalar f32 tensor",
        got,
        hint: "Reduce the loss with mean() or sum().",
      });
    }
    return [value, tape.backward(value, wrt)];
  });
}

/** {@link valueAndGrad} without the value. */
export function grad(f: () => Tensor, wrt: readonly (Variable | Tensor)[]): Tensor[] {
  const [value, gradients] = valueAndGrad(f, wrt);
  value.dispose();
  return gradients;
}

/** The same values, through which no gradient flows (`detach`). */
export function stopGradient(x: Tensor): Tensor {
  return apply1(stop, [x], {});
}
const stop = /* @__PURE__ */ defineOp<object>({
  name: "stopGradient",
  infer: ([x]) => [x!],
  view: (of) => of,
  vjp: () => [null],
});

/**
 * A function with a gradient of your own.
 *
 * @param rule.forward computes the output from tensors
 * @param rule.backward gradients of the inputs, given that of the output, the inputs and the output; `null` for zero
 * @example
 * ```ts
 * const clipGrad = customGradient({
 *   name: "clipGrad",
 *   forward: (x) => x.mul(1),
 *   backward: (ct) => [ct.clamp(-1, 1)],
 * });
 * ```
 */
export function customGradient(rule: {
  readonly name: string;
  forward(...ins: Tensor[]): Tensor;
  backward(ct: Tensor, ins: readonly Tensor[], out: Tensor): readonly (Tensor | null)[];
}): (...ins: Tensor[]) => Tensor {
  const op = defineOp<object>({
    name: rule.name,
    infer: (ins) => traceSpecs((...given) => [rule.forward(...given)], ins),
    lower: (ins) => [rule.forward(...ins)],
    vjp: ([ct], { ins, outs }) => rule.backward(ct!, ins, outs[0]!),
  });
  return (...ins) => apply1(op, ins, {});
}
