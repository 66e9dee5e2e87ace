// What the kernels print, with no device at hand; and that none asks for more than every device has.

import { moduleText } from "@nn/backend-webgpu";
import { contiguousView, type Spec } from "@nn/tensor";
import { overLimits } from "@nn/testing";
import { expect, it } from "vitest";
import { gruLoopGradOp, gruLoopSavingOp } from "../gru/loop.js";
import { lstmLoopGradOp, lstmLoopOp, lstmLoopSavingOp } from "../lstm/loop.js";
import { rnnLoopGradOp, rnnLoopOp } from "../rnn/loop.js";
import { recurrentKernels } from "./index.js";

const f32 = (...shape: number[]): Spec => ({ shape, dtype: "f32" });
const ops = { lstmLoopOp, lstmLoopSavingOp, lstmLoopGradOp, gruLoopSavingOp, gruLoopGradOp, rnnLoopOp, rnnLoopGradOp };

/** The code for T steps of N rows and H units, with lengths and biases. */
function emit(name: keyof typeof ops, t: number, n: number, h: number, lengths = true) {
  const op = ops[name];
  const state = f32(n, h);
  const wide = (gates: number) => f32(t, n, gates * h);
  const weight = (gates: number) => f32(gates * h, h);
  const ins = {
    lstmLoopOp: [wide(4), state, state, weight(4)],
    lstmLoopSavingOp: [wide(4), state, state, weight(4)],
    lstmLoopGradOp: [wide(1), state, state, state, weight(4), wide(4), wide(1)],
    gruLoopSavingOp: [wide(3), state, weight(3), f32(3 * h)],
    gruLoopGradOp: [wide(1), state, state, weight(3), wide(1), wide(4)],
    rnnLoopOp: [wide(1), state, weight(1)],
    rnnLoopGradOp: [wide(1), state, weight(1), wide(1)],
  }[name];
  const attrs = { reverse: false, lengths, bias: true, nonlinearity: "tanh" as const };
  const all = lengths ? [...ins, { shape: [n], dtype: "i32" } as Spec] : ins;
  const kernel = recurrentKernels.find((k) => k.op === op.name)!;
  const outs = op.infer(all as never, attrs as never);
  return kernel.emit({ ins: all.map(contiguousView), outs: outs.map(contiguousView), attrs } as never);
}

it("prints a loop inside of a dispatch", () => {
  const { passes } = emit("rnnLoopOp", 5, 2, 3, false);
  expect(passes).toHaveLength(3);
  expect(moduleText(passes[1]!)).toMatchInlineSnapshot(`
    "@group(0) @binding(0) var<storage, read> in0: array<f32>;
    @group(0) @binding(1) var<storage, read> in2: array<f32>;
    @group(0) @binding(2) var<storage, read_write> out0: array<f32>;
    @group(0) @binding(3) var<storage, read_write> scratch: array<f32>;

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
    var<workgroup> v: array<f32, 3>;
    var<workgroup> sums: array<f32, 3>;
    @compute @workgroup_size(32)
    fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
      let first = i32(group.x) * 1;
      if (first >= 2) { return; }
      let c = min(i32(lane), 2);
      let w0 = in2[c * 3 + 0 * 1];
      let w1 = in2[c * 3 + 1 * 1];
      let w2 = in2[c * 3 + 2 * 1];
      for (var i = i32(lane); i < 3; i += 32) { v[i] = 0.0; }
      workgroupBarrier();
      for (var i = i32(lane); i < 3; i += 32) {
        let unit = i % 3;
        let row = first + i / 3;
        let own = unit * 1 + i / 3;
        if (row < 2) {
          v[own] = scratch[4 + row * 3 + unit];
        }
      }
      workgroupBarrier();
      for (var i = 0; i < 5; i++) {
        let t = i;
        if (lane < 3u) {
          var total = f32();
          total += w0 * v[0];
          total += w1 * v[1];
          total += w2 * v[2];
          sums[c * 1 + 0] = total;
        }
        workgroupBarrier();
        for (var i = i32(lane); i < 3; i += 32) {
          let unit = i % 3;
          let row = first + i / 3;
          let own = unit * 1 + i / 3;
          if (row < 2) {
            let x = in0[t * 6 + row * 3 + unit * 1] + sums[own + 0];
            let h = nn_tanh(x);
            out0[(t * 2 + row) * 3 + unit] = h;
            let next0 = h;
            v[own] = next0;
          }
        }
        workgroupBarrier();
      }
      for (var i = i32(lane); i < 3; i += 32) {
        let unit = i % 3;
        let row = first + i / 3;
        let own = unit * 1 + i / 3;
        if (row < 2) {
          scratch[4 + row * 3 + unit] = v[own];
        }
      }
    }
    "
  `);
});

it("prints two texts for a dispatch per step", () => {
  const { passes } = emit("lstmLoopSavingOp", 7, 20, 200);
  expect(passes.map(({ groups }) => groups)).toEqual([63, ...new Array(7).fill(26), 63]);
  expect(new Set(passes.map((p) => moduleText(p))).size).toBe(4);
  // A way back has the product after the last step, too.
  expect(emit("gruLoopGradOp", 7, 20, 300).passes).toHaveLength(10);
});

it("stays inside WebGPU's default limits", () => {
  for (const name of Object.keys(ops) as (keyof typeof ops)[])
    for (const rows of [1, 5, 40, 200])
      for (const size of [1, 3, 64, 65, 100, 180, 209, 256, 300, 362, 1000])
        expect(overLimits(emit(name, 3, rows, size)), `${name} ${rows} ${size}`).toEqual([]);
});
