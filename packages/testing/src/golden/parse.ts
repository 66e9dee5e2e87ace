// A golden family from the contents of its two files, wherever they come from.

import { parseSafetensors, type StoredTensor } from "@nn/io";
import type { GoldenCase, GoldenTensor } from "./case.js";

/**
 * The cases of a family.
 *
 * @param json what NAME.json holds
 * @param binary what NAME.safetensors holds; a family may have none
 * @throws where the two do not say the same
 */
export function parseFamily(family: string, json: string, binary: Uint8Array | undefined): GoldenCase[] {
  const file = JSON.parse(json) as File;
  if (file.format !== 1) throw new Error(`${family}.json: format ${file.format}, expected 1`);
  const stored: ReadonlyMap<string, StoredTensor> = binary ? parseSafetensors(binary).tensors : new Map();
  return file.cases.map((raw) => ({
    family,
    id: raw.id,
    op: raw.op,
    args: raw.args ?? {},
    train: raw.train ?? true,
    note: raw.note ?? "",
    tensors: new Map(
      Object.entries(raw.tensors ?? {}).map(([name, said]) => [name, read(`${raw.id}/${name}`, said, stored)]),
    ),
    raw: raw as unknown as Record<string, unknown>,
  }));
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

interface File {
  readonly format: number;
  readonly cases: readonly RawCase[];
}

interface RawCase {
  readonly id: string;
  readonly op: string;
  readonly args?: Record<string, unknown>;
  readonly train?: boolean;
  readonly note?: string;
  readonly tensors?: Record<string, RawTensor>;
}

interface RawTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly f32_err?: number;
  readonly scale?: number;
}

function read(name: string, said: RawTensor, stored: ReadonlyMap<string, StoredTensor>): GoldenTensor {
  const found = stored.get(name);
  if (!found) throw new Error(`${name} is in the JSON but not in the safetensors file`);
  if (found.dtype !== said.dtype || `${found.shape}` !== `${said.shape}`) {
    throw new Error(
      `${name}: ${found.dtype} (${found.shape}) in the safetensors file, ${said.dtype} (${said.shape}) in the JSON`,
    );
  }
  if (found.dtype !== "F32" && found.dtype !== "I32")
    throw new Error(`${name}: dtype ${found.dtype}, expected F32 or I32`);
  const { buffer } = found.data.slice(); // a copy, so that it is aligned
  const [dtype, data] =
    found.dtype === "F32" ? (["f32", new Float32Array(buffer)] as const) : (["i32", new Int32Array(buffer)] as const);
  return { shape: said.shape, dtype, data, f32Err: said.f32_err ?? 0, scale: said.scale ?? 0 };
}
