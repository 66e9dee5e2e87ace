// What the kernels print, with no device at hand; and that none asks for more than every device has.

import { moduleText } from "@nn/backend-webgpu";
import { contiguousView } from "@nn/tensor";
import { overLimits } from "@nn/testing";
import { expect, it } from "vitest";
import { convAttrs } from "../conv/conv.js";
import { conv, convInputGrad, convKernels, convWeightGrad, directConv, maxPoolGrad } from "./index.js";

const plain = (...shape: number[]) => contiguousView({ shape, dtype: "f32" });

it("prints a depthwise convolution", () => {
  const attrs = convAttrs("test", [3], { padding: 1, groups: 2 });
  const { passes } = directConv.emit({
    ...{ ins: [plain(1, 2, 9), plain(2, 1, 3), plain(2)], outs: [plain(1, 2, 9)] },
    attrs,
  } as never);
  expect(moduleText(passes[0]!)).toMatchInlineSnapshot(`
    "@group(0) @binding(0) var<storage, read> in0: array<f32>;
    @group(0) @binding(1) var<storage, read> in1: array<f32>;
    @group(0) @binding(2) var<storage, read> in2: array<f32>;
    @group(0) @binding(3) var<storage, read_write> out0: array<f32>;

    @compute @workgroup_size(64)
    fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
      let i = group.x * 64u + lane;
      if (i >= 18u) { return; }
      let r = i;
      var sum = 0.0;
      let o2 = i32((r) % 9u);
      let or2 = (r) / 9u;
      let o1 = i32(or2);
      let first = o1 / 1 * 1;
      for (var k1 = 0; k1 < 3; k1++) {
        let e0 = o2 * 1 + k1 * 1 - 1;
        if ((u32(e0) < 9u)) {
          sum += in0[(first + 0) * 9 + e0 * 1] * in1[o1 * 3 + k1 * 1];
        }
      }
      let total = sum + in2[0 + i32(r / 9u % 2u) * 1];
      out0[r] = total;
    }
    "
  `);
});

it("prints the gradient of max-pooling", () => {
  const attrs = { kernelSize: [2], stride: [2], padding: [[0, 0]], dilation: [1] };
  const { passes } = maxPoolGrad.emit({
    ...{ ins: [plain(1, 3, 4), plain(1, 3, 8), plain(1, 3, 4)], outs: [plain(1, 3, 8)] },
    attrs,
  } as never);
  expect(moduleText(passes[0]!)).toMatchInlineSnapshot(`
    "@group(0) @binding(0) var<storage, read> in0: array<f32>;
    @group(0) @binding(1) var<storage, read> in1: array<f32>;
    @group(0) @binding(2) var<storage, read> in2: array<f32>;
    @group(0) @binding(3) var<storage, read_write> out0: array<f32>;

    fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
    fn is_first(v: f32, top: f32) -> bool { return v >= top || is_nan(top); }
    @compute @workgroup_size(64)
    fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
      let i = group.x * 64u + lane;
      if (i >= 24u) { return; }
      let r = i;
      var total = 0.0;
      let p2 = i32((r) % 8u);
      let pr2 = (r) / 8u;
      let p1 = i32(pr2);
      let own = in1[p1 * 8 + p2 * 1];
      for (var k0 = 0; k0 < 2; k0++) {
        let t0 = u32(p2 + 0 - k0 * 1);
        let o0 = i32(t0 / 2u);
        if ((u32(o0) < 4u) & (t0 % 2u == 0u)) {
          let top = in2[p1 * 4 + o0 * 1];
          var mine = is_first(own, top);
          for (var j = 0u; j < u32(k0 * 1) && mine; j++) {
            let j0 = i32(j);
            let e0 = o0 * 2 + j0 * 1 - 0;
            {
              mine = !is_first(in1[p1 * 8 + e0 * 1], top);
            }
          }
          if (mine) { total += in0[p1 * 4 + o0 * 1]; }
        }
      }
      out0[r] = total;
    }
    "
  `);
});

it("reads patches as a function of the image", () => {
  const attrs = convAttrs("test", [3, 3], { padding: 1 });
  const { passes } = conv.emit({
    ...{ ins: [plain(1, 4, 8, 8), plain(8, 4, 3, 3)], outs: [plain(1, 8, 8, 8)] },
    attrs,
  } as never);
  expect(/fn x_at[^}]*}/.exec(moduleText(passes[0]!))![0]).toMatchInlineSnapshot(`
    "fn x_at(group: u32, q: u32, k0: i32, k1: i32, k2: i32) -> f32 {
    let o2 = i32((q) % 8u);
    let or2 = (q) / 8u;
    let o1 = i32(or2);
    let e0 = o1 * 1 + k1 * 1 - 1;
    let e1 = o2 * 1 + k2 * 1 - 1;
    return select(0.0, in0[(i32(group) * 4 + k0) * 64 + e0 * 8 + e1 * 1], (u32(e0) < 8u) & (u32(e1) < 8u));
    }"
  `);
});

it("stays inside WebGPU's default limits", () => {
  expect(convKernels.map(({ op }) => op)).toContain("conv/convWeightGrad");
  for (const [batch, channels, size, out] of [
    [1, 1, 9, 1],
    [2, 3, 28, 6],
    [8, 64, 56, 64],
    [64, 256, 14, 512],
  ] as const)
    for (const kernel of [1, 3]) {
      const attrs = convAttrs("test", [kernel, kernel], { padding: kernel >> 1 });
      const [x, w, y] = [
        plain(batch, channels, size, size),
        plain(out, channels, kernel, kernel),
        plain(batch, out, size, size),
      ];
      const codes = [
        conv.emit({ ins: [x, w, plain(out)], outs: [y], attrs } as never),
        convInputGrad.emit({ ins: [y, w], outs: [x], attrs: { ...attrs, inputSize: [size, size] } } as never),
        convWeightGrad.emit({ ins: [x, y], outs: [w], attrs: { ...attrs, kernelSize: [kernel, kernel] } } as never),
      ];
      for (const code of codes) expect(overLimits(code)).toEqual([]);
    }
});
