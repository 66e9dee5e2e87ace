// What a compiled step does, for people.

import { type Backend, bytesOf } from "../backend.js";
import { placeSlots } from "../slots.js";
import { showGraph } from "./graph.js";
import type { Arranged } from "./layouts.js";
import type { Planned } from "./plan.js";
import type { Traced } from "./trace.js";

/** Graph as traced and as run, kernels, layouts, and bytes. */
export function explain({
  traced,
  arranged,
  planned,
  backend,
}: {
  traced: Traced;
  arranged: Arranged;
  planned: Planned;
  backend: Backend;
}): string {
  const { graph, sources, inputLayouts } = arranged;
  const inputs = sources.map((s, i) => {
    const what = s.kind === "argument" ? `argument ${s.argument}` : s.kind;
    const layout = inputLayouts[i];
    const updated = planned.donors.includes(i)
      ? ", updated in place"
      : s.kind === "variable" && arranged.written.includes(s.variable)
        ? ", replaced"
        : "";
    return `  in${i}: ${what}${layout ? `, packed as ${layout.name}` : ""}${updated}`;
  });
  const bytes = (values: readonly number[]) => values.reduce((sum, v) => sum + bytesOf(graph.specs[v]!), 0);
  const { slots } = planned.plan;
  const kernels = planned.describe();
  return [
    `# traced: ${traced.graph.nodes.length} ops`,
    showGraph(traced.graph),
    "",
    `# compiled for ${backend.name}: ${graph.nodes.length} nodes`,
    ...inputs,
    showGraph(graph),
    "",
    `# ${kernels.length} kernels`,
    ...kernels.map((k, i) => `${String(i).padStart(4)}  ${k}`),
    "",
    `# memory: inputs ${bytes(sources.map((_, i) => i))} B, results ${bytes(graph.outputs)} B, temporaries ${placeSlots(slots).bytes} B (${slots.length} values, ${slots.reduce((n, s) => n + s.bytes, 0)} B without sharing)`,
  ].join("\n");
}
