// Kernels with what not every device has: subgroups, which SwiftShader has, too; and f16, which it has not. What f16 computes is
// tried with f32 that is rounded to it (quantizeToF16).

import { compile, expr as ex, manualSeed, ones, rand, reference, setBackend, type Tensor, tensor } from "@nn/tensor";
import { webgpuHere, whyNoWebgpu } from "@nn/testing";
import { afterAll, describe, expect, it } from "vitest";
import { moduleText, type WgslKernel, type WgslPass } from "./code.js";
import { withF16 } from "./f16.js";
import { webgpuKernels } from "./kernels/index.js";
import { type WebgpuBackend, webgpu } from "./webgpu.js";

const plain = (shape: number[]) => ({ shape, dtype: "f32" as const, offset: 0, strides: [shape[1]!, 1] });
const kernel = (op: string) => webgpuKernels.find((k) => k.op === op)! as WgslKernel<object>;

/** A kernel whose passes are changed. */
const changed = (op: string, change: (pass: WgslPass) => WgslPass): WgslKernel<object> => ({
  ...kernel(op),
  emit(signature) {
    const code = kernel(op).emit(signature);
    return { ...code, passes: code.passes.map(change) };
  },
});

describe("texts", () => {
  it("a reduction with subgroups has one barrier", () => {
    const [pass] = kernel("reduce").emit({
      ins: [plain([4, 1000])],
      outs: [{ shape: [4], dtype: "f32", offset: 0, strides: [1] }],
      attrs: { of: "max", axes: [1], prologue: ex.input(0) },
    }).passes;
    const text = moduleText({ ...pass!, text: pass!.withSubgroups! });
    expect(text.startsWith("enable subgroups;\n")).toBe(true);
    expect(text.slice(text.indexOf("fn main"))).toMatchInlineSnapshot(`
      "fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) subgroup: u32, @builtin(subgroup_invocation_id) subgroup_lane: u32, @builtin(subgroup_size) subgroup_size: u32) {
        let n = group.x;
        if (n >= 4u) { return; }
        let r = n;
        let k0 = i32(r);
        let from0 = k0 * 1000;
        var total = -infinity();
        for (var e = lane; e < 1000u; e += 64u) {
          let v0 = in0[from0 + i32(e)];
          total = max_f32(total, v0);
        }
        for (var half = min(subgroup_size, 64u) / 2u; half > 0u; half /= 2u) {
          total = max_f32(total, subgroupShuffleXor(total, half));
        }
        if (subgroup_lane == 0u) { totals[subgroup] = total; }
        workgroupBarrier();
        total = totals[0];
        for (var k = 1u; k < 64u / subgroup_size; k++) { total = max_f32(total, totals[k]); }
        if (lane == 0u) {
          out0[n] = total;
        }
      }
      "
    `);
    expect(moduleText(pass!)).not.toMatch(/subgroup/); // which every device takes
  });

  it("a product with f16 holds its tiles in it", () => {
    const [pass] = kernel("matmul").emit({
      ins: [plain([64, 32]), plain([32, 64])],
      outs: [plain([64, 64])],
      attrs: {},
    }).passes;
    const text = moduleText(withF16(pass!, pass!.tiles!));
    expect(text.startsWith("enable f16;\n")).toBe(true);
    const lines = text.split("\n").filter((line) => line.includes("tile_"));
    expect(lines).toMatchInlineSnapshot(`
      [
        "var<workgroup> tile_a: array<vec4h, 256>;",
        "var<workgroup> tile_b: array<vec4h, 256>;",
        "        let a0 = vec4f(tile_a[now * 128u + (y + 0u) * 4u + (q ^ ((y + 0u) / 2u % 4u))]);",
        "        let a1 = vec4f(tile_a[now * 128u + (y + 16u) * 4u + (q ^ ((y + 16u) / 2u % 4u))]);",
        "        let b0_0 = f32(tile_b[now * 128u + (q * 4u + 0u) * 8u + (x * 2u + 0u) / 4u][(x * 2u + 0u) % 4u]);",
        "        let b0_1 = f32(tile_b[now * 128u + (q * 4u + 0u) * 8u + (x * 2u + 1u) / 4u][(x * 2u + 1u) % 4u]);",
        "        let b1_0 = f32(tile_b[now * 128u + (q * 4u + 1u) * 8u + (x * 2u + 0u) / 4u][(x * 2u + 0u) % 4u]);",
        "        let b1_1 = f32(tile_b[now * 128u + (q * 4u + 1u) * 8u + (x * 2u + 1u) / 4u][(x * 2u + 1u) % 4u]);",
        "        let b2_0 = f32(tile_b[now * 128u + (q * 4u + 2u) * 8u + (x * 2u + 0u) / 4u][(x * 2u + 0u) % 4u]);",
        "        let b2_1 = f32(tile_b[now * 128u + (q * 4u + 2u) * 8u + (x * 2u + 1u) / 4u][(x * 2u + 1u) % 4u]);",
        "        let b3_0 = f32(tile_b[now * 128u + (q * 4u + 3u) * 8u + (x * 2u + 0u) / 4u][(x * 2u + 0u) % 4u]);",
        "        let b3_1 = f32(tile_b[now * 128u + (q * 4u + 3u) * 8u + (x * 2u + 1u) / 4u][(x * 2u + 1u) % 4u]);",
        "      if (lane < 128u) { tile_a[(1u - now) * 128u + (lane / 4u) * 4u + ((lane % 4u) ^ ((lane / 4u) / 2u % 4u))] = vec4h(a_next0); }",
        "      if (lane < 128u) { tile_b[(1u - now) * 128u + lane] = vec4h(b_next0); }",
      ]
    `);
    // Nothing else changes.
    const bare = (text: string) => text.replace(/vec4h/g, "vec4f").replace(/ = (?:vec4f|f32)\((.*)\);/g, " = $1;");
    expect(bare(text)).toBe(`enable f16;\n${bare(moduleText(pass!))}`);
  });
});

