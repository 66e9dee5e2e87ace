// The plan of a scan's body, for kernels that run the loop.

import type { Backend, Layout, Plan } from "../backend.js";
import { passes } from "../compile/passes.js";
import { planGraph } from "../compile/plan.js";
import { releaseConstants, type Source } from "../compile/trace.js";
import type { Variable } from "../variable.js";
import type { ScanBody } from "./body.js";

/** A step of a scan. Inputs and results of the plan are those of the body. */
export interface PlannedBody<Code> {
  readonly plan: Plan<Code>;
  /** How what the body closes over should lie: it can be packed before the loop. */
  readonly layouts: readonly (Layout | null)[];
}

/**
 * The plan of a step; null where a lowering needs data of its own, which has no place in the loop.
 *
 * @param own inputs that change from step to step; the others are what the body closes over
 */
export function planBody<Code>(body: ScanBody, own: number, backend: Backend<Code>): PlannedBody<Code> | null {
  let byBody = planned.get(backend);
  if (!byBody) planned.set(backend, (byBody = new WeakMap()));
  let found = byBody.get(body);
  if (found === undefined) byBody.set(body, (found = plan(body, own, backend)));
  return found as PlannedBody<Code> | null;
}
const planned = new WeakMap<object, WeakMap<ScanBody, PlannedBody<unknown> | null>>();

function plan({ graph }: ScanBody, own: number, backend: Backend): PlannedBody<unknown> | null {
  // What stays the same is packed as a Variable would be: as its first user wants it.
  const sources = graph.specs.slice(0, graph.inputs).map((spec, i): Source => {
    if (i < own) return { kind: "argument", argument: i };
    return { kind: "variable", variable: { shape: spec.shape, dtype: spec.dtype } as Variable };
  });
  const arranged = passes({ graph, sources, written: [], guards: [] }, backend);
  releaseConstants(arranged.sources);
  if (arranged.sources.length > graph.inputs) return null;
  const wished = arranged.graph.outputs.map(() => -1);
  return { plan: planGraph(arranged.graph, backend, wished).plan, layouts: arranged.inputLayouts };
}
