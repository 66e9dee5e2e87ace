/** Models to safetensors files and back. */
import { readFile, writeFile } from "node:fs/promises";
import { loadSafetensors, saveSafetensors } from "@nn/io";
import type { Module } from "@nn/tensor";
import { reason, UserError } from "./user-error.js";

/** Writes all weights of a model, and returns the size of the file in bytes. */
export async function saveModel(model: Module, file: string): Promise<number> {
  const bytes = await saveSafetensors(model.stateDict());
  try {
    await writeFile(file, bytes);
  } catch (error) {
    throw new UserError(
      `${file}: the model could not be saved there (${reason(error)}). Choose another folder with --out.`,
    );
  }
  return bytes.length;
}

/** Gives a model of the same build the weights in a file. */
export async function loadModel(model: Module, file: string): Promise<void> {
  model.loadStateDict(loadSafetensors(await readFile(file)));
}

/** Whether two arrays are the same to the last bit: stricter than `===`, under which 0 and −0 are equal. */
export function sameBits(a: Float32Array, b: Float32Array): boolean {
  const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);
  const other = bits(b);
  return a.length === b.length && bits(a).every((word, i) => word === other[i]);
}
