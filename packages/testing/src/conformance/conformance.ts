// The conformance suite: what any backend must do. To be called in a test file of the backend:
//
//   testBackend(() => wasm(), { skip: [{ ops: ["pow"], reason: "why, and where it is being fixed" }] });

import { type Backend, getBackend, setBackend } from "@nn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bench, type Skip } from "./harness.js";
import { indexing } from "./indexing.js";
import { maps } from "./map.js";
import { opsAndLayers } from "./ops.js";
import { plans } from "./plans.js";
import { reductions } from "./reduce.js";
import { scalars } from "./scalars.js";

export type { Skip } from "./harness.js";

export interface ConformanceOptions {
  /** What the backend cannot do, with the reason; a name no test has is an error. */
  readonly skip?: readonly Skip[];
}

/** Defines the tests: floor kernels, plans, memory, and every op and layer with its gradients, eager and compiled. */
export function testBackend(
  makeBackend: () => Backend | Promise<Backend>,
  { skip = [] }: ConformanceOptions = {},
): void {
  describe("conformance", () => {
    let backend: Backend | undefined;
    let before: Backend;
    beforeAll(async () => {
      before = getBackend();
      backend = await makeBackend();
      setBackend(backend);
    });
    afterAll(() => setBackend(before));

    const used = new Set<string>();
    const suite = bench(() => backend!, skip, used);
    scalars(suite);
    maps(suite);
    reductions(suite);
    indexing(suite);
    plans(suite);
    opsAndLayers(suite);

    it("skips only what there is", () => {
      const named = skip.flatMap(({ ops }) => ops);
      expect(named.filter((op) => !used.has(op))).toEqual([]);
    });
  });
}
