// Our own figures, on every backend: every case passes or is listed by name.

import { fileURLToPath } from "node:url";
import { reference, setBackend } from "@nn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends, wasmVariants } from "../backends.js";
import { familiesIn, loadFamily } from "./loader.js";
import { describeReport, type Report, runFamily } from "./runner.js";

const dir = fileURLToPath(new URL("../../golden", import.meta.url));
const families = familiesIn(dir);
const runs = ["reference", ...Object.values(wasmVariants).flat()].flatMap((backend) =>
  [false, true].map((compiled) => ({ backend, compiled })),
);

describe.each(runs)("golden figures on $backend, compiled: $compiled", ({ backend, compiled }) => {
  const reports: Report[] = [];
  beforeAll(async () => setBackend(await backends[backend]!()));
  afterAll(() => setBackend(reference()));

  it.each(families)("%s", { timeout: 120_000 }, async (family) => {
    const report = await runFamily(family, loadFamily(dir, family), { compiled });
    reports.push(report);
    expect(report.outcomes.filter((o) => o.kind === "failed")).toEqual([]);
  });

  it("has the cases that are not built yet listed", () => {
    const open = reports.flatMap((r) =>
      r.outcomes.flatMap((o) => (o.kind === "not built" ? [`${r.family}/${o.id}: ${o.reason}`] : [])),
    );
    const passed = reports.reduce((n, r) => n + r.passed, 0);
    const list = backend === "reference" ? `\n  ${open.join("\n  ")}` : "";
    const how = `golden on ${backend}, ${compiled ? "compiled" : "eager"}`;
    console.log(`${how}: ${passed} passed, ${open.length} not built yet${list}`);
    expect(passed + open.length).toBe(571);
  });
});

describe("the report", () => {
  it("names what failed, with the numbers", async () => {
    const c = loadFamily(dir, "ops").find(({ id }) => id === "exp")!;
    const wrong = new Map(c.tensors);
    const y = c.tensors.get("out.y")!;
    wrong.set("out.y", { ...y, data: y.data.map((v, i) => (i === 3 ? v * 1.001 : v)) });
    const report = await runFamily("ops", [{ ...c, tensors: wrong }], { compiled: false });
    expect(report).toMatchObject({ passed: 0, failed: 1, notBuilt: 0 });
    expect(describeReport(report)).toMatch(
      /FAILED ops\/exp {2}out\.y: got .* want .* at element 3 of \(3,5\); error .*, allowed/,
    );
  });

  it("lists unknown ops and arguments as not built, with the reason", async () => {
    const [c] = loadFamily(dir, "activation") as [ReturnType<typeof loadFamily>[number]];
    const strange = [
      { ...c, op: "Zelu" },
      { ...c, args: { wobble: 3 } },
      { ...c, family: "magic" },
    ];
    const { outcomes } = await runFamily("activation", strange, { compiled: false });
    expect(outcomes.map((o) => o.kind === "not built" && o.reason)).toEqual([
      "no Zelu",
      "no argument wobble",
      'no family "magic"',
    ]);
  });

  it("fails what does not fit", async () => {
    const [c] = loadFamily(dir, "dense") as [ReturnType<typeof loadFamily>[number]];
    const { outcomes } = await runFamily("dense", [{ ...c, args: { ...c.args, out_features: 8 } }], {
      compiled: false,
    });
    expect(outcomes[0]).toMatchObject({ kind: "failed", faults: [expect.stringContaining("wrong shapes: weight")] });
  });
});
