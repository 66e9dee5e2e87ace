/** The workloads in ONNX Runtime, `web` or native (`node`); it does not train. Weights are initializers, as in every exported network. */
import { gflops, gigabytes } from "../src/workload.ts";
import {
  CELLS,
  CONVOLUTIONS,
  convolutionOperations,
  GEMM,
  LARGE_GEMM,
  recurrentOperations,
  SEQUENCES,
  uniform,
} from "./data.mjs";
import { onnxModel } from "./onnx.mjs";

/**
 * @param {any} namespace the package
 * @param {{ library: string, provider: string, backend: string, options: object, threads: number }} how
 * @param {Parameters<import("../src/peer.js").OpenPeer>[0]} given
 */
export function runtime(namespace, { library, provider, backend, options, threads }, { startup }) {
  const ort = namespace.default?.InferenceSession ? namespace.default : namespace;

  /** A model and inputs of the shapes that it takes. */
  const session = async (graph, derived = () => ({})) => {
    const made = await ort.InferenceSession.create(onnxModel(graph), {
      executionProviders: [provider],
      graphOptimizationLevel: "all",
      ...options,
    });
    const feeds = Object.fromEntries(
      Object.entries(graph.inputs).map(([name, shape]) => [
        name,
        new ort.Tensor("float32", uniform(size(shape)), shape),
      ]),
    );
    return { run: async () => (await made.run(feeds)).y.data[0], derived };
  };

  return {
    library,
    backend,
    threads,
    workloads: {
      infer_cnn_b1: async () => {
        const inference = await session(cnn);
        await inference.run();
        return { ...inference, derived: startup() };
      },
      ...Object.fromEntries(
        [...GEMM, ...(backend === "webgpu" ? LARGE_GEMM : [])].map((n) => [
          `gemm${n}`,
          () => session({ nodes: [matmul], inputs: { x: [n, n], w: [n, n] }, output: [n, n] }, gflops(2 * n ** 3)),
        ]),
      ),
      gemv1024: () =>
        session(row({ op: "Gemm", ins: ["x", "w"], out: "y", attributes: { transB: 1 } }), gflops(2 ** 21)),
      gemv1024_t: () => session(row(matmul), gflops(2 ** 21)),
      ...Object.fromEntries(
        CONVOLUTIONS.map((c) => [c.name, () => session(convolution(c), gflops(convolutionOperations(c)))]),
      ),
      ...Object.fromEntries(
        Object.entries(CELLS).flatMap(([kind, gates]) =>
          SEQUENCES.map((s) => [
            `${kind}_${s.tag}`,
            () => session(recurrent(kind, gates, s), gflops(recurrentOperations(s, gates))),
          ]),
        ),
      ),
      eltwise1M: () => session(pointwise, gigabytes(20 * 2 ** 20)),
      infer_mobilenet: () => session(mobilenet()),
    },
  };
}

/* ---------------------------------------------------------------------------------------------------------------- */

const size = (/** @type {number[]} */ shape) => shape.reduce((n, d) => n * d, 1);
const weight = (...shape) => ({ shape, values: uniform(size(shape), 0.1) });
const matmul = { op: "MatMul", ins: ["x", "w"], out: "y" };
const row = (node) => ({
  nodes: [node],
  inputs: { x: [1, 1024] },
  output: [1, 1024],
  weights: { w: weight(1024, 1024) },
});

const conv = (x, w, b, out, { kernel, stride = 1, padding, groups = 1 }) => ({
  op: "Conv",
  ins: [x, w, b],
  out,
  attributes: {
    kernel_shape: [kernel, kernel],
    strides: [stride, stride],
    pads: Array(4).fill(padding),
    group: groups,
  },
});
const convolution = (c) => ({
  nodes: [conv("x", "w", "b", "y", c)],
  inputs: { x: [c.batch, c.into, c.size, c.size] },
  output: [c.batch, c.out, c.size / c.stride, c.size / c.stride],
  weights: { w: weight(c.out, c.into / c.groups, c.kernel, c.kernel), b: weight(c.out) },
});

