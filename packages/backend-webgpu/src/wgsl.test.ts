// What kernels print, with no device at hand; and that no kernel asks for more than every device has.

import { contiguousView, expr as ex, type Signature, type View } from "@nn/tensor";
import { overLimits } from "@nn/testing";
import { describe, expect, it } from "vitest";
import { moduleText, type WgslCode } from "./code.js";
import { webgpuKernels } from "./kernels/index.js";

const { call, input, num, index } = ex;
const plain = (shape: number[], dtype: View["dtype"] = "f32"): View => contiguousView({ shape, dtype });
const turned = (shape: number[]): View => ({ shape, dtype: "f32", offset: 2, strides: [1, shape[0]!] });

function emit(op: string, signature: Signature): WgslCode {
  return webgpuKernels.find((k) => k.op === op)!.emit(signature as never);
}
const textOf = (op: string, signature: Signature) =>
  emit(op, signature)
    .passes.map((p) => `// ${p.groups} workgroups\n${moduleText(p)}`)
    .join("\n");

describe("WGSL", () => {
  it("map", () => {
    const relu = call("max", call("add", input(0), input(1)), num(0));
    expect(
      textOf("map", { ins: [turned([3, 100]), plain([3, 100])], outs: [plain([3, 100])], attrs: { expr: relu } }),
    ).toMatchInlineSnapshot(`
      "// 5 workgroups
      @group(0) @binding(0) var<storage, read> in0: array<f32>;
      @group(0) @binding(1) var<storage, read> in1: array<f32>;
      @group(0) @binding(2) var<storage, read_write> out0: array<f32>;

      fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
      fn max_f32(a: f32, b: f32) -> f32 { return select(b, a, a > b || is_nan(a)); }
      @compute @workgroup_size(64)
      fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
        let i = group.x * 64u + lane;
        if (i >= 300u) { return; }
        let c1 = i32(i % 100u);
        let cr0 = i / 100u;
        let c0 = i32(cr0);
        let v0 = in0[2 + c0 + c1 * 3];
        let v1 = in1[i32(i)];
        let v2 = v0 + v1;
        let v3 = f32(0);
        let v4 = max_f32(v2, v3);
        out0[i32(i)] = v4;
      }
      "
    `);
  });

  it("map in place of an input", () => {
    const [pass] = emit("map", {
      ins: [plain([4])],
      outs: [plain([4])],
      attrs: { expr: call("neg", input(0)) },
    }).passes;
    expect(moduleText(pass!, new Map([["in0", "out0"]]))).toMatchInlineSnapshot(`
      "@group(0) @binding(0) var<storage, read_write> out0: array<f32>;

      @compute @workgroup_size(64)
      fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
        let i = group.x * 64u + lane;
        if (i >= 4u) { return; }
        let v0 = out0[i32(i)];
        let v1 = -v0;
        out0[i32(i)] = v1;
      }
      "
    `);
  });

  it("map that accumulates where elements meet", () => {
    const windows: View = { shape: [4, 3], dtype: "f32", offset: 0, strides: [1, 1] };
    expect(
      textOf("map", { ins: [plain([4, 3])], outs: [windows], attrs: { expr: input(0), accumulate: true } }),
    ).toMatchInlineSnapshot(`
      "// 1 workgroups
      @group(0) @binding(0) var<storage, read> in0: array<f32>;
      @group(0) @binding(1) var<storage, read_write> out0: array<f32>;

      @compute @workgroup_size(64)
      fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
        let i = group.x * 64u + lane;
        if (i >= 6u) { return; }
        let place = i32(i);
        var total = out0[place];
        for (var n1 = 0; n1 < 3; n1++) {
          var rest = place - n1 * 1;
          if (rest >= 0) {
            let n0 = min(rest / 1, 3);
            rest -= n0 * 1;
            let c0 = n0;
            if (rest == 0) {
              let c1 = n1;
              let v0 = in0[c0 * 3 + c1 * 1];
              total += v0;
            }
          }
        }
        out0[place] = total;
      }
      "
    `);
  });

  it("reduce, a thread per result", () => {
    const attrs = { of: "max", axes: [0], prologue: call("mul", input(0), num(2)) };
    expect(textOf("reduce", { ins: [plain([8, 5])], outs: [plain([5])], attrs })).toMatchInlineSnapshot(`
      "// 1 workgroups
      @group(0) @binding(0) var<storage, read> in0: array<f32>;
      @group(0) @binding(1) var<storage, read_write> out0: array<f32>;

      fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
      fn max_f32(a: f32, b: f32) -> f32 { return select(b, a, a > b || is_nan(a)); }
      fn infinity() -> f32 { var bits = 0x7f800000u; return bitcast<f32>(bits); }
      @compute @workgroup_size(64)
      fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
        let i = group.x * 64u + lane;
        if (i >= 5u) { return; }
        let n = i;
        let r = n;
        let from0 = i32(r);
        var total = -infinity();
        for (var e = 0u; e < 8u; e += 1u) {
          let c0 = i32(e);
          let v0 = in0[from0 + c0 * 5];
          let v1 = f32(2);
          let v2 = v0 * v1;
          total = max_f32(total, v2);
        }
        out0[n] = total;
      }
      "
    `);
  });

  it("reduce, in two passes", () => {
    const signature: Signature = {
      ins: [plain([100_000]), plain([])],
      outs: [plain([])],
      attrs: { of: "add", axes: [0], prologue: input(0) },
      epilogue: { expr: call("div", input(0), input(1)), extra: 1 },
    };
    expect(textOf("reduce", signature)).toMatchInlineSnapshot(`
      "// 25 workgroups
      @group(0) @binding(0) var<storage, read> in0: array<f32>;
      @group(0) @binding(1) var<storage, read_write> scratch: array<f32>;

      var<workgroup> totals: array<f32, 64>;
      @compute @workgroup_size(64)
      fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
        let n = group.x;
        if (n >= 25u) { return; }
        let r = n % 1u;
        let first = n / 1u * 4096u;
        let from0 = 0;
        var total = f32(0);
        for (var start = first + lane; start < min(first + 4096u, 100000u); start += 2048u) {
          var sum = f32(0);
          for (var e = start; e < min(start + 2048u, min(first + 4096u, 100000u)); e += 64u) {
            let v0 = in0[from0 + i32(e)];
            sum = sum + v0;
          }
          total = total + sum;
        }
        totals[lane] = total;
        workgroupBarrier();
        for (var half = 32u; half > 0u; half /= 2u) {
          if (lane < half) { totals[lane] = totals[lane] + totals[lane + half]; }
          workgroupBarrier();
        }
        total = totals[0];
        if (lane == 0u) {
          scratch[n] = total;
        }
      }

      // 1 workgroups
      @group(0) @binding(0) var<storage, read> scratch: array<f32>;
      @group(0) @binding(1) var<storage, read> in1: array<f32>;
      @group(0) @binding(2) var<storage, read_write> out0: array<f32>;

      @compute @workgroup_size(64)
      fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
        let i = group.x * 64u + lane;
        if (i >= 1u) { return; }
        let n = i;
        let r = n;
        let from0 = 0;
        var total = f32(0);
        for (var e = 0u; e < 25u; e += 1u) {
          let v0 = scratch[from0 + i32(e)];
          total = total + v0;
        }
        let y0 = total;
        let y1 = in1[0];
        let y2 = y0 / y1;
        out0[n] = y2;
      }
      "
    `);
  });

  it("gather and scatterAdd", () => {
    const attrs = { axis: 0 };
    expect(
      textOf("gather", { ins: [plain([9, 2]), plain([4, 2], "i32")], outs: [plain([4, 2])], attrs }),
    ).toMatchInlineSnapshot(`
      "// 1 workgroups
      @group(0) @binding(0) var<storage, read> in0: array<f32>;
      @group(0) @binding(1) var<storage, read> in1: array<i32>;
      @group(0) @binding(2) var<storage, read_write> out0: array<f32>;

      @compute @workgroup_size(64)
      fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
        let i = group.x * 64u + lane;
        if (i >= 8u) { return; }
        let c1 = i32(i % 2u);
        let j = u32(in1[i32(i)]);
        var value = f32(0);
        if (j < 9u) { value = in0[c1 + i32(j) * 2]; }
        out0[i] = value;
      }
      "
    `);
    expect(
      textOf("scatterAdd", { ins: [plain([4, 2], "i32"), plain([4, 2])], outs: [plain([9, 2])], attrs }),
    ).toMatchInlineSnapshot(`
      "// 1 workgroups
      @group(0) @binding(0) var<storage, read> in0: array<i32>;
      @group(0) @binding(1) var<storage, read> in1: array<f32>;
      @group(0) @binding(2) var<storage, read_write> out0: array<f32>;

      @compute @workgroup_size(64)
      fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
        let i = group.x * 64u + lane;
        if (i >= 18u) { return; }
        let c1 = i32(i % 2u);
        let cr0 = i / 2u;
        let c0 = i32(cr0);
        let wanted = u32(c0);
        let fromIndex = c1;
        let fromSource = c1;
        var total = f32(0);
        for (var j = 0; j < 4; j++) {
          if (u32(in0[fromIndex + j * 2]) == wanted) {
            total += in1[fromSource + j * 2];
          }
        }
        out0[i] = total;
      }
      "
    `);
  });

  it("scatterAdd of many into more", () => {
    const index: View = { shape: [40, 3], dtype: "i32", offset: 0, strides: [1, 0] };
    expect(
      textOf("scatterAdd", { ins: [index, plain([40, 3])], outs: [plain([90, 3])], attrs: { axis: 0 } }),
    ).toMatchInlineSnapshot(`
      "// 1 workgroups
      @group(0) @binding(0) var<storage, read> in0: array<i32>;
      @group(0) @binding(1) var<storage, read_write> scratch: array<u32>;

      @compute @workgroup_size(64)
      fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
        let i = group.x * 64u + lane;
        if (i >= 40u) { return; }
        let line = i / 40u;
        let j = i32(i % 40u);
        let base = 0;
        let mine = in0[base + j * 1];
        var word = 0u;
        for (var k = 0; k < j; k++) {
          if (in0[base + k * 1] == mine) { word = 0x80000000u; break; }
        }
        var next = j + 1;
        while (next < 40) {
          if (in0[base + next * 1] == mine) { break; }
          next++;
        }
        scratch[i] = word | u32(next);
      }

      // 5 workgroups
      @group(0) @binding(0) var<storage, read_write> out0: array<f32>;

      @compute @workgroup_size(64)
      fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
        let i = group.x * 64u + lane;
        if (i >= 270u) { return; }
        out0[i] = f32(0);
      }

      // 2 workgroups
      @group(0) @binding(0) var<storage, read> in0: array<i32>;
      @group(0) @binding(1) var<storage, read> in1: array<f32>;
      @group(0) @binding(2) var<storage, read> scratch: array<u32>;
      @group(0) @binding(3) var<storage, read_write> out0: array<f32>;

      @compute @workgroup_size(64)
      fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
        let i = group.x * 64u + lane;
        if (i >= 120u) { return; }
        let c1 = i32(i % 3u);
        let cr0 = i / 3u;
        let c0 = i32(cr0);
        let words = 0;
        var j = c0;
        let to = u32(in0[c0]);
        if (scratch[words + j] >= 0x80000000u || to >= 90u) { return; }
        let fromSource = c1;
        var total = f32(0);
        while (j < 40) {
          total += in1[fromSource + j * 3];
          j = i32(scratch[words + j] & ~0x80000000u);
        }
        out0[c1 + i32(to) * 3] = total;
      }
      "
    `);
  });

  it("matmul", () => {
    const signature: Signature = {
      ins: [plain([7, 20]), turned([20, 9]), plain([7, 9])],
      outs: [plain([7, 9])],
      attrs: {},
      epilogue: { expr: call("tanh", call("add", input(0), input(1))), extra: 1 },
    };
    expect(textOf("matmul", signature)).toMatchInlineSnapshot(`
      "// 1 workgroups
      @group(0) @binding(0) var<storage, read> in0: array<vec4f>;
      @group(0) @binding(1) var<storage, read> in1: array<f32>;
      @group(0) @binding(2) var<storage, read> in2: array<f32>;
      @group(0) @binding(3) var<storage, read_write> out0: array<f32>;

      struct Split { q: f32, n: i32 }
      fn split_exp(x: f32) -> Split {
        let n = round(x * 1.44269504);
        let r = (x - n * 0.693115234375) - n * 3.1946185e-5;
        let p = ((((2e-4 * r + 1.394e-3) * r + 8.3331e-3) * r + 4.16664e-2) * r + 0.16666667) * r + 0.5;
        return Split(p * (r * r) + r, i32(n));
      }
      fn power_of_2(n: i32) -> f32 { return bitcast<f32>(u32(n + 127) << 23u); }
      fn growth(x: f32, k: i32) -> f32 {
        let e = split_exp(x);
        let scale = power_of_2(e.n - k);
        return scale * e.q + (scale - power_of_2(-k));
      }
      fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
      fn with_sign(x: f32, s: f32) -> f32 { return bitcast<f32>((bitcast<u32>(x) & 0x7fffffffu) | (bitcast<u32>(s) & 0x80000000u)); }
      fn nn_tanh(x: f32) -> f32 {
        let g = growth(min(2.0 * abs(x), 80.0), 0);
        return select(with_sign(g / (g + 2.0), x), x, is_nan(x));
      }
      fn load_a(batch: u32, o: u32, p: u32) -> vec4f {
        if (p >= 20u) { return vec4f(); }
        let at = 0 + i32(o) * 20 + i32(p) * 1;
        return in0[at / 4];
      }
      fn load_b(batch: u32, o: u32, p: u32) -> vec4f {
        if (p >= 20u) { return vec4f(); }
        let at = 2 + i32(o) * 20 + i32(p) * 1;
        return vec4f(in1[at + 0], in1[at + 1], in1[at + 2], in1[at + 3]);
      }
      fn store(batch: u32, part: u32, row: u32, left: u32, sums: vec4f) {
        if (row >= 7u) { return; }
        for (var e = 0u; e < 1u; e++) {
          let column = left + e * 16u;
          if (column >= 9u) { return; }
          let r = (batch * 7u + row) * 9u + column;
          let sum = sums[e];
          let total = sum;
          let y0 = total;
          let y1 = in2[i32(r)];
          let y2 = y0 + y1;
          let y3 = nn_tanh(y2);
          out0[r] = y3;
        }
      }
      var<workgroup> tile_a: array<vec4f, 64>;
      var<workgroup> tile_b: array<vec4f, 128>;
      @compute @workgroup_size(128)
      fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
        let g = group.x;
        if (g >= 1u) { return; }
        let column = g % 1u * 16u;
        let row = g / 1u % 1u * 8u;
        let part = g / 1u % 1u;
        let batch = g / 1u;
        let x = lane % 16u;
        let y = lane / 16u;
        var c0_0 = f32();
        var a_next0 = vec4f();
        var b_next0 = vec4f();
        let first = part * 32u;
        let end = min(first + 32u, 20u);
        var now = 0u;
        for (var next = first; next < end + 16u; next += 16u) {
          if (next < end) {
            if (lane < 32u) { a_next0 = load_a(batch, row + (lane / 4u), next + (lane % 4u) * 4u); }
            if (lane < 64u) { b_next0 = load_b(batch, column + (lane / 4u), next + (lane % 4u) * 4u); }
          }
          if (next > first) {
            for (var q = 0u; q < 4u; q++) {
              let a0 = tile_a[now * 32u + (y + 0u) * 4u + (q ^ ((y + 0u) / 2u % 4u))];
              let b0 = tile_b[now * 64u + (x + 0u) * 4u + (q ^ ((x + 0u) / 2u % 4u))];
              let v0_0 = b0.x;
              c0_0 += a0.x * v0_0;
              let v1_0 = b0.y;
              c0_0 += a0.y * v1_0;
              let v2_0 = b0.z;
              c0_0 += a0.z * v2_0;
              let v3_0 = b0.w;
              c0_0 += a0.w * v3_0;
            }
          }
          if (next < end) {
            if (lane < 32u) { tile_a[(1u - now) * 32u + (lane / 4u) * 4u + ((lane % 4u) ^ ((lane / 4u) / 2u % 4u))] = a_next0; }
            if (lane < 64u) { tile_b[(1u - now) * 64u + (lane / 4u) * 4u + ((lane % 4u) ^ ((lane / 4u) / 2u % 4u))] = b_next0; }
          }
          workgroupBarrier();
          now = 1u - now;
        }
        store(batch, part, row + (y + 0u), column + (x + 0u), vec4f(c0_0, 0.0, 0.0, 0.0));
      }
      "
    `);
  });

  it("matmul of large matrices: 128 × 128 results of a workgroup, 8 × 8 of a thread, read by fours", () => {
    const view = plain([2048, 2048]);
    const text = textOf("matmul", { ins: [view, view], outs: [view], attrs: {} });
    expect(text).toContain("// 256 workgroups");
    expect(text).toContain("var<storage, read> in0: array<vec4f>;");
    expect(text.match(/var c\d_\d = vec4f/g)).toHaveLength(16);
    expect(text).toContain("var<workgroup> tile_a: array<vec4f, 512>;");
  });

  it("matmul of long sums, in parts", () => {
    const code = emit("matmul", { ins: [plain([16, 4096]), plain([4096, 16])], outs: [plain([16, 16])], attrs: {} });
    expect(code.passes.map(({ groups }) => groups)).toEqual([16, 4]);
    expect(code.scratch).toBe(4 * 16 * 16 * 16);
  });

  it("softmax", () => {
    expect(
      textOf("softmax", { ins: [plain([9, 100])], outs: [plain([9, 100])], attrs: { axis: 1 } }),
    ).toMatchInlineSnapshot(`
      "// 9 workgroups
      @group(0) @binding(0) var<storage, read> in0: array<f32>;
      @group(0) @binding(1) var<storage, read_write> out0: array<f32>;

      fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
      fn max_f32(a: f32, b: f32) -> f32 { return select(b, a, a > b || is_nan(a)); }
      fn infinity() -> f32 { var bits = 0x7f800000u; return bitcast<f32>(bits); }
      struct Split { q: f32, n: i32 }
      fn split_exp(x: f32) -> Split {
        let n = round(x * 1.44269504);
        let r = (x - n * 0.693115234375) - n * 3.1946185e-5;
        let p = ((((2e-4 * r + 1.394e-3) * r + 8.3331e-3) * r + 4.16664e-2) * r + 0.16666667) * r + 0.5;
        return Split(p * (r * r) + r, i32(n));
      }
      fn power_of_2(n: i32) -> f32 { return bitcast<f32>(u32(n + 127) << 23u); }
      fn nn_exp(x: f32) -> f32 {
        let e = split_exp(clamp(x, -125.0, 89.0));
        // In two steps, of which neither leaves the range before the result does.
        let half = e.n / 2;
        let scale = power_of_2(half);
        return select((scale * e.q + scale) * power_of_2(e.n - half), x, is_nan(x));
      }
      var<workgroup> lanes: array<f32, 128>;
      @compute @workgroup_size(128)
      fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
        let line = group.x;
        if (line >= 9u) { return; }
        let c0 = i32(line);
        let from0 = c0 * 100;
        let from1 = c0 * 100;
        var most = -infinity();
        for (var j = lane; j < 100u; j += 128u) {
          let v = in0[from0 + i32(j) * 1];
          most = max_f32(most, v);
        }
        lanes[lane] = most;
        workgroupBarrier();
        for (var half = 64u; half > 0u; half /= 2u) {
          if (lane < half) { lanes[lane] = max_f32(lanes[lane], lanes[lane + half]); }
          workgroupBarrier();
        }
        most = lanes[0];
        var sum = 0.0;
        for (var j = lane; j < 100u; j += 128u) {
          let v = in0[from0 + i32(j) * 1];
          sum += nn_exp(v - most);
        }
        workgroupBarrier();
        lanes[lane] = sum;
        workgroupBarrier();
        for (var half = 64u; half > 0u; half /= 2u) {
          if (lane < half) { lanes[lane] = lanes[lane] + lanes[lane + half]; }
          workgroupBarrier();
        }
        sum = lanes[0];
        for (var j = lane; j < 100u; j += 128u) {
          let v = in0[from0 + i32(j) * 1];
          out0[from1 + i32(j) * 1] = nn_exp(v - most) / sum;
        }
      }
      "
    `);
  });
});

