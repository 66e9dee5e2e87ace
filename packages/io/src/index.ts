// @nn/io: models and tensors in files. For now: safetensors.

export type { StoredDType } from "./dtypes.js";
export { parseSafetensors, type SafetensorsFile, type StoredTensor, serializeSafetensors } from "./safetensors.js";
export { loadSafetensors, saveSafetensors } from "./state.js";
