// Fusion: pointwise chains become one map; what comes before a reduction its prologue, what comes after it, after a
// matmul, or after any kernel that allows it, its epilogue.

import { type Backend, type Epilogue, findKernel, type MapAttrs, type ReduceAttrs } from "../backend.js";
import { type Expr, input, isIndexed, linearize, substitute } from "../expr.js";
import type { OpDef } from "../op.js";
import { map, reduce } from "../primitives.js";
import { contiguousView } from "../spec.js";
import { countUses, type Graph, type GraphBuilder, type GraphNode, keepNode, rewrite } from "./graph.js";
import { removeDead } from "./simplify.js";

/** A GPU binds about eight buffers to a kernel; one is the output. */
const MAX_INPUTS = 7;
const MAX_STEPS = 256;

export function fuse(graph: Graph, backend: Backend): Graph {
  return removeDead(epilogues(removeDead(formulas(graph)), backend));
}

type MapNodeAttrs = MapAttrs & { readonly shape: readonly number[] };
const isMap = (node: GraphNode): boolean => node.op === (map as OpDef) && !node.epilogue;
const isReduce = (node: GraphNode): boolean => node.op === (reduce as OpDef) && !node.epilogue;

/** Maps into maps and into reductions. */
function formulas(graph: Graph): Graph {
  const users = consumers(graph);
  return rewrite(graph, (node, ins, to) => {
    if (!isMap(node) && !isReduce(node)) return keepNode(node, ins, graph, to);
    const outer = isMap(node) ? (node.attrs as MapNodeAttrs).expr : (node.attrs as ReduceAttrs).prologue;
    const used: number[] = [];
    const number = (v: number) => (used.includes(v) ? used.indexOf(v) : used.push(v) - 1);
    let steps = linearize(outer).length;
    let left = MAX_INPUTS - new Set(ins).size;
    const inner = ins.map((v, i): Expr | null => {
      const constant = constantOf(v, to);
      if (constant) return constant;
      const from = to.producer(v);
      if (!from || !isMap(from)) return null;
      const { expr } = from.attrs as MapNodeAttrs;
      const size = linearize(expr).length;
      const alone = users[node.ins[i]!] === 1;
      if (!alone && !(from.ins.length === 0 && size <= 8)) return null;
      const more = from.ins.filter((u) => !ins.includes(u)).length;
      if (steps + size > MAX_STEPS || (more > 1 && left < more)) return null;
      steps += size;
      left -= more;
      return substitute(expr, (k, dtype) => input(number(from.ins[k]!), dtype));
    });
    const expr = substitute(outer, (i, dtype) => inner[i] ?? input(number(ins[i]!), dtype));
    if (isMap(node)) return to.add(map, used, { ...(node.attrs as MapNodeAttrs), expr }, [graph.specs[node.outs[0]!]!]);
    if (used.length === 0) return keepNode(node, ins, graph, to); // a reduction takes its shape from an input
    return to.add(reduce, used, { ...(node.attrs as ReduceAttrs), prologue: expr }, [graph.specs[node.outs[0]!]!]);
  });
}

/** Maps into the kernels before them. */
function epilogues(graph: Graph, backend: Backend): Graph {
  const users = consumers(graph);
  return rewrite(graph, (node, ins, to) => {
    if (!isMap(node)) return keepNode(node, ins, graph, to);
    const out = graph.specs[node.outs[0]!]!;
    const { expr } = node.attrs as MapNodeAttrs;
    // A kernel knows where its result goes, but not at which coordinates it is.
    if (isIndexed(expr)) return keepNode(node, ins, graph, to);
    for (const [i, v] of ins.entries()) {
      const from = to.producer(v);
      if (from?.outs.length !== 1 || users[node.ins[i]!] !== 1 || to.specs[v]!.dtype !== out.dtype) continue;
      if (from.op.view || from.op.assemble || isMap(from) || !fusesEpilogue(from, to, backend)) continue;
      const rest = ins.filter((u) => u !== v);
      const extra = from.epilogue?.extra ?? 0;
      if (from.ins.length + rest.length > MAX_INPUTS) continue;
      const result = from.epilogue?.expr ?? input(0, out.dtype);
      const fused = substitute(expr, (k, dtype) =>
        ins[k] === v ? result : input(1 + extra + rest.indexOf(ins[k]!), dtype),
      );
      const epilogue: Epilogue = { expr: fused, extra: extra + rest.length };
      return to.add(from.op, [...from.ins, ...rest], from.attrs, [out], { epilogue, modules: from.modules });
    }
    return keepNode(node, ins, graph, to);
  });
}

function fusesEpilogue(node: GraphNode, to: GraphBuilder, backend: Backend): boolean {
  const own = node.ins.slice(0, node.ins.length - (node.epilogue?.extra ?? 0));
  const signature = {
    ins: own.map((v) => to.view(v)),
    outs: node.outs.map((v) => contiguousView(to.specs[v]!)),
    attrs: node.attrs,
  };
  return findKernel(backend, node.op.name, signature)?.fusesEpilogue ?? false;
}

/** How many nodes use each value; outputs of the graph count as one more. */
function consumers(graph: Graph): number[] {
  return countUses({ ...graph, nodes: graph.nodes.map((n) => ({ ...n, ins: [...new Set(n.ins)] })) });
}

/** The constant a value is, looked up through views: the same everywhere. */
function constantOf(v: number, to: GraphBuilder): Expr | null {
  let node = to.producer(v);
  while (node?.op.view) node = to.producer(node.ins[0]!);
  if (!node || !isMap(node)) return null;
  const { expr } = node.attrs as MapNodeAttrs;
  return expr.k === "const" ? expr : null;
}
