// The passes from what was traced to what is planned, in their order.

import type { Backend } from "../backend.js";
import { fuse } from "./fuse.js";
import { type Arranged, arrange } from "./layouts.js";
import { lower, ownOutputs } from "./lower.js";
import { removeDead, shareCommon } from "./simplify.js";
import { releaseConstants, type Traced } from "./trace.js";

/** Lowered, shared, fused and arranged for a backend. Takes over the constants that the trace holds. */
export function passes(traced: Traced, backend: Backend): Arranged {
  const lowered = lower(traced, backend);
  releaseConstants(traced.sources); // the lowered graph has taken hold of those it needs
  const owned = ownOutputs(shareCommon(removeDead(lowered.graph)));
  return arrange({ ...lowered, graph: fuse(owned, backend) }, backend);
}
