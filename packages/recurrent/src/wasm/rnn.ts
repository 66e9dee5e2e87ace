// rnnLoop and rnnLoopGrad.

import { f32x4, type Local, v128, type WasmKernel } from "@nn/backend-wasm";
import type { RnnLoopAttrs } from "../rnn/loop.js";
import { backward, type CellGrad } from "./backward.js";
import { compute, oneMinusSquare, RELU, readable, TANH } from "./common.js";
import { type Cell, forward } from "./forward.js";

const cellOf = (nonlinearity: RnnLoopAttrs["nonlinearity"]): Cell => ({
  name: `rnn ${nonlinearity}`,
  gates: 1,
  units: [8, 32],
  states: ["h"],
  weight: 2,
  ins: { 0: "pre" },
  outs: [],
  step({ f, load, store }, [sum]) {
    store("y", compute(f, nonlinearity === "tanh" ? TANH : RELU, f32x4.add(sum!, load("pre"))));
  },
});

const cellGradOf = (nonlinearity: RnnLoopAttrs["nonlinearity"]): CellGrad => ({
  name: `rnn ${nonlinearity} gradient`,
  gates: 1,
  ins: { 0: "dy", 3: "y" },
  outs: ["pre", "dh"],
  states: [1],
  weight: 2,
  product: "pre",
  step({ f, load, store }) {
    const d = f32x4.add(load("dh"), load("dy"));
    const y: Local = load("y");
    store("pre", nonlinearity === "tanh" ? f32x4.mul(d, oneMinusSquare(f, y)) : v128.and(d, f32x4.gt(y, f.int(0))));
  },
});

export const rnnLoop: WasmKernel<RnnLoopAttrs> = {
  op: "recurrent/rnnLoop",
  accepts: (signature) => readable(signature, 0, 2),
  emit: (signature) => forward(signature, cellOf(signature.attrs.nonlinearity)),
};
export const rnnLoopGrad: WasmKernel<RnnLoopAttrs> = {
  op: "recurrent/rnnLoopGrad",
  accepts: (signature) => readable(signature, 2, 3),
  emit: (signature) => backward(signature, cellGradOf(signature.attrs.nonlinearity)),
};
