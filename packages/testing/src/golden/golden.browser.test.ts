// Our own figures in a browser, on every variant of the wasm backend: where memory can be shared with threads, too.

import { reference, setBackend } from "@nn/tensor";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { backends, wasmVariants } from "../backends.js";
import { runFamily } from "./runner.js";
import { families, load } from "./served.js";

const variants = [...wasmVariants.alone, ...(inject("isolated") ? wasmVariants.shared : [])];
const runs = variants.flatMap((backend) => [false, true].map((compiled) => ({ backend, compiled })));

describe.each(runs)("golden figures on $backend, compiled: $compiled", ({ backend, compiled }) => {
  let seen = 0;
  beforeAll(async () => setBackend(await backends[backend]!()));
  afterAll(() => setBackend(reference()));

  it.each(families)("%s", { timeout: 120_000 }, async (family) => {
    const report = await runFamily(family, await load(family), { compiled });
    seen += report.passed + report.notBuilt;
    expect(report.outcomes.filter((o) => o.kind === "failed")).toEqual([]);
  });

  it("are all there", () => expect(seen).toBe(571));
});
