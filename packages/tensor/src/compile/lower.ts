// Lowering: a graph of any ops becomes one of views, assemblies, maps, and ops the backend has kernels for.

import { type Backend, findKernel, needKernel } from "../backend.js";
import { insideModules } from "../errors.js";
import { input } from "../expr.js";
import { withInterpreter } from "../interpreter.js";
import type { OpDef } from "../op.js";
import { contiguous } from "../ops/movement.js";
import { expandOp, map } from "../primitives.js";
import { contiguousView, type Spec, sameShape, type View } from "../spec.js";
import type { Tensor } from "../tensor.js";
import type { Graph } from "./graph.js";
import { Trace, type Traced } from "./trace.js";

/** Traces the graph again, op by op, lowering what has to be. Constants that lowerings make become inputs. */
export function lower(traced: Traced, backend: Backend): Traced {
  const to = new Lowering(backend);
  const { graph, written } = traced;
  return withInterpreter(to, () => {
    const now: Tensor[] = traced.sources.map((source, i) => {
      if (source.kind === "argument") return to.argument(graph.specs[i]!, source.argument);
      return source.kind === "variable" ? to.read(source.variable) : source.tensor;
    });
    for (const { op, ins, attrs, outs, modules } of graph.nodes) {
      const results = insideModules(modules, () =>
        to.apply(
          op,
          ins.map((v) => now[v]!),
          attrs,
          outs.map((v) => graph.specs[v]!),
        ),
      );
      outs.forEach((v, i) => {
        now[v] = results[i]!;
      });
    }
    const outputs = graph.outputs.map((v) => now[v]!);
    const results = outputs.slice(0, outputs.length - written.length);
    written.forEach((v, i) => {
      to.write(v, outputs[results.length + i]!);
    });
    return { ...to.finish(results), guards: traced.guards };
  });
}

class Lowering extends Trace {
  readonly #backend: Backend;
  /** Where the elements of a view's result lie in its root; absent: contiguous. */
  readonly #views = new Map<Tensor, View>();

  constructor(backend: Backend) {
    super();
    this.#backend = backend;
  }

  override apply<A>(op: OpDef<A>, ins: readonly Tensor[], attrs: A, outs: readonly Spec[]): readonly Tensor[] {
    if (op.view) {
      const x = op.view(this.#viewOf(ins[0]!), attrs) ? ins[0]! : contiguous(ins[0]!);
      const result = super.apply(op, [x], attrs, outs);
      this.#views.set(result[0]!, op.view(this.#viewOf(x), attrs)!);
      return result;
    }
    if (op.assemble) return super.apply(op, ins, attrs, outs);
    if (op.expr) {
      const { shape } = outs[0]!;
      const wide = ins.map((t) =>
        sameShape(t.shape, shape) ? t : this.apply(expandOp, [t], { shape }, [{ shape, dtype: t.dtype }])[0]!,
      );
      const expr = op.expr(
        ins.map((t, i) => input(i, t.dtype)),
        attrs,
      );
      return super.apply(map, wide, { expr, shape }, outs);
    }
    const signature = { ins: ins.map((t) => this.#viewOf(t)), outs: outs.map(contiguousView), attrs };
    if (!findKernel(this.#backend, op.name, signature)) {
      if (op.lower) return op.lower(ins, attrs);
      needKernel(this.#backend, op.name, signature);
    }
    return super.apply(op, ins, attrs, outs);
  }

  #viewOf(t: Tensor): View {
    return this.#views.get(t) ?? contiguousView(t);
  }
}

/** Gives every output a buffer of its own: copies those that are inputs, views, or there twice. */
export function ownOutputs(graph: Graph): Graph {
  const made = new Set(graph.nodes.flatMap((n) => (n.op.view ? [] : n.outs)));
  const nodes = [...graph.nodes];
  const specs = [...graph.specs];
  const outputs = graph.outputs.map((v) => {
    if (made.delete(v)) return v;
    const spec = specs[v]!;
    const copy = specs.push(spec) - 1;
    const attrs = { expr: input(0, spec.dtype), shape: spec.shape };
    nodes.push({ op: map, attrs, ins: [v], outs: [copy] });
    return copy;
  });
  return { ...graph, specs, nodes, outputs };
}
