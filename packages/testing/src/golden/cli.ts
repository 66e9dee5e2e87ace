// npm run golden -- [--dir DIR] [--backend NAME] [--family NAME] [--compiled]

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { setBackend } from "@nn/tensor";
import { backends } from "../backends.js";
import { familiesIn, loadFamily } from "./loader.js";
import { describeReport, runFamily } from "./runner.js";

const USAGE = "usage: npm run golden -- [--dir DIR] [--backend NAME] [--family NAME] [--compiled]";

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (e) {
  console.error(`${e instanceof Error ? e.message : e}\n${USAGE}`);
  process.exitCode = 1;
}

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      dir: { type: "string" },
      backend: { type: "string", default: "reference" },
      family: { type: "string", multiple: true },
      compiled: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  // npm runs scripts in the package's root; INIT_CWD is where the user was.
  const dir = values.dir === undefined ? goldenDir() : resolve(process.env.INIT_CWD ?? process.cwd(), values.dir);
  const known = familiesIn(dir);
  const wanted = values.family ?? known;
  const strange = wanted.find((f) => !known.includes(f));
  if (strange !== undefined) throw new Error(`no family "${strange}" in ${dir}: there are ${known.join(", ")}`);
  const make = backends[values.backend];
  if (!make) throw new Error(`no backend "${values.backend}": there are ${Object.keys(backends).join(", ")}`);
  setBackend(await make());

  console.log(`golden figures of ${dir}, backend ${values.backend}, ${values.compiled ? "compiled" : "eager"}`);
  const total = { passed: 0, failed: 0, notBuilt: 0 };
  for (const family of wanted) {
    const report = await runFamily(family, loadFamily(dir, family), { compiled: values.compiled });
    console.log(describeReport(report));
    for (const key of ["passed", "failed", "notBuilt"] as const) total[key] += report[key];
  }
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.notBuilt} skipped`);
  return total.failed > 0 ? 1 : 0;
}

/** The package's own figures: found from its package.json, as this file runs from src and, bundled, from dist. */
function goldenDir(): string {
  let at = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(at, "package.json"))) at = dirname(at);
  return join(at, "golden");
}
