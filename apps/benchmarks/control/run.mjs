/**
 * Compiles microkernel.ts with AssemblyScript into a temporary folder, with and without relaxed SIMD, checks a product
 * against float64, and times the microkernel alone (K = 256) and whole products. One line of JSON for each.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const manifest = require.resolve("assemblyscript/package.json");
const { version } = JSON.parse(readFileSync(manifest, "utf8"));
const source = fileURLToPath(new URL("microkernel.ts", import.meta.url));

const temp = mkdtempSync(join(tmpdir(), "nn-control-"));
try {
  for (const relaxed of [true, false]) {
    const { gemm, peak, memory } = build(relaxed);
    check(gemm, memory, 128, 320);
    const [a, b, c, panelsA, panelsB] = [1, 5, 9, 13, 14].map((mebibyte) => mebibyte << 20);
    fill(new Float32Array(memory.buffer));
    const times = 256;
    report(relaxed, "gemm_peak", times * 2 * 6 * 8 * 256, () => peak(a, b, c, 256, times));
    for (const n of [512, 1024])
      report(relaxed, `gemm${n}`, 2 * n ** 3, () => gemm(a, b, c, n, n, n, panelsA, panelsB));
  }
} finally {
  rmSync(temp, { recursive: true });
}

/* ---------------------------------------------------------------------------------------------------------------- */

/** @param {boolean} relaxed */
function build(relaxed) {
  const output = join(temp, relaxed ? "relaxed.wasm" : "plain.wasm");
  const features = relaxed ? "simd,relaxed-simd" : "simd";
  const asc = join(dirname(manifest), "bin/asc.js");
  const options = ["-O3", "--runtime", "stub", "--enable", features, "--initialMemory", "256", "-o", output];
  const { status, stderr } = spawnSync(process.execPath, [asc, source, ...options], { encoding: "utf8" });
  if (status !== 0) throw new Error(`asc failed:\n${stderr}`);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(output)));
  return /** @type {any} */ (instance.exports);
}

/** @param {Float32Array} values */
function fill(values) {
  let state = 1;
  for (let i = 0; i < values.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[i] = state / 2 ** 31;
  }
}

/**
 * Throws if a product (n, k) · (k, n) is not the one in float64.
 * @param {(...args: number[]) => void} gemm
 * @param {WebAssembly.Memory} memory
 * @param {number} n
 * @param {number} k
 */
function check(gemm, memory, n, k) {
  const [a, b, c] = [1, 2, 3].map((mebibyte) => new Float32Array(memory.buffer, mebibyte << 20, n * Math.max(n, k)));
  fill(a);
  fill(b);
  gemm(a.byteOffset, b.byteOffset, c.byteOffset, n, n, k, 4 << 20, 5 << 20);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let x = 0; x < k; x++) sum += a[i * k + x] * b[x * n + j];
      if (!(Math.abs(sum - c[i * n + j]) < 1e-4)) throw new Error(`c[${i}, ${j}] is ${c[i * n + j]}, not ${sum}`);
    }
  }
}

/**
 * Times as the benchmarks do (src/measure.ts): 300 ms to warm up, then 700 ms and at least ten times.
 * @param {boolean} relaxed
 * @param {string} workload
 * @param {number} operations
 * @param {() => void} run
 */
function report(relaxed, workload, operations, run) {
  for (const start = performance.now(); performance.now() - start < 300; ) run();
  const times = [];
  for (const start = performance.now(); performance.now() - start < 700 || times.length < 10; ) {
    const before = performance.now();
    run();
    times.push(performance.now() - before);
  }
  times.sort((x, y) => x - y);
  const median = times[times.length >> 1];
  console.log(
    JSON.stringify({
      library: `assemblyscript-${version}`,
      backend: relaxed ? "wasm" : "wasm:plain",
      threads: 1,
      workload,
      median_ms: Number(median.toFixed(5)),
      min_ms: Number(times[0].toFixed(5)),
      reps: times.length,
      derived: { gflops: Number((operations / median / 1e6).toFixed(3)) },
    }),
  );
}
