/** ONNX Runtime Web. */
import { runtime } from "./ort.mjs";

/** @type {import("../src/peer.js").OpenPeer} */
export async function open(given) {
  const { backend, threads, file, page } = given;
  const namespace = backend === "webgpu" ? await import("onnxruntime-web/webgpu") : await import("onnxruntime-web");
  const { env } = namespace.default?.env ? namespace.default : namespace;
  env.wasm.numThreads = backend === "webgpu" ? 1 : threads;
  if (page) env.wasm.wasmPaths = file("onnxruntime-web/dist/");
  const library = `ort-web-${env.versions.web ?? env.versions.common}`;
  return runtime(namespace, { library, provider: backend, backend, options: {}, threads: env.wasm.numThreads }, given);
}
