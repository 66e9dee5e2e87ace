// gruLoop, gruLoopSaving and gruLoopGrad.

import { f32x4, type Local, type WasmKernel } from "@nn/backend-wasm";
import type { GruLoopAttrs } from "../gru/loop.js";
import type { LoopAttrs } from "../loop.js";
import { backward, type CellGrad } from "./backward.js";
import { compute, oneMinusSquare, readable, SIGMOID, sigmoidGrad, TANH } from "./common.js";
import { type Cell, forward } from "./forward.js";

const cellOf = (bias: boolean): Cell => ({
  name: "gru",
  gates: 3,
  units: [8, 16],
  states: ["h"],
  weight: 2,
  ins: bias ? { 0: "pre", 3: "bias" } : { 0: "pre" },
  outs: ["saved"],
  step({ f, size, load, store, has }, sums) {
    const [sumR, sumZ, q] = sums.map((sum, k) => (bias ? f.let(f32x4.add(sum, load("bias", k * size))) : sum)) as [
      Local,
      Local,
      Local,
    ];
    const r = compute(f, SIGMOID, f32x4.add(sumR, load("pre")));
    const z = compute(f, SIGMOID, f32x4.add(sumZ, load("pre", size)));
    const n = compute(f, TANH, f.fma(r, q, load("pre", 2 * size)));
    store("y", f.fma(z, f32x4.sub(load("before"), n), n));
    if (!has("saved")) return;
    [r, z, n, q].forEach((v, k) => {
      store("saved", v, k * size);
    });
  },
});

const cellGrad: CellGrad = {
  name: "gru gradient",
  gates: 3,
  ins: { 0: "dy", 4: "y", 5: "saved" },
  outs: ["pre", "sums", "dh"],
  states: [1],
  weight: 3,
  before: { of: "y", first: 2 },
  product: "sums",
  adds: true,
  step({ f, size, load, store }) {
    const [r, z, n, q] = [0, 1, 2, 3].map((k) => load("saved", k * size)) as [Local, Local, Local, Local];
    const d = f.let(f32x4.add(load("dh"), load("dy")));
    const kept = f.let(f32x4.mul(d, z));
    const dN = f.let(f32x4.mul(f32x4.sub(d, kept), oneMinusSquare(f, n)));
    const dZ = f.let(sigmoidGrad(f, f32x4.mul(kept, f32x4.sub(load("before"), n)), z));
    const dQ = f.let(f32x4.mul(dN, r));
    const dR = f.let(sigmoidGrad(f, f32x4.mul(dQ, q), r));
    store("dh", kept);
    for (const to of ["pre", "sums"]) {
      store(to, dR);
      store(to, dZ, size);
      store(to, to === "pre" ? dN : dQ, 2 * size);
    }
  },
};

const accepts: WasmKernel<GruLoopAttrs>["accepts"] = (signature) =>
  readable(signature, 0, 2, ...(signature.attrs.bias ? [3] : []));
const emit: WasmKernel<GruLoopAttrs>["emit"] = (signature) => forward(signature, cellOf(signature.attrs.bias));

export const gruLoop: WasmKernel<GruLoopAttrs> = { op: "recurrent/gruLoop", accepts, emit };
export const gruLoopSaving: WasmKernel<GruLoopAttrs> = { op: "recurrent/gruLoopSaving", accepts, emit };
export const gruLoopGrad: WasmKernel<LoopAttrs> = {
  op: "recurrent/gruLoopGrad",
  accepts: (signature) => readable(signature, 3, 4, 5),
  emit: (signature) => backward(signature, cellGrad),
};
