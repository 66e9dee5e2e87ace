// The plan: views are resolved, kernels emitted, and every value is given a place.

import {
  type Backend,
  bytesOf,
  type Kernel,
  needKernel,
  type Plan,
  type PlanStep,
  type Ref,
  type Signature,
  type Slot,
} from "../backend.js";
import { show } from "../errors.js";
import { exprKey, input, num } from "../expr.js";
import { convert, layoutKey, type Place } from "../layout.js";
import { attrsKey, type OpDef } from "../op.js";
import { map } from "../primitives.js";
import { contiguousView, isContiguous, sameShape, type View } from "../spec.js";
import { viewKey } from "../view.js";
import type { Graph, GraphNode } from "./graph.js";
import { type ConversionAttrs, pack, unpack } from "./layouts.js";

export interface Planned {
  readonly plan: Plan<unknown>;
  /** For each output the input whose buffer it takes over, or −1. */
  readonly donors: readonly number[];
  /** What runs, a line per kernel, for people. */
  describe(): readonly string[];
}

/** Where a value is: the value whose buffer it lies in, and a view of that. */
type Where = Place<number>;

/**
 * @param donors for each output an input that it may overwrite (a Variable's old value), or −1
 */
export function planGraph(graph: Graph, backend: Backend, wished: readonly number[]): Planned {
  const specs = [...graph.specs]; // more to come: temporaries of conversions
  const where: Where[] = [];
  for (let v = 0; v < graph.inputs; v++) where[v] = { root: v, view: contiguousView(graph.specs[v]!) };

  // Which kernels run, in terms of root values.
  const work: { op: string; signature: Signature; kernel: Kernel; ins: number[]; outs: number[]; node: GraphNode }[] =
    [];
  const run = (
    node: GraphNode,
    op: string,
    ins: readonly Where[],
    outs: readonly Where[],
    more: Omit<Signature, "ins" | "outs">,
  ) => {
    const signature: Signature = { ins: ins.map((w) => w.view), outs: outs.map((w) => w.view), ...more };
    const kernel = node.kernel ?? needKernel(backend, op, signature);
    work.push({ op, signature, kernel, ins: ins.map((w) => w.root), outs: outs.map((w) => w.root), node });
  };
  for (const node of graph.nodes) {
    const ins = node.ins.map((v, i) =>
      node.logical ? { root: where[v]!.root, view: logicalView(where[v]!.view, node.logical.ins[i]!) } : where[v]!,
    );
    if (node.op.view) {
      const view = node.op.view(ins[0]!.view, node.attrs)!; // lowering made sure
      where[node.outs[0]!] = { root: ins[0]!.root, view };
      continue;
    }
    for (const v of node.outs) where[v] = { root: v, view: contiguousView(graph.specs[v]!) };
    if (node.op === (pack as OpDef) || node.op === (unpack as OpDef)) {
      const { layout, plain } = node.attrs as ConversionAttrs;
      convert(node.op.name as "pack" | "unpack", plain, layout, ins[0]!.root, node.outs[0]!, {
        temporary: (spec) => specs.push(spec) - 1,
        map: (expr, sources, out) => run(node, "map", sources, [out], { attrs: { expr } }),
      });
      continue;
    }
    if (node.op.assemble) {
      const out = where[node.outs[0]!]!;
      const { fill, views, accumulate } = node.op.assemble(
        node.ins.map((v) => graph.specs[v]!),
        node.attrs,
      );
      const { dtype } = out.view;
      if (fill !== undefined) run(node, "map", [], [out], { attrs: { expr: num(fill, dtype) } });
      views.forEach((view, i) => {
        run(node, "map", [ins[i]!], [{ root: out.root, view }], {
          attrs: { expr: input(0, dtype), accumulate },
        });
      });
      continue;
    }
    const outs = node.outs.map((v, i) => ({ root: v, view: contiguousView(node.logical?.outs[i] ?? graph.specs[v]!) }));
    const attrs = node.op === (map as OpDef) ? { expr: (node.attrs as { expr: unknown }).expr } : node.attrs;
    const { epilogue, layouts } = node;
    run(node, node.op.name, ins, outs, { attrs, epilogue, layouts });
  }

  // Of each root value the step.
  const lastRead: number[] = [];
  const firstWrite: number[] = [];
  const lastWrite: number[] = [];
  work.forEach(({ ins, outs }, step) => {
    for (const root of ins) lastRead[root] = step;
    for (const root of outs) {
      firstWrite[root] ??= step;
      lastWrite[root] = step;
    }
  });
  const donors = graph.outputs.map((v, i) => (mayOverwrite(wished[i] ?? -1, v) ? wished[i]! : -1));

  /** Whether output `v` may be written over input `old`: nobody reads the old value after, and the step that writes reads it in step. */
  function mayOverwrite(old: number, v: number): boolean {
    if (old < 0) return false;
    const first = firstWrite[v]!;
    const last = lastRead[old] ?? -1;
    if (last < first) return true;
    if (last > first || lastWrite[v] !== first) return false;
    const { op, signature, ins } = work[first]!;
    return (
      op === "map" &&
      isContiguous(signature.outs[0]!) &&
      ins.every(
        (root, k) =>
          root !== old ||
          (isContiguous(signature.ins[k]!) && sameShape(signature.ins[k]!.shape, graph.specs[old]!.shape)),
      )
    );
  }

  const slots: Slot[] = [];
  const slotOf: number[] = [];
  const refOf = (root: number): Ref => {
    if (root < graph.inputs) return { input: root };
    const result = graph.outputs.indexOf(root);
    if (result >= 0) return { result };
    const from = firstWrite[root]!;
    const to = Math.max(lastRead[root] ?? 0, lastWrite[root]!);
    slotOf[root] ??= slots.push({ bytes: bytesOf(specs[root]!), from, to }) - 1;
    return { slot: slotOf[root] };
  };
  // Steps with equal signatures share their code.
  const codes = new Map<Kernel, Map<string, unknown>>();
  const codeOf = (kernel: Kernel, signature: Signature): unknown => {
    const known = codes.get(kernel) ?? new Map<string, unknown>();
    codes.set(kernel, known);
    const key = signatureKey(signature);
    if (!known.has(key)) known.set(key, kernel.emit(signature));
    return known.get(key);
  };
  const steps = work.map(
    ({ kernel, signature, ins, outs, node }): PlanStep<unknown> => ({
      code: codeOf(kernel, signature),
      ins: ins.map(refOf),
      outs: outs.map(refOf),
      modules: node.modules,
    }),
  );
  return { plan: { steps, slots }, donors, describe: () => work.map(describe) };
}

/** A text that tells signatures of one kernel apart. */
function signatureKey({ ins, outs, attrs, epilogue, layouts }: Signature): string {
  const views = [...ins, ...outs].map(viewKey).join(" ");
  const packed = layouts ? [...layouts.ins, ...layouts.outs].map((l) => l?.name + layoutKey(l)).join() : "";
  return `${views} ${attrsKey(attrs, exprKey)} ${epilogue ? exprKey(epilogue.expr) : ""} ${packed}`;
}

/** A packed input is handed to its kernel as what it is without packing. */
function logicalView(view: View, plain: { readonly shape: readonly number[]; readonly dtype: View["dtype"] }): View {
  return sameShape(view.shape, plain.shape) ? view : contiguousView(plain);
}

function describe({ op, signature, node }: { op: string; signature: Signature; node: GraphNode }): string {
  const shapes = (views: readonly View[]) => views.map((v) => show(v.shape)).join(" ");
  const why = node.op.name === op ? "" : ` for ${node.op.name}`;
  return `${op}${why} ${shapes(signature.ins)} → ${shapes(signature.outs)}${signature.epilogue ? " with epilogue" : ""}`;
}
