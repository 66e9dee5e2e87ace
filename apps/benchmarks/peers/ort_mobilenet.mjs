// MobileNetV2 on one 224 × 224 image in ONNX Runtime: ORT=node or ORT=web. It folds BatchNorm itself; the model comes
// from torch_mobilenet.py.
import { readFileSync } from "node:fs";
import * as C from "./common.mjs";

const web = C.cfg.ORT !== "node";
const module = await import(web ? "onnxruntime-web" : "onnxruntime-node");
const ort = module.default?.InferenceSession ? module.default : module;
const [library, backend] = web ? ["ort-web-1.30.0", "wasm"] : ["ort-node-1.30.0", "native-cpu"];
if (web) ort.env.wasm.numThreads = C.THREADS;

await C.attempt(library, backend, "infer_mobilenet", async () => {
  const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(`${C.cfg.ONNX_DIR}/mobilenet.onnx`)), {
    executionProviders: [web ? "wasm" : "cpu"],
    graphOptimizationLevel: "all",
    ...(web ? {} : { intraOpNumThreads: C.THREADS, interOpNumThreads: 1 }),
  });
  const x = new ort.Tensor("float32", C.randF(3 * 224 * 224), [1, 3, 224, 224]);
  const m = await C.bench(async () => (await session.run({ x })).y.data[0]);
  C.emit(library, backend, "infer_mobilenet", m, {});
  await session.release();
});
process.exit(0);
