// Kernels as text: what the emitter writes, seen with no device. A change here is a change of the code that runs; look
// at it, then update with `npm test -- -u packages/backend-wasm`.

import { contiguousView, expr as ex, type Signature, type View } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import wabt from "wabt";
import { type Features, Module } from "../build.js";
import type { WasmCode } from "../code.js";
import { makePool } from "../constants.js";
import { encodeModule } from "../encode.js";
import { gather } from "./index-axis.js";
import { map } from "./map.js";
import { matmul } from "./matmul/matmul.js";
import { writeMicro } from "./matmul/micro.js";
import { reduce } from "./reduce.js";

const { call, input, num } = ex;
const RELAXED: Features = { relaxed: true, threads: false };
const PLAIN: Features = { relaxed: false, threads: false };

const f32 = (...shape: number[]): View => contiguousView({ shape, dtype: "f32" });
const i32 = (...shape: number[]): View => contiguousView({ shape, dtype: "i32" });

/** WebAssembly text of the functions that `write` adds to a module. */
async function textOf(write: (m: Module) => void, features = RELAXED): Promise<string> {
  const constants: number[][] = [];
  const m = new Module(
    features,
    makePool(1024, 65536, (_, lanes) => constants.push([...lanes])),
  );
  write(m);
  const bytes = encodeModule(m.functions, {}, false);
  const parsed = (await wabt()).readWasm(bytes, { readDebugNames: true, relaxed_simd: true, threads: true });
  parsed.validate(); // before names are applied: wabt no longer finds the functions after
  parsed.applyNames();
  const text = parsed.toText({ foldExprs: true, inlineExport: false });
  parsed.destroy();
  return `${text}\n;; constants: ${constants.map((c) => `[${c.map((v) => `0x${v.toString(16)}`).join(" ")}]`).join(" ")}\n`;
}

const kernelText = (code: WasmCode, features = RELAXED) => textOf((m) => code.write(m), features);

describe("emitted kernels", () => {
  it("map of a contiguous tensor is one loop of vectors", async () => {
    const signature: Signature<any> = {
      ins: [f32(8), f32(8)],
      outs: [f32(8)],
      attrs: { expr: call("max", call("add", input(0), input(1)), num(0)) },
    };
    await expect(await kernelText(map.emit(signature))).toMatchFileSnapshot("text/map-add-relu.wat");
  });

  it("map with a bias along rows loads it once a row", async () => {
    const bias: View = { ...f32(4), shape: [3, 4, 9], strides: [0, 1, 0] };
    const signature: Signature<any> = {
      ins: [f32(3, 4, 9), bias],
      outs: [f32(3, 4, 9)],
      attrs: { expr: call("add", input(0), input(1)) },
    };
    await expect(await kernelText(map.emit(signature))).toMatchFileSnapshot("text/map-bias.wat");
  });

  it("reduce along rows folds vectors at the end", async () => {
    const signature: Signature<any> = {
      ins: [f32(3, 16)],
      outs: [f32(3)],
      attrs: { of: "add", axes: [1], prologue: call("mul", input(0), input(0)) },
    };
    await expect(await kernelText(reduce.emit(signature))).toMatchFileSnapshot("text/reduce-rows.wat");
  });

  it("gather of rows moves each row at once", async () => {
    const index: View = { ...i32(5), shape: [5, 8], strides: [1, 0] };
    const signature: Signature<any> = { ins: [f32(10, 8), index], outs: [f32(5, 8)], attrs: { axis: 0 } };
    await expect(await kernelText(gather.emit(signature))).toMatchFileSnapshot("text/gather-rows.wat");
  });

  it.each([
    ["relaxed", RELAXED, 6],
    ["plain", PLAIN, 4],
  ] as const)("the microkernel, %s", async (name, features, rows) => {
    const shape = { rows, columns: 8, rowStride: 100, kStride: 1, ldc: 64, continues: false };
    await expect(await textOf((m) => writeMicro(m, shape), features)).toMatchFileSnapshot(`text/micro-${name}.wat`);
  });

  it("the same signature gives the same text, and needs no device", async () => {
    const signature: Signature<any> = { ins: [f32(13, 20), f32(20, 9)], outs: [f32(13, 9)], attrs: {} };
    const first = await kernelText(matmul.emit(signature));
    expect(await kernelText(matmul.emit(signature))).toBe(first);
    expect(await kernelText(matmul.emit(signature), PLAIN)).not.toBe(first);
  });
});
