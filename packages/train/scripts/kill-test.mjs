/**
 * Kills training again and again (SIGKILL), in the middle of checkpoint writes too, and resumes it. Each run must go on from a whole checkpoint, no older
 * than the last that was reported as written, and end with the same bytes as one that nobody disturbed.
 *
 *     node packages/train/scripts/kill-test.mjs [--kills 200] [--seed 1]
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const { values } = parseArgs({
  options: { kills: { type: "string", default: "200" }, seed: { type: "string", default: "1" } },
});
const wanted = Number(values.kills);
const random = mulberry(Number(values.seed));

const temp = mkdtempSync(join(tmpdir(), "nn-kill-"));
process.on("exit", () => rmSync(temp, { recursive: true, force: true }));

// From the sources, so that nothing has to be built.
const program = join(temp, "program.mjs");
await build({
  entryPoints: [join(here, "kill-program.mjs")],
  bundle: true,
  platform: "node",
  format: "esm",
  outfile: program,
  tsconfig: join(here, "../../../tsconfig.json"),
  external: ["pngjs", "jpeg-js"],
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
});

const began = performance.now();
const undisturbed = await run(join(temp, "undisturbed"), null);
if (undisturbed.hash === null) throw new Error(`The undisturbed run failed: ${undisturbed.errors}`);

const counts = { kills: 0, inWrites: 0, beforeFirst: 0, runs: 0 };
while (counts.kills < wanted) {
  const folder = join(temp, `run-${counts.runs}`);
  let written = 0;
  for (;;) {
    // Between 2 and 10 checkpoints later, some time after a write has begun or has ended; or at any time.
    const kill =
      random() < 0.75
        ? { line: random() < 0.7 ? "write" : "written", nth: 1 + Math.floor(random() * 9), ms: random() * 4 }
        : { line: null, nth: 0, ms: 50 + random() * 350 };
    const result = await run(folder, counts.kills < wanted ? kill : null);
    if (result.resumed !== null && result.resumed < written) {
      fail(`resumed at step ${result.resumed}, but step ${written} had been written`);
    }
    written = Math.max(written, result.written);
    if (result.killed) {
      counts.kills++;
      if (result.writing) counts.inWrites++;
      if (result.resumed === null) counts.beforeFirst++;
      continue;
    }
    if (result.hash === null) fail(`a resumed run failed: ${result.errors}`);
    if (result.hash !== undisturbed.hash) fail("a resumed run ended with other bytes");
    break;
  }
  rmSync(folder, { recursive: true, force: true });
  counts.runs++;
}
const seconds = ((performance.now() - began) / 1000).toFixed(0);
console.log(
  `${counts.kills} kills in ${counts.runs} runs, ${counts.inWrites} of them in the middle of a checkpoint write, ` +
    `${counts.beforeFirst} before training began: every run ended with the same bytes. ${seconds} s`,
);

/* ---------------------------------------------------------------------------------------------------------------- */

/**
 * Runs the program, and kills it if it gets that far: `ms` after the nth such line, or after its start.
 * @param {string} folder
 * @param {{ line: string | null, nth: number, ms: number } | null} kill
 */
function run(folder, kill) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, folder], { stdio: ["ignore", "pipe", "pipe"] });
    const state = {
      resumed: /** @type {number | null} */ (null),
      written: 0,
      writing: false,
      hash: /** @type {string | null} */ (null),
      killed: false,
      errors: "",
    };
    let seen = 0;
    let rest = "";
    const strike = (/** @type {number} */ ms) => setTimeout(() => child.kill("SIGKILL"), ms);
    const timer = kill?.line === null ? strike(kill.ms) : null;
    child.stdout.setEncoding("utf8").on("data", (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [word, value] = line.split(" ");
        if (word === "resumed") state.resumed = Number(value);
        if (word === "write") state.writing = true;
        if (word === "written") {
          state.writing = false;
          state.written = Number(value);
        }
        if (word === "done") state.hash = value;
        if (word === kill?.line && ++seen === kill.nth) strike(kill.ms);
      }
    });
    child.stderr.setEncoding("utf8").on("data", (text) => (state.errors += text));
    child.on("error", reject);
    child.on("close", (_, signal) => {
      if (timer) clearTimeout(timer);
      resolve({ ...state, killed: signal === "SIGKILL" });
    });
  });
}

/** @param {string} text */
function fail(text) {
  console.error(`FAILED after ${counts.kills} kills: ${text}`);
  process.exit(1);
}

/** @param {number} seed */
function mulberry(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