const recurrent = (kind, gates, { batch, steps, input, hidden }) => ({
  nodes: [
    {
      op: kind.toUpperCase(),
      ins: ["x", "w", "r", "b"],
      out: "y",
      attributes: { hidden_size: hidden, ...(kind === "gru" ? { linear_before_reset: 1 } : {}) },
    },
  ],
  inputs: { x: [steps, batch, input] },
  output: [steps, 1, batch, hidden],
  weights: {
    w: weight(1, gates * hidden, input),
    r: weight(1, gates * hidden, hidden),
    b: weight(1, 2 * gates * hidden),
  },
});

const three = { kernel: 3, padding: 1 };
const pool = (x, out) => ({ op: "MaxPool", ins: [x], out, attributes: { kernel_shape: [2, 2], strides: [2, 2] } });
const dense = (x, w, b, out) => ({ op: "Gemm", ins: [x, w, b], out, attributes: { transB: 1 } });
const cnn = {
  nodes: [
    conv("x", "w1", "b1", "c1", three),
    { op: "Relu", ins: ["c1"], out: "r1" },
    pool("r1", "p1"),
    conv("p1", "w2", "b2", "c2", three),
    { op: "Relu", ins: ["c2"], out: "r2" },
    pool("r2", "p2"),
    { op: "Flatten", ins: ["p2"], out: "f" },
    dense("f", "w3", "b3", "h"),
    { op: "Relu", ins: ["h"], out: "r3" },
    dense("r3", "w4", "b4", "y"),
  ],
  inputs: { x: [1, 1, 28, 28] },
  output: [1, 10],
  weights: {
    w1: weight(16, 1, 3, 3),
    b1: weight(16),
    w2: weight(32, 16, 3, 3),
    b2: weight(32),
    w3: weight(128, 1568),
    b3: weight(128),
    w4: weight(10, 128),
    b4: weight(10),
  },
};

const N = 2 ** 20;
const pointwise = {
  nodes: [
    { op: "Mul", ins: ["a", "b"], out: "m" },
    { op: "Add", ins: ["m", "c"], out: "s" },
    { op: "Tanh", ins: ["s"], out: "t" },
    { op: "Sigmoid", ins: ["d"], out: "u" },
    { op: "Mul", ins: ["t", "u"], out: "y" },
  ],
  inputs: { a: [N], b: [N], c: [N], d: [N] },
  output: [N],
};

/** MobileNetV2 with BatchNorm folded into the convolutions, as it is deployed: Sandler et al. 2018, table 2. */
function mobilenet() {
  const nodes = [];
  const weights = {
    zero: { shape: [], values: new Float32Array([0]) },
    six: { shape: [], values: new Float32Array([6]) },
  };
  let count = 0;
  const layer = (x, into, out, { relu6 = true, ...geometry }) => {
    const [w, b, y] = [`w${++count}`, `b${count}`, `y${count}`];
    weights[w] = weight(out, into / (geometry.groups ?? 1), geometry.kernel, geometry.kernel);
    weights[b] = weight(out);
    nodes.push(conv(x, w, b, y, geometry));
    if (!relu6) return y;
    nodes.push({ op: "Clip", ins: [y, "zero", "six"], out: `${y}r` });
    return `${y}r`;
  };
  const point = { kernel: 1, padding: 0 };
  let x = layer("x", 3, 32, { ...three, stride: 2 });
  let into = 32;
  for (const [factor, out, times, first] of [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ]) {
    for (let i = 0; i < times; i++) {
      const stride = i === 0 ? first : 1;
      const wide = into * factor;
      let y = factor === 1 ? x : layer(x, into, wide, point);
      y = layer(y, wide, wide, { ...three, stride, groups: wide });
      y = layer(y, wide, out, { ...point, relu6: false });
      if (stride === 1 && into === out) {
        nodes.push({ op: "Add", ins: [x, y], out: `${y}s` });
        y = `${y}s`;
      }
      [x, into] = [y, out];
    }
  }
  x = layer(x, into, 1280, point);
  weights["wf"] = weight(1000, 1280);
  weights["bf"] = weight(1000);
  nodes.push(
    { op: "GlobalAveragePool", ins: [x], out: "g" },
    { op: "Flatten", ins: ["g"], out: "f" },
    dense("f", "wf", "bf", "y"),
  );
  return { nodes, inputs: { x: [1, 3, 224, 224] }, output: [1, 1000], weights };
}
