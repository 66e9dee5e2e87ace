// Our own figures on WebGPU, compiled, but for two families that take minutes on a GPU in software. All of them:
// npm run golden -- --backend webgpu [--compiled]

import { fileURLToPath } from "node:url";
import { reference, setBackend } from "@nn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { webgpuHere, whyNoWebgpu } from "../webgpu.js";
import { familiesIn, loadFamily } from "./loader.js";
import { runFamily } from "./runner.js";

const dir = fileURLToPath(new URL("../../golden", import.meta.url));
const families = familiesIn(dir).filter((family) => !["rnn", "train"].includes(family));
const missing = await whyNoWebgpu();

describe.skipIf(missing)(`golden figures on webgpu, compiled${missing ? ` (${missing})` : ""}`, () => {
  beforeAll(async () => setBackend(await webgpuHere()));
  afterAll(() => setBackend(reference()));

  it.each(families)("%s", { timeout: 240_000 }, async (family) => {
    const report = await runFamily(family, loadFamily(dir, family), { compiled: true });
    expect(report.outcomes.filter((o) => o.kind === "failed")).toEqual([]);
  });
});
