// Trace: the interpreter that writes ops down instead of running them.

import { fail, type Modules, modulesNow, show } from "../errors.js";
import { type Interpreter, withInterpreter } from "../interpreter.js";
import type { OpDef } from "../op.js";
import { keep } from "../scope.js";
import type { Spec } from "../spec.js";
import { Tensor } from "../tensor.js";
import type { Variable } from "../variable.js";
import { type Graph, GraphBuilder } from "./graph.js";

/** Where an input of a traced graph comes from. */
export type Source =
  | { readonly kind: "argument"; readonly argument: number }
  | { readonly kind: "variable"; readonly variable: Variable }
  /** A tensor with data that the function closes over. */
  | { readonly kind: "constant"; readonly tensor: Tensor };

export interface Traced {
  readonly graph: Graph;
  readonly sources: readonly Source[];
  /** The Variables written; their new values are the last outputs of the graph. */
  readonly written: readonly Variable[];
  /** What else the trace took for granted, e.g. that a module was in training. */
  readonly guards: readonly (() => boolean)[];
}

type Recorded = { op: OpDef; ins: Tensor[]; attrs: unknown; outs: Tensor[]; modules: Modules };

export class Trace implements Interpreter {
  /** Input handles and their sources, in order of first use. */
  readonly #inputs = new Map<Tensor, Source>();
  /** The inputs that stand for Variables and for tensors with data. */
  readonly #lifted = new Map<Variable | Tensor, Tensor>();
  readonly #written = new Map<Variable, Tensor>();
  readonly #recorded: Recorded[] = [];
  readonly #guards: (() => boolean)[] = [];

  guard(holds: () => boolean): void {
    this.#guards.push(holds);
  }

  /** A symbolic argument. */
  argument(spec: Spec, argument: number): Tensor {
    return this.#input(spec, { kind: "argument", argument });
  }

  apply<A>(op: OpDef<A>, ins: readonly Tensor[], attrs: A, specs: readonly Spec[]): readonly Tensor[] {
    const outs = specs.map((s) => this.#symbol(s));
    this.#recorded.push({ op, ins: ins.map((t) => this.#lift(t)), attrs, outs, modules: modulesNow });
    return outs;
  }

  read(variable: Variable): Tensor {
    return this.#written.get(variable) ?? this.#variable(variable);
  }

  write(variable: Variable, value: Tensor): void {
    this.#written.set(variable, this.#lift(value));
  }

  /** The graph of what was recorded, with these results and then the written Variables as outputs. */
  finish(results: readonly Tensor[]): Traced {
    const written = [...this.#written.keys()];
    // A written Variable is an input, too: its buffer is what the new value goes into.
    for (const v of written) this.#variable(v);
    const outputs = [...results.map((t) => this.#lift(t)), ...this.#written.values()];
    const builder = new GraphBuilder();
    const number = new Map<Tensor, number>();
    for (const t of this.#inputs.keys()) number.set(t, builder.input(t));
    for (const { op, ins, attrs, outs, modules } of this.#recorded) {
      const values = builder.add(
        op,
        ins.map((t) => number.get(t)!),
        attrs,
        outs,
        { modules },
      );
      outs.forEach((t, i) => {
        number.set(t, values[i]!);
      });
    }
    return {
      graph: builder.graph(outputs.map((t) => number.get(t)!)),
      sources: [...this.#inputs.values()],
      written,
      guards: this.#guards,
    };
  }

  /** The traced handle of a tensor: itself, or an input for one that has data. */
  #lift(t: Tensor): Tensor {
    if (t.symbol) {
      if (t.symbol.trace === this) return t;
      return fail({
        op: "compile",
        expected: "tensors of this trace, or with data",
        got: `a traced tensor ${show(t.shape)} of another compile()`,
        hint: "Return tensors from compiled functions instead of storing them outside.",
      });
    }
    return this.#lifted.get(t) ?? this.#input(t, { kind: "constant", tensor: keep(t.alias()) }, t);
  }

  #variable(variable: Variable): Tensor {
    return this.#lifted.get(variable) ?? this.#input(variable, { kind: "variable", variable }, variable);
  }

  #input(spec: Spec, source: Source, of?: Variable | Tensor): Tensor {
    const t = this.#symbol(spec);
    this.#inputs.set(t, source);
    if (of) this.#lifted.set(of, t);
    return t;
  }

  #symbol(spec: Spec): Tensor {
    return new Tensor(spec, { trace: this });
  }
}

/** Runs a function on symbols of the given specs; its graph, closed over nothing but constants and Variables. */
export function traceFunction(f: (...args: Tensor[]) => readonly Tensor[], specs: readonly Spec[]): Traced {
  const trace = new Trace();
  return withInterpreter(trace, () => trace.finish(f(...specs.map((s, i) => trace.argument(s, i)))));
}

/** Lets go of the constants a trace holds. */
export function releaseConstants(sources: Iterable<Source>): void {
  for (const s of sources) if (s.kind === "constant") s.tensor.dispose();
}

/** The specs of a function's results, without running it. */
export function traceSpecs(f: (...args: Tensor[]) => readonly Tensor[], specs: readonly Spec[]): readonly Spec[] {
  const { graph, sources } = traceFunction(f, specs);
  releaseConstants(sources);
  return graph.outputs.map((v) => graph.specs[v]!);
}
