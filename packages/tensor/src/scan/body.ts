// What a scan repeats: a small graph, closed over nothing. Tensors and Variables that its function closes over become
// inputs, so that gradients flow into them.

import { interpreter } from "../apply.js";
import { type Graph, nodeKey } from "../compile/graph.js";
import { Trace, type Traced } from "../compile/trace.js";
import { fail } from "../errors.js";
import { withInterpreter } from "../interpreter.js";
import type { OpDef } from "../op.js";
import type { Spec } from "../spec.js";
import type { Tensor } from "../tensor.js";
import type { Variable } from "../variable.js";

/** A graph that can stand in attributes: a text tells it from others. */
export class ScanBody {
  readonly key: string;
  readonly #graph: Graph;

  constructor(graph: Graph) {
    const { inputs, specs, nodes, outputs } = graph;
    this.#graph = graph;
    this.key = [
      specs.slice(0, inputs).map(({ shape, dtype }) => `${dtype}(${shape})`),
      ...nodes.map((n) => nodeKey(n, n.ins)),
      outputs,
    ].join(" ");
  }

  /** Its inputs are carries, elements, then what is captured. */
  get graph(): Graph {
    return this.#graph;
  }

  /**
   * All values, its ops done once more by whoever carries ops out now.
   *
   * @param known values that need not be computed
   */
  run(ins: readonly Tensor[], known: ReadonlyMap<number, Tensor> = new Map()): readonly Tensor[] {
    const { specs, nodes } = this.#graph;
    const now = [...ins];
    for (const [v, t] of known) now[v] = t;
    for (const { op, attrs, ins, outs } of nodes) {
      if (outs.every((v) => known.has(v))) continue;
      const results = interpreter().apply(
        op,
        ins.map((v) => now[v]!),
        attrs,
        outs.map((v) => specs[v]!),
      );
      outs.forEach((v, i) => {
        now[v] = results[i]!;
      });
    }
    return now;
  }

  /** The outputs among {@link run}'s values. */
  outputs(values: readonly Tensor[]): Tensor[] {
    return this.#graph.outputs.map((v) => values[v]!);
  }
}

/** The graph of a function of tensors of these specs, and what it closes over: the inputs after those. */
export function capture(
  f: (...ins: Tensor[]) => readonly Tensor[],
  specs: readonly Spec[],
): { readonly graph: Graph; readonly captured: readonly Tensor[] } {
  const trace = new BodyTrace(specs.length);
  return withInterpreter(trace, () => {
    const ins = specs.map((s, i) => trace.argument(s, i));
    const { graph } = trace.finish(f(...ins));
    return { graph, captured: [...trace.captured.keys()] };
  });
}

class BodyTrace extends Trace {
  readonly captured = new Map<Tensor, Tensor>();
  readonly #outside = interpreter();
  readonly #variables = new Map<Variable, Tensor>();
  readonly #own: number;

  constructor(own: number) {
    super();
    this.#own = own;
  }

  override apply<A>(op: OpDef<A>, ins: readonly Tensor[], attrs: A, specs: readonly Spec[]): readonly Tensor[] {
    return super.apply(
      op,
      ins.map((t) => this.#inside(t)),
      attrs,
      specs,
    );
  }

  override read(variable: Variable): Tensor {
    let value = this.#variables.get(variable);
    if (!value) {
      value = withInterpreter(this.#outside, () => variable.value);
      this.#variables.set(variable, value);
    }
    return this.#inside(value);
  }

  override write(): void {
    fail({
      op: "scan",
      expected: "a cell that changes no Variable",
      got: "one that assigns to a Variable",
      hint: "Carry what changes from step to step; assign what comes out at the end.",
    });
  }

  override guard(holds: () => boolean): void {
    this.#outside.guard?.(holds);
  }

  override finish(results: readonly Tensor[]): Traced {
    return super.finish(results.map((t) => this.#inside(t)));
  }

  #inside(t: Tensor): Tensor {
    if (t.symbol?.trace === this) return t;
    let inside = this.captured.get(t);
    if (!inside) {
      inside = this.argument(t, this.#own + this.captured.size);
      this.captured.set(t, inside);
    }
    return inside;
  }
}