it("stays inside WebGPU's default limits", () => {
  const codes = [
    ...[1, 7, 40, 300, 3000].flatMap((n) =>
      [2, 20, 2000].flatMap((k) => [
        emit("matmul", { ins: [plain([3, n, k]), plain([3, k, n])], outs: [plain([3, n, n])], attrs: {} }),
        emit("matmul", { ins: [plain([n, k]), plain([k, 9])], outs: [plain([n, 9])], attrs: {} }),
      ]),
    ),
    ...[10, 1000].map((n) => emit("softmax", { ins: [plain([3, n])], outs: [plain([3, n])], attrs: { axis: 1 } })),
    ...[10, 1000, 1_000_000].flatMap((n) =>
      (["f32", "i32", "bool"] as const).map((dtype) =>
        emit("reduce", {
          ins: [plain([3, n], dtype)],
          outs: [plain([3], dtype)],
          attrs: { of: "max", axes: [1], prologue: input(0, dtype) },
        }),
      ),
    ),
    emit("map", {
      ins: Array.from({ length: 7 }, () => plain([5000, 5000])),
      outs: [plain([5000, 5000])],
      attrs: {
        expr: Array.from({ length: 7 }, (_, i) => input(i)).reduce(
          (a, b) => call("add", a, b),
          ex.cast(index(0), "f32"),
        ),
      },
    }),
  ];
  for (const code of codes) expect(overLimits(code)).toEqual([]);
});
