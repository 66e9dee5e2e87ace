// Matrix-vector, 1024 × 1024, in ONNX Runtime: ORT=node or ORT=web; models from ort_gemv_make.py.
import { readFileSync } from "node:fs";
import * as C from "./common.mjs";

const web = C.cfg.ORT !== "node";
const module = await import(web ? "onnxruntime-web" : "onnxruntime-node");
const ort = module.default?.InferenceSession ? module.default : module;
const [library, backend] = web ? ["ort-web-1.30.0", "wasm"] : ["ort-node-1.30.0", "native-cpu"];
if (web) ort.env.wasm.numThreads = C.THREADS;
const options = {
  executionProviders: [web ? "wasm" : "cpu"],
  graphOptimizationLevel: "all",
  ...(web ? {} : { intraOpNumThreads: C.THREADS, interOpNumThreads: 1 }),
};

const n = 1024;
const x = new ort.Tensor("float32", C.randF(n), [1, n]);
for (const workload of ["gemv1024", "gemv1024_t"]) {
  await C.attempt(library, backend, workload, async () => {
    const session = await ort.InferenceSession.create(
      new Uint8Array(readFileSync(`${C.cfg.ONNX_DIR}/${workload}.onnx`)),
      options,
    );
    const m = await C.bench(async () => (await session.run({ x })).y.data[0]);
    C.emit(library, backend, workload, m, { ...C.gf(2 * n * n, m), GBs: +((4 * n * n) / m.median / 1e6).toFixed(3) });
    await session.release();
  });
}
process.exit(0);
