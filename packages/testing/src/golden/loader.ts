// Reads a golden family: NAME.json says what there is, NAME.safetensors has the numbers.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSafetensors, type StoredTensor } from "@nn/io";
import type { GoldenCase, GoldenTensor } from "./case.js";

/** The names of the families in a directory, sorted. */
export function familiesIn(dir: string): string[] {
  if (!existsSync(dir)) throw new Error(`no directory ${dir}`);
  const names = readdirSync(dir)
    .filter((f) => f.endsWith(".json"))
    .map((f) => f.slice(0, -".json".length));
  if (names.length === 0) throw new Error(`no golden families (*.json) in ${dir}`);
  return names.sort();
}

/** The cases of a family. @throws where the two files do not say the same */
export function loadFamily(dir: string, family: string): GoldenCase[] {
  const file = JSON.parse(readFileSync(join(dir, `${family}.json`), "utf8")) as File;
  if (file.format !== 1) throw new Error(`${family}.json: format ${file.format}, expected 1`);
  const binary = join(dir, `${family}.safetensors`);
  const stored: ReadonlyMap<string, StoredTensor> = existsSync(binary)
    ? parseSafetensors(readFileSync(binary)).tensors
    : new Map();
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
