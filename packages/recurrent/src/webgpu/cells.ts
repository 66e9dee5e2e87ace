// The cells of LSTM, GRU and RNN, there and back: what a step does for a unit of a row. Formulas and names are those of
// the ops' lowerings (../lstm/loop.ts and so on).

import type { Signature } from "@nn/tensor";
import type { GruLoopAttrs } from "../gru/loop.js";
import type { LoopAttrs } from "../loop.js";
import type { RnnLoopAttrs } from "../rnn/loop.js";
import { loopKernel } from "./kernel.js";
import type { Cell } from "./step.js";

const lstm = ({ outs }: Signature<LoopAttrs>): Cell => ({
  name: "lstm",
  gates: 4,
  gradient: false,
  weight: 3,
  ins: [0],
  states: [
    { begin: 1, end: 1 },
    { begin: 2, end: 2 },
  ],
  calls: ["nn_sigmoid", "nn_tanh"],
  step: ({ load, sum, state }) => ({
    lines: [
      `let gi = nn_sigmoid(${load(0, 0)} + ${sum(0)});`,
      `let gf = nn_sigmoid(${load(0, 1)} + ${sum(1)});`,
      `let gg = nn_tanh(${load(0, 2)} + ${sum(2)});`,
      `let go = nn_sigmoid(${load(0, 3)} + ${sum(3)});`,
      `let c = gf * ${state(1)} + gi * gg;`,
      "let h = go * nn_tanh(c);",
    ],
    states: ["h", "c"],
    outs: [
      [0, 0, "h"],
      ...(outs.length === 3 ? [] : ["gi", "gf", "gg", "go"].map((v, part) => [3, part, v] as const)),
      ...(outs.length === 3 ? [] : [[4, 0, "c"] as const]),
    ],
    vectors: ["h"],
  }),
});

const lstmGrad = (): Cell => ({
  name: "lstm gradient",
  gates: 4,
  gradient: true,
  weight: 4,
  ins: [0, 5, 6],
  states: [
    { begin: 1, end: 1 },
    { begin: 2, end: 2 },
    { begin: 3, end: null },
  ],
  vectors: 0,
  calls: ["nn_tanh"],
  step: ({ load, before, sum, state }) => ({
    lines: [
      ...["gi", "gf", "gg", "go"].map((v, part) => `let ${v} = ${load(5, part)};`),
      `let tc = nn_tanh(${load(6)});`,
      `let d = ${load(0)} + (${state(0)} + ${sum(0)});`,
      `let dc = ${state(1)} + d * go * (1.0 - tc * tc);`,
      "let di = dc * gg * gi * (1.0 - gi);",
      `let df = dc * ${before(6, 2)} * gf * (1.0 - gf);`,
      "let dg = dc * gi * (1.0 - gg * gg);",
      "let dout = d * tc * go * (1.0 - go);",
    ],
    states: ["0.0", "dc * gf", null],
    outs: ["di", "df", "dg", "dout"].map((v, part) => [0, part, v] as const),
    vectors: ["di", "df", "dg", "dout"],
  }),
});

const gru = ({ outs, attrs }: Signature<GruLoopAttrs>): Cell => ({
  name: "gru",
  gates: 3,
  gradient: false,
  weight: 2,
  ins: attrs.bias ? [0, 3] : [0],
  states: [{ begin: 1, end: 1 }],
  calls: ["nn_sigmoid", "nn_tanh"],
  step: ({ load, constant, sum, state }) => {
    const product = (g: number) => (attrs.bias ? `(${sum(g)} + ${constant(3, g)})` : sum(g));
    return {
      lines: [
        `let r = nn_sigmoid(${load(0, 0)} + ${product(0)});`,
        `let z = nn_sigmoid(${load(0, 1)} + ${product(1)});`,
        `let q = ${product(2)};`,
        `let n = nn_tanh(${load(0, 2)} + r * q);`,
        `let h = n + z * (${state(0)} - n);`,
      ],
      states: ["h"],
      outs: [[0, 0, "h"], ...(outs.length === 2 ? [] : ["r", "z", "n", "q"].map((v, part) => [2, part, v] as const))],
      vectors: ["h"],
    };
  },
});

const gruGrad = (): Cell => ({
  name: "gru gradient",
  gates: 3,
  gradient: true,
  weight: 3,
  ins: [0, 4, 5],
  states: [
    { begin: 1, end: 2 },
    { begin: 2, end: null },
  ],
  vectors: 1,
  calls: [],
  step: ({ load, before, sum, state }) => ({
    lines: [
      ...["r", "z", "n", "q"].map((v, part) => `let ${v} = ${load(5, part)};`),
      `let d = ${load(0)} + (${state(0)} + ${sum(0)});`,
      "let dn = d * (1.0 - z) * (1.0 - n * n);",
      "let dr = dn * q * r * (1.0 - r);",
      `let dz = d * (${before(4, 1)} - n) * z * (1.0 - z);`,
      "let dq = dn * r;",
    ],
    states: ["d * z", null],
    outs: [
      ...["dr", "dz", "dn"].map((v, part) => [0, part, v] as const),
      ...["dr", "dz", "dq"].map((v, part) => [1, part, v] as const),
    ],
    vectors: ["dr", "dz", "dq"],
  }),
});

const rnn = ({ attrs: { nonlinearity } }: Signature<RnnLoopAttrs>): Cell => ({
  name: "rnn",
  gates: 1,
  gradient: false,
  weight: 2,
  ins: [0],
  states: [{ begin: 1, end: 1 }],
  calls: nonlinearity === "tanh" ? ["nn_tanh"] : [],
  step: ({ load, sum }) => ({
    lines: [
      `let x = ${load(0)} + ${sum(0)};`,
      nonlinearity === "tanh" ? "let h = nn_tanh(x);" : "let h = select(x, 0.0, x < 0.0);",
    ],
    states: ["h"],
    outs: [[0, 0, "h"]],
    vectors: ["h"],
  }),
});

const rnnGrad = ({ attrs: { nonlinearity } }: Signature<RnnLoopAttrs>): Cell => ({
  name: "rnn gradient",
  gates: 1,
  gradient: true,
  weight: 2,
  ins: [0, 3],
  states: [{ begin: 1, end: 1 }],
  vectors: 0,
  calls: [],
  step: ({ load, sum, state }) => ({
    lines: [
      `let d = ${load(0)} + (${state(0)} + ${sum(0)});`,
      `let y = ${load(3)};`,
      nonlinearity === "tanh" ? "let dx = d * (1.0 - y * y);" : "let dx = select(0.0, d, y > 0.0);",
    ],
    states: ["0.0"],
    outs: [[0, 0, "dx"]],
    vectors: ["dx"],
  }),
});

export const lstmLoop = /* @__PURE__ */ loopKernel("lstmLoop", lstm);
export const lstmLoopSaving = /* @__PURE__ */ loopKernel("lstmLoopSaving", lstm);
export const lstmLoopGrad = /* @__PURE__ */ loopKernel("lstmLoopGrad", lstmGrad);
export const gruLoop = /* @__PURE__ */ loopKernel("gruLoop", gru);
export const gruLoopSaving = /* @__PURE__ */ loopKernel("gruLoopSaving", gru);
export const gruLoopGrad = /* @__PURE__ */ loopKernel("gruLoopGrad", gruGrad);
export const rnnLoop = /* @__PURE__ */ loopKernel("rnnLoop", rnn);
export const rnnLoopGrad = /* @__PURE__ */ loopKernel("rnnLoopGrad", rnnGrad);
