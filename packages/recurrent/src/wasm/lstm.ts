// lstmLoop, lstmLoopSaving and lstmLoopGrad.

import { f32x4, type Local, type WasmKernel } from "@nn/backend-wasm";
import type { LoopAttrs } from "../loop.js";
import { backward, type CellGrad } from "./backward.js";
import { compute, oneMinusSquare, readable, SIGMOID, sigmoidGrad, TANH } from "./common.js";
import { type Cell, forward } from "./forward.js";

const cell: Cell = {
  name: "lstm",
  gates: 4,
  units: [4, 8],
  states: ["h", "c"],
  weight: 3,
  ins: { 0: "pre" },
  outs: ["gates", "cells"],
  step({ f, size, load, store, has }, sums) {
    const gates = sums.map((sum, k) => compute(f, k === 2 ? TANH : SIGMOID, f32x4.add(sum, load("pre", k * size))));
    const [i, forget, g, o] = gates as [Local, Local, Local, Local];
    const c = f.let(f.fma(forget, load("c"), f32x4.mul(i, g)));
    store("c", c);
    store("y", f32x4.mul(o, compute(f, TANH, c)));
    if (!has("gates")) return;
    gates.forEach((v, k) => {
      store("gates", v, k * size);
    });
    store("cells", c);
  },
};

const cellGrad: CellGrad = {
  name: "lstm gradient",
  gates: 4,
  ins: { 0: "dy", 5: "gates", 6: "cells" },
  outs: ["pre", "dh", "dc"],
  states: [1, 2],
  weight: 4,
  before: { of: "cells", first: 3 },
  product: "pre",
  step({ f, size, load, store }) {
    const [i, forget, g, o] = [0, 1, 2, 3].map((k) => load("gates", k * size)) as [Local, Local, Local, Local];
    const d = f32x4.add(load("dh"), load("dy"));
    const tanh = compute(f, TANH, load("cells"));
    const dOut = f.let(f32x4.mul(d, o));
    const dCell = f.let(f.fma(dOut, oneMinusSquare(f, tanh), load("dc")));
    const dGate = f.let(f32x4.mul(dCell, i));
    const dKept = f.let(f32x4.mul(dCell, forget));
    store("dc", dKept);
    store("pre", sigmoidGrad(f, f32x4.mul(dGate, g), i));
    store("pre", sigmoidGrad(f, f32x4.mul(dKept, load("before")), forget), size);
    store("pre", f32x4.mul(dGate, oneMinusSquare(f, g)), 2 * size);
    store("pre", sigmoidGrad(f, f32x4.mul(dOut, tanh), o), 3 * size);
  },
};

const accepts: WasmKernel<LoopAttrs>["accepts"] = (signature) => readable(signature, 0, 3);
const emit: WasmKernel<LoopAttrs>["emit"] = (signature) => forward(signature, cell);

export const lstmLoop: WasmKernel<LoopAttrs> = { op: "recurrent/lstmLoop", accepts, emit };
export const lstmLoopSaving: WasmKernel<LoopAttrs> = { op: "recurrent/lstmLoopSaving", accepts, emit };
export const lstmLoopGrad: WasmKernel<LoopAttrs> = {
  op: "recurrent/lstmLoopGrad",
  accepts: (signature) => readable(signature, 4, 5, 6),
  emit: (signature) => backward(signature, cellGrad),
};
