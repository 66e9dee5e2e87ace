// Tensors from a safetensors file, and a file from tensors: what Module.stateDict() and loadStateDict() exchange.
// The file format itself is in safetensors.ts.

import type { Tensor } from "@nn/tensor";
import { fromState, toState } from "../numbers.js";
import { parseSafetensors, serializeSafetensors } from "./safetensors.js";

/**
 * The tensors of a safetensors file, by name. For the file's metadata use {@link parseSafetensors}.
 *
 * | in the file | tensor | |
 * | --- | --- | --- |
 * | F32, I32, U32, BOOL | f32, i32, u32, bool | the same values |
 * | F16, BF16 | f32 | exact |
 * | F64 | f32 | rounded to nearest; beyond ±3.4e38: infinity |
 * | I8, U8, I16, U16 | i32 | the same values |
 * | I64, U64 | i32, u32 | an error if a value does not fit |
 *
 * Other dtypes (8-bit floats and smaller, complex) are an error.
 *
 * Source of the format: https://huggingface.co/docs/safetensors/index#format
 *
 * @param file The whole file. Its bytes are copied.
 * @returns An object without prototype, so that any name is safe, in the order of the file's data.
 * @throws NNError (op `"safetensors"`) for a malformed file, or a tensor that has no place in the table.
 *
 * @example
 * ```ts
 * model.loadStateDict(loadSafetensors(await readFile("model.safetensors")));
 * ```
 */
export function loadSafetensors(file: Uint8Array | ArrayBuffer): Record<string, Tensor> {
  return toState("safetensors", parseSafetensors(file).tensors);
}

/**
 * A safetensors file of these tensors: f32 as F32, i32 as I32, u32 as U32, bool as BOOL. The same tensors give the same
 * bytes. PyTorch reads it with `safetensors.torch.load_file`.
 *
 * Source of the format: https://huggingface.co/docs/safetensors/index#format
 *
 * @param state By name, e.g. `model.stateDict()`.
 * @param options.metadata Text to text, kept in the file's `__metadata__`. Default: none. (Hugging Face's transformers
 *   wants `{ format: "pt" }`.)
 * @throws NNError (op `"safetensors"`) for what is no Tensor, the name `__metadata__`, or text that UTF-8 cannot write.
 *
 * @example
 * ```ts
 * await writeFile("model.safetensors", await saveSafetensors(model.stateDict(), { metadata: { epoch: "3" } }));
 * ```
 */
export async function saveSafetensors(
  state: Readonly<Record<string, Tensor>>,
  options: { readonly metadata?: Readonly<Record<string, string>> } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return serializeSafetensors(await fromState("safetensors", state), options);
}
