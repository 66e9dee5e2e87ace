// @nn/io: models and tensors in files, and files wherever they are. Paths in Node are in `@nn/io/node`.

export { loadNpy, parseNpy, saveNpy, serializeNpy } from "./npy/npy.js";
export {
  loadNpz,
  type NpzReadOptions,
  type NpzWriteOptions,
  parseNpz,
  saveNpz,
  serializeNpz,
} from "./npy/npz.js";
export { parseSafetensors, type SafetensorsFile, serializeSafetensors } from "./safetensors/safetensors.js";
export { loadSafetensors, saveSafetensors } from "./safetensors/state.js";
export { sha256 } from "./source/checksum.js";
export type { ReadOptions, ReadProgress } from "./source/collect.js";
export { type ByteSource, type ReadableFileHandle, readBytes } from "./source/read.js";
export { type WritableFileHandle, writeBytes } from "./source/write.js";
export type { StoredDType, StoredTensor } from "./stored.js";
