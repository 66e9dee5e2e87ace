/** ONNX Runtime, native. */
import { runtime } from "./ort.mjs";

/** @type {import("../src/peer.js").OpenPeer} */
export async function open(given) {
  const { threads } = given;
  const namespace = await import("onnxruntime-node");
  const { env } = namespace.default?.env ? namespace.default : namespace;
  const options = { intraOpNumThreads: threads, interOpNumThreads: 1 };
  const library = `ort-node-${env.versions.node ?? env.versions.common}`;
  return runtime(namespace, { library, provider: "cpu", backend: "native", options, threads }, given);
}
