// A graph: ops in order, and the values between them, by number.

import type { Arrangement, Epilogue, Kernel } from "../backend.js";
import { insideModules, type Modules, modulesNow } from "../errors.js";
import { exprKey, showExpr } from "../expr.js";
import { attrsKey, type OpDef, opId } from "../op.js";
import { contiguousView, type Spec, type View } from "../spec.js";

/** Values 0 … inputs − 1 are the inputs; every node adds its outputs. */
export interface Graph {
  readonly inputs: number;
  /** Spec of every value. */
  readonly specs: readonly Spec[];
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly number[];
}

export interface GraphNode {
  readonly op: OpDef;
  readonly attrs: unknown;
  readonly ins: readonly number[];
  readonly outs: readonly number[];
  /** In whose forward it was called; for errors. */
  readonly modules?: Modules;
  /** A pointwise formula applied to the (first) result; its extra inputs are the last of `ins`. */
  readonly epilogue?: Epilogue | undefined;
  /** Where inputs or outputs are packed: what they are without packing. */
  readonly logical?: { readonly ins: readonly Spec[]; readonly outs: readonly Spec[] };
  /** Which arrangements of those that its kernel can do with were chosen. */
  readonly layouts?: Arrangement;
  /** The kernel that was chosen for it, where its choice mattered for the layouts. */
  readonly kernel?: Kernel | undefined;
  /** Why it is there, for people. */
  readonly note?: string;
}

/** Builds a graph node by node. */
export class GraphBuilder {
  readonly specs: Spec[] = [];
  readonly nodes: GraphNode[] = [];
  inputs = 0;
  readonly #producers: GraphNode[] = [];

  /** The node a value comes from; `undefined` for an input. */
  producer(value: number): GraphNode | undefined {
    return this.#producers[value];
  }

  /** Where the elements of a value lie in the buffer it is a view of. */
  view(value: number): View {
    const from = this.producer(value);
    return from?.op.view?.(this.view(from.ins[0]!), from.attrs) ?? contiguousView(this.specs[value]!);
  }

  /** All inputs come before the first node. */
  input(spec: Spec): number {
    this.inputs++;
    return this.specs.push({ shape: spec.shape, dtype: spec.dtype }) - 1;
  }

  add<A>(
    op: OpDef<A>,
    ins: readonly number[],
    attrs: A,
    specs: readonly Spec[],
    more: Pick<GraphNode, "modules" | "epilogue" | "logical" | "layouts" | "kernel" | "note"> = {},
  ): readonly number[] {
    const outs = specs.map((s) => this.specs.push({ shape: s.shape, dtype: s.dtype }) - 1);
    const node: GraphNode = { op, attrs, ins, outs, modules: modulesNow, ...more };
    this.nodes.push(node);
    for (const v of outs) this.#producers[v] = node;
    return outs;
  }

  graph(outputs: readonly number[]): Graph {
    return { inputs: this.inputs, specs: this.specs, nodes: this.nodes, outputs };
  }
}

/**
 * The frame of a pass: a new graph with the same inputs and outputs, where `each` says what becomes of a node. It
 * adds what it likes to the builder and returns the values that stand for the node's outputs.
 */
export function rewrite(
  graph: Graph,
  each: (node: GraphNode, ins: readonly number[], to: GraphBuilder, index: number) => readonly number[],
): Graph {
  const to = new GraphBuilder();
  const now = graph.specs.slice(0, graph.inputs).map((s) => to.input(s));
  graph.nodes.forEach((node, index) => {
    const ins = node.ins.map((v) => now[v]!);
    const outs = insideModules(node.modules, () => each(node, ins, to, index));
    node.outs.forEach((v, i) => {
      now[v] = outs[i]!;
    });
  });
  return to.graph(graph.outputs.map((v) => now[v]!));
}

/** Keeps a node as it is. */
export function keepNode(node: GraphNode, ins: readonly number[], graph: Graph, to: GraphBuilder): readonly number[] {
  return to.add(
    node.op,
    ins,
    node.attrs,
    node.outs.map((v) => graph.specs[v]!),
    { epilogue: node.epilogue },
  );
}

/** How often each value is used, outputs of the graph included. */
export function countUses(graph: Graph): number[] {
  const uses = new Array<number>(graph.specs.length).fill(0);
  for (const { ins } of graph.nodes) for (const v of ins) uses[v]!++;
  for (const v of graph.outputs) uses[v]!++;
  return uses;
}

/** A short text that tells nodes apart. */
export function nodeKey(node: GraphNode, ins: readonly number[]): string {
  return `${opId(node.op)}${attrsKey(node.attrs, exprKey)}${node.epilogue ? exprKey(node.epilogue.expr) : ""}(${ins})`;
}

/** A graph as people read it, a line per node. */
export function showGraph(graph: Graph): string {
  const spec = (v: number) => `${graph.specs[v]!.dtype}(${graph.specs[v]!.shape})`;
  const name = (v: number) => (v < graph.inputs ? `in${v}` : `v${v}`);
  const inputs = Array.from({ length: graph.inputs }, (_, v) => `in${v}: ${spec(v)}`);
  const nodes = graph.nodes.map((n) => {
    const attrs = attrsKey(n.attrs, showExpr);
    const after = n.epilogue ? ` then ${showExpr(n.epilogue.expr)}` : "";
    return `${n.outs.map((v) => `${name(v)}: ${spec(v)}`).join(", ")} = ${n.op.name}(${n.ins.map(name).join(", ")})${attrs === "{}" ? "" : ` ${attrs}`}${after}${n.note ? `   # ${n.note}` : ""}`;
  });
  return [...inputs, ...nodes, `→ ${graph.outputs.map(name).join(", ")}`].join("\n");
}
