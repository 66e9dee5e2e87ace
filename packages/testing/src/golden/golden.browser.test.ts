// Our own figures in a browser, on every variant of the wasm backend: where memory can be shared with threads, too.

import { reference, setBackend } from "@nn/tensor";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { backends, wasmVariants } from "../backends.js";
import { parseFamily } from "./parse.js";
import { runFamily } from "./runner.js";

/** Addresses of the files, by their paths. */
const files = (import.meta as unknown as Glob).glob(["../../golden/*.json", "../../golden/*.safetensors"], {
  query: "?url",
  import: "default",
  eager: true,
});
interface Glob {
  glob(patterns: string[], options: object): Record<string, string>;
}

const load = async (family: string) => {
  const [json, binary] = ["json", "safetensors"].map((type) => files[`../../golden/${family}.${type}`]);
  const bytes = binary && new Uint8Array(await (await fetch(binary)).arrayBuffer());
  return parseFamily(family, await (await fetch(json!)).text(), bytes || undefined);
};
const families = Object.keys(files).flatMap((path) => path.match(/([^/]+)\.json$/)?.[1] ?? []);

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
