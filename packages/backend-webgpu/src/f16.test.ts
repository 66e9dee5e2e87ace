// What is stored as f16, and how texts read and write it. What that computes is tested in packages/testing/src/webgpu/f16-values.test.ts.

import { contiguousView, type Expr, expr as ex, type Plan, type Signature } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { eachElement, moduleText, reads, readsFours, type WgslCode, type WgslPass, writes } from "./code.js";
import { f16, withF16 } from "./f16.js";
import { webgpuKernels } from "./kernels/index.js";

const plain = (shape: number[]) => contiguousView({ shape, dtype: "f32" as const });
const passOf = (op: string, signature: Signature): WgslPass =>
  webgpuKernels.find((k) => k.op === op)!.emit(signature as never).passes[0]!;
const body = (text: string) => text.split("\n").filter((line) => /\b(in|out)\d|enable/.test(line));

describe("texts", () => {
  it("convert what they read and what they store, and bind arrays of f16", () => {
    const lines = [
      "let a = in0[i] + in10[in1[in2[i] % 4u]];",
      "if (in0[i] == a) { out0[in1[i]] = min(in0[i], in0[i + 1u]); return; }",
      "let b = in3[i / 4u];",
      "out0[i] = a + b[i % 4u] + f32(in1[0]);",
    ];
    const bindings = [
      ...[reads("in0", "f32"), reads("in1", "u32"), reads("in2", "u32"), readsFours("in3"), reads("in10", "f32")],
      writes("out0", "f32"),
    ];
    const pass = { text: eachElement(64, lines), bindings, groups: 1 };
    expect(body(moduleText(withF16(pass, ["in0", "in3", "out0"])))).toEqual([
      "enable f16;",
      "@group(0) @binding(0) var<storage, read> in0: array<f16>;",
      "@group(0) @binding(1) var<storage, read> in1: array<u32>;",
      "@group(0) @binding(2) var<storage, read> in2: array<u32>;",
      "@group(0) @binding(3) var<storage, read> in3: array<vec4h>;",
      "@group(0) @binding(4) var<storage, read> in10: array<f32>;",
      "@group(0) @binding(5) var<storage, read_write> out0: array<f16>;",
      "  let a = f32(in0[i]) + in10[in1[in2[i] % 4u]];",
      "  if (f32(in0[i]) == a) { out0[in1[i]] = f16(min(f32(in0[i]), f32(in0[i + 1u]))); return; }",
      "  let b = vec4f(in3[i / 4u]);",
      "  out0[i] = f16(a + b[i % 4u] + f32(in1[0]));",
    ]);
  });

  it("stay as they are where nothing is f16", () => {
    const pass = passOf("matmul", { ins: [plain([64, 32]), plain([32, 64])], outs: [plain([64, 64])], attrs: {} });
    expect(moduleText(withF16(pass, []))).toBe(moduleText(pass));
    expect(moduleText(pass)).not.toMatch(/f16|vec4h/);
  });

  it("of a product load fours of f16", () => {
    const pass = passOf("matmul", { ins: [plain([64, 32]), plain([32, 64])], outs: [plain([64, 64])], attrs: {} });
    const text = moduleText(withF16(pass, ["in0"]));
    expect(body(text)).toEqual([
      "enable f16;",
      "@group(0) @binding(0) var<storage, read> in0: array<vec4h>;",
      "@group(0) @binding(1) var<storage, read> in1: array<vec4f>;",
      "@group(0) @binding(2) var<storage, read_write> out0: array<f32>;",
      "  return vec4f(in0[at / 4]);",
      "  return in1[at / 4];",
      "    out0[r] = total;",
    ]);
  });
});

describe("what is stored as f16", () => {
  const code = (...halves: readonly [name: string, half?: boolean][]): WgslCode => {
    const bindings = halves.map(([name, half]) => (name.startsWith("in") ? reads : writes)(name, "f32", half));
    return { name: "test", passes: [{ text: "", bindings, groups: 1 }] };
  };
  /** A chain: each step reads the slot before. */
  const chain = (bytes: readonly number[], codes: readonly WgslCode[]): Plan<WgslCode> => ({
    slots: bytes.map((bytes, i) => ({ bytes, from: i, to: i + 1 })),
    steps: codes.map((code, i) => ({
      code,
      ins: [i === 0 ? { input: 0 } : { slot: i - 1 }],
      outs: [i === codes.length - 1 ? { result: 0 } : { slot: i }],
    })),
  });
  const large = 65_536;
  /** The slots that are. */
  const halves = (plan: Plan<WgslCode>) =>
    f16(plan).slots.flatMap(({ bytes }, i) => (bytes < plan.slots[i]!.bytes ? [i] : []));

  it("is large, a temporary value, and what somebody asks for", () => {
    const wants = code(["in0", true], ["out0", true]);
    expect(halves(chain([large, large - 4, large], [wants, wants, wants, wants]))).toEqual([0, 2]);
    const silent = code(["in0"], ["out0"]);
    expect(halves(chain([large, large, large], [silent, wants, silent, silent]))).toEqual([0, 1]);
  });

  it("takes half the bytes, rounded up to four, and passes know it", () => {
    const plan = chain(
      [large, large + 4],
      [code(["in0"], ["out0", true]), code(["in0", true], ["out0", true]), code()],
    );
    const { slots, steps } = f16(plan);
    expect(slots.map(({ bytes }) => bytes)).toEqual([large / 2, large / 2 + 4]);
    const held = steps.map(({ code }) => moduleText(code.passes[0]!).match(/array<f16>/g)?.length);
    expect(held).toEqual([1, 2, undefined]);
  });

  it("is what nobody forbids", () => {
    const wants = code(["in0", true], ["out0", true]);
    expect(halves(chain([large, large], [wants, wants, code(["in0", false], ["out0"])]))).toEqual([0]);
  });

  it("is what products multiply, and not what is compared or added up in memory", () => {
    const [x, y, row] = [plain([64, 64]), plain([64, 64]), plain([64])];
    const product = passOf("matmul", { ins: [x, y], outs: [x], attrs: {} });
    expect(product.bindings.map(({ half }) => half)).toEqual([true, true, undefined]);
    const [a, b] = [ex.input(0), ex.input(1)];
    const map = (expr: Expr, accumulate = false) =>
      passOf("map", { ins: [x, y], outs: [x], attrs: { expr, ...(accumulate ? { accumulate } : {}) } }).bindings.map(
        ({ half }) => half,
      );
    const chosen = (test: Expr) => ex.select(test, a, b);
    expect(map(chosen(ex.call("lt", a, b)))).toEqual([false, false, undefined]);
    expect(map(chosen(ex.call("lt", a, ex.num(0))))).toEqual([undefined, undefined, undefined]); // relu
    expect(map(chosen(ex.call("ne", a, a)))).toEqual([undefined, undefined, undefined]); // NaN
    expect(map(ex.call("add", a, b), true)).toEqual([undefined, undefined, false]);
    const hit = ex.select(ex.call("eq", a, b), ex.index(1), ex.num(64, "i32")); // argmax
    const found = passOf("reduce", {
      ins: [x, { ...row, shape: [64, 64], strides: [1, 0] }],
      outs: [{ ...row, dtype: "i32" }],
      attrs: { of: "min", axes: [1], prologue: hit },
    });
    expect(found.bindings.map(({ half }) => half)).toEqual([false, false, undefined]);
  });
});
