/**
 * Damages files of all formats that are read, and counts what becomes of them: each must give a clear error (an NNError) or a right result, within
 * 10 seconds and in memory that the file accounts for. A format runs in a process of its own, so that a crash or a hang is a figure, too.
 *
 *     node packages/train/scripts/fuzz.mjs [--count 1500] [--seed 1] [--format png]
 *
 * `memory` is what a file's reading allocated in buffers, garbage included, and what objects it left, as a multiple of the file; `with result` as a
 * multiple of file and result together: compressed files and narrow numbers become more than they were. A heap of more than 96 MiB
 * (512 for jpeg-js, which takes memory for the size that a file announces) is a crash.
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
  options: {
    count: { type: "string", default: "1500" },
    seed: { type: "string", default: "1" },
    format: { type: "string" },
  },
});
const formats = ["safetensors", "npy", "npz", "idx", "cifar", "wav", "csv", "gzip", "png", "jpeg"];
const temp = mkdtempSync(join(tmpdir(), "nn-fuzz-"));
process.on("exit", () => rmSync(temp, { recursive: true, force: true }));

// From the sources, so that nothing has to be built.
const program = join(temp, "program.mjs");
await build({
  entryPoints: [join(here, "fuzz-program.mjs")],
  bundle: true,
  platform: "node",
  format: "esm",
  outfile: program,
  tsconfig: join(here, "../../../tsconfig.json"),
  banner: {
    js: 'import { createRequire as toRequire } from "node:module"; const require = toRequire(import.meta.url);',
  },
});

const columns = ["format", "mutants", "clear errors", "right results", "memory", "with result", "longest", "faults"];
const print = (cells) => console.log(cells.map((c, i) => (i === 0 ? `${c}`.padEnd(12) : `${c}`.padStart(14))).join(""));
print(columns);
const sums = [0, 0, 0];
let faults = 0;
for (const format of formats) {
  if (values.format && values.format !== format) continue;
  const result = await run(format);
  faults += result.faults.length;
  for (const [i, n] of [result.mutants, result.errors, result.right].entries()) sums[i] += n;
  print([
    format,
    result.mutants,
    result.errors,
    result.right,
    `${result.memory.toFixed(2)}×`,
    `${result.withResult.toFixed(2)}×`,
    `${result.longest.toFixed(0)} ms`,
    result.faults.length,
  ]);
  for (const fault of result.faults.slice(0, 5)) console.log(`  ${fault}`);
}
print(["all", ...sums, "", "", "", faults]);
process.exitCode = faults > 0 ? 1 : 0;

/** @param {string} format */
function run(format) {
  return new Promise((resolve) => {
    const options = [
      "--expose-gc",
      `--max-old-space-size=${format === "jpeg" ? 512 : 96}`,
      program,
      format,
      values.count,
      values.seed,
      temp,
    ];
    const child = spawn(process.execPath, options, { stdio: ["ignore", "pipe", "pipe"] });
    let [lines, errors, hung] = ["", "", false];
    const alarm = () => setTimeout(() => (hung = child.kill("SIGKILL")), 30_000);
    let timer = alarm();
    child.stderr.on("data", (chunk) => (errors += chunk));
    child.stdout.on("data", (chunk) => {
      lines += chunk;
      clearTimeout(timer);
      timer = alarm();
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      const last = lines.trim().split("\n").at(-1);
      const result = last
        ? JSON.parse(last)
        : { mutants: 0, errors: 0, right: 0, memory: 0, withResult: 0, longest: 0, faults: [] };
      if (hung) result.faults.push(`hung after ${result.mutants} mutants`);
      else if (code !== 0)
        result.faults.push(`ended with code ${code} after ${result.mutants} mutants: ${errors.trim().slice(0, 300)}`);
      resolve(result);
    });
  });
}
