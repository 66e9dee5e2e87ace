// Our own figures on WebGPU in a browser, with the kernel packs, eager and compiled, but for the families that take minutes on a GPU in
// software: once, as WebGPU is the same on both kinds of page.

import { reference, setBackend } from "@nn/tensor";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { backends } from "../backends.js";
import { whyNoWebgpu } from "../webgpu.js";
import { runFamily } from "./runner.js";
import { families, load } from "./served.js";

const missing = inject("isolated") ? "on the other page" : await whyNoWebgpu();
const short = families.filter((family) => inject("whole") || !["train", "optim", "init", "sched"].includes(family));

describe.skipIf(missing)(`golden figures on webgpu${missing ? ` (${missing})` : ""}`, () => {
  beforeAll(async () => setBackend(await backends["webgpu"]!()));
  afterAll(() => setBackend(reference()));

  for (const compiled of [false, true]) {
    it.each(short)(`%s, compiled: ${compiled}`, { timeout: 240_000 }, async (family) => {
      const report = await runFamily(family, await load(family), { compiled });
      expect(report.outcomes.filter((o) => o.kind === "failed")).toEqual([]);
    });
  }
});
