// Our own figures on WebGPU: with the kernel packs compiled, and eager for the families that they are for; without them, so
// that the lowerings run, a few. Not `train`, which takes a minute on a GPU in software. All of them:
// npm run golden -- --backend webgpu (or webgpu-alone) [--compiled]

import { fileURLToPath } from "node:url";
import { reference, setBackend } from "@nn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../backends.js";
import { whyNoWebgpu } from "../webgpu.js";
import { familiesIn, loadFamily } from "./loader.js";
import { runFamily } from "./runner.js";

const dir = fileURLToPath(new URL("../../golden", import.meta.url));
const families = familiesIn(dir).filter((family) => process.env["NN_WHOLE"] || family !== "train");
const runs = [
  { backend: "webgpu", compiled: true, families },
  { backend: "webgpu", compiled: false, families: ["conv", "pool", "norm", "rnn"] },
  { backend: "webgpu-alone", compiled: true, families: ["conv", "pool", "norm"] },
];
const missing = await whyNoWebgpu();

const why = missing ? ` (${missing})` : "";
describe.skipIf(missing).each(runs)(`golden figures on $backend, compiled: $compiled${why}`, (run) => {
  beforeAll(async () => setBackend(await backends[run.backend]!()));
  afterAll(() => setBackend(reference()));

  it.each(run.families)("%s", { timeout: 240_000 }, async (family) => {
    const report = await runFamily(family, loadFamily(dir, family), run);
    expect(report.outcomes.filter((o) => o.kind === "failed")).toEqual([]);
  });
});