const missing = await whyNoWebgpu();
describe.skipIf(missing)(`on a device${missing ? ` (${missing})` : ""}`, () => {
  const open: WebgpuBackend[] = [];
  const keep = (backend: WebgpuBackend) => {
    open.push(backend);
    setBackend(backend);
    return backend;
  };
  afterAll(() => {
    setBackend(reference());
    for (const backend of open) backend.dispose();
  });

  it("reduces by subgroups where there are any, as without them", async () => {
    const { device } = keep(await webgpuHere());
    /** Counts the shaders with subgroups. */
    const uses = async (options: { subgroups?: boolean }) => {
      let found = 0;
      const { createShaderModule } = device;
      device.createShaderModule = (given) => {
        if (given.label !== "subgroup_id" && given.code.includes("subgroupShuffleXor")) found++;
        return createShaderModule.call(device, given);
      };
      setBackend(await webgpu({ device, ...options }));
      manualSeed(3);
      const x = rand([3, 700]).sub(0.5);
      const odd = tensor([...Array(511).fill(-3), Number.NaN, ...Array(400).fill(2)]);
      const results = [
        x.softmax(1),
        x.logSoftmax(1),
        x.sum(),
        x.sum(1),
        x.max(1),
        x.min(),
        x.mul(8).cast("i32").sum(1),
        odd.max(),
        rand([40_000]).sum(),
      ];
      const values = await Promise.all(results.map(async (t) => [...(await t.read())]));
      device.createShaderModule = createShaderModule;
      return { found, values };
    };
    const without = await uses({ subgroups: false });
    const withThem = await uses({});
    expect(without.found).toBe(0);
    if (device.features.has("subgroups")) expect(withThem.found).toBeGreaterThan(5);
    expect(withThem.values[7]).toEqual([Number.NaN]);
    for (const values of [withThem.values, without.values]) values.splice(7, 1);
    withThem.values.forEach((list, i) => {
      expect(list).toEqual(without.values[i]!.map((v) => expect.closeTo(v, 2)));
    });
  });

  it("rounds the operands of products to f16, and adds up in f32", async () => {
    const rounded = changed("matmul", (pass) => ({
      ...pass,
      change(module) {
        const text = pass.tiles ? withF16(pass, pass.tiles).change!(module) : module;
        return text
          .replace("enable f16;", "")
          .replace(/array<vec4h/g, "array<vec4f")
          .replace(/vec4h\(/g, "quantizeToF16(");
      },
    }));
    keep(await webgpuHere({ kernels: [rounded] }));
    manualSeed(5);
    const shapes = [
      [
        [40, 70],
        [70, 33],
      ],
      [
        [9, 600],
        [600, 12],
      ],
      [
        [130, 50],
        [50, 8],
      ],
    ] as const;
    for (const [left, right] of shapes) {
      const [a, b] = [rand(left).add(1), rand(right).add(1)]; // from 1 to 2: multiples of 2⁻¹⁰ in f16
      // WGSL leaves open which of its two neighbours a number becomes: SwiftShader takes the lower one.
      const rounded = [(t: Tensor) => t.mul(1024).round().div(1024), (t: Tensor) => t.mul(1024).floor().div(1024)];
      const product = compile((a: Tensor, b: Tensor) => a.matmul(b));
      const turned = compile((a: Tensor, b: Tensor) => a.matmul(b.transpose()));
      const exact = async (a: Tensor, b: Tensor) => {
        const [x, y] = [await a.read(), await b.read()];
        const [m, k, n] = [left[0], left[1], right[1]];
        return Array.from({ length: m * n }, (_, r) => {
          let sum = 0;
          for (let p = 0; p < k; p++) sum += x[Math.floor(r / n) * k + p]! * y[p * n + (r % n)]!;
          return sum;
        });
      };
      const want = await Promise.all(rounded.map((f) => exact(f(a), f(b))));
      const full = await exact(a, b);
      for (const got of [await product(a, b).read(), await turned(a, b.transpose().contiguous()).read()]) {
        const off = (list: number[]) => Math.max(...list.map((v, i) => Math.abs(v - got[i]!) / v));
        expect(Math.min(...want.map(off))).toBeLessThan(2e-6);
        expect(off(full)).toBeGreaterThan(1e-5);
      }
    }
    expect(
      await ones([4, 3])
        .mul(2049)
        .matmul(ones([3, 4]))
        .sum()
        .item(),
    ).toBe(2048 * 3 * 16); // 12 bits do not fit
  });
});
