// What needs no computing, and what was computed already: dead code and common subexpressions.

import { type Graph, keepNode, nodeKey, rewrite } from "./graph.js";

/** Leaves out nodes nobody uses. */
export function removeDead(graph: Graph): Graph {
  const live = new Set(graph.outputs);
  const kept = new Set<number>();
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (!node.outs.some((v) => live.has(v))) continue;
    kept.add(i);
    for (const v of node.ins) live.add(v);
  }
  return rewrite(graph, (node, ins, to, i) => (kept.has(i) ? keepNode(node, ins, graph, to) : []));
}

/** Computes equal nodes once. Ops are pure: randomness comes in through a Variable's value. */
export function shareCommon(graph: Graph): Graph {
  const known = new Map<string, readonly number[]>();
  return rewrite(graph, (node, ins, to) => {
    const key = nodeKey(node, ins);
    let outs = known.get(key);
    if (!outs) {
      outs = keepNode(node, ins, graph, to);
      known.set(key, outs);
    }
    return outs;
  });
}
