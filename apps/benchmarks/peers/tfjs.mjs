/** The workloads in TensorFlow.js, as its documentation writes them: Keras-like layers, `optimizer.minimize`. */
import * as namespace from "@tensorflow/tfjs";
import { version_core } from "@tensorflow/tfjs";
import { gflops, gigabytes, perSecond } from "../src/workload.ts";
import {
  CELLS,
  CONVOLUTIONS,
  convolutionOperations,
  GEMM,
  integers,
  LARGE_GEMM,
  QUEUED,
  recurrentOperations,
  SEQUENCES,
  TEXT,
  uniform,
} from "./data.mjs";

const tf = namespace.default?.tensor ? namespace.default : namespace;

/** @type {import("../src/peer.js").OpenPeer} */
export async function open({ backend, threads, file, startup }) {
  let count = () => 1;
  if (backend === "wasm") {
    const imported = await import("@tensorflow/tfjs-backend-wasm");
    const wasm = imported.default?.setWasmPaths ? imported.default : imported;
    wasm.setWasmPaths(file("@tensorflow/tfjs-backend-wasm/dist/"));
    wasm.setThreadsCount(threads);
    count = () => wasm.getThreadsCount(); // at most half the processors, whatever was asked for
  } else {
    await import("@tensorflow/tfjs-backend-webgpu");
  }
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend ${backend} here`);
  await tf.ready();
  tf.enableProdMode();

  /** Reads one result as the backend can: at once where memory is the host's. */
  const read = async (y) => {
    const values = backend === "wasm" ? y.dataSync() : await y.data();
    y.dispose();
    return values[0];
  };
  const reading = (f, derived = () => ({})) => ({ run: () => read(tf.tidy(f)), derived });
  const training = (loss, derived) => {
    const optimizer = tf.train.adam(1e-3);
    return { run: () => read(optimizer.minimize(loss, true)), derived };
  };
  const classes = (n, end) => tf.oneHot(tf.tensor1d(integers(n, end), "int32"), end);

  const cnn = () =>
    tf.sequential({
      layers: [
        tf.layers.conv2d({ inputShape: [28, 28, 1], filters: 16, kernelSize: 3, padding: "same", activation: "relu" }),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.conv2d({ filters: 32, kernelSize: 3, padding: "same", activation: "relu" }),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 128, activation: "relu" }),
        tf.layers.dense({ units: 10 }),
      ],
    });
  const classifier = (net, x) => {
    const y = classes(x.shape[0], 10);
    const loss = () => tf.losses.softmaxCrossEntropy(y, net.apply(x, { training: true }));
    return training(loss, perSecond("samples_s", x.shape[0]));
  };
  const product = (n, times = 1) => [
    times > 1 ? `gemm${n}_queued` : `gemm${n}`,
    () => {
      const [a, b] = [tf.tensor2d(uniform(n * n), [n, n]), tf.tensor2d(uniform(n * n, Math.sqrt(3 / n)), [n, n])];
      const run = () => {
        let y = tf.matMul(a, b);
        for (let i = 1; i < times; i++) y = tf.matMul(y, b);
        return y;
      };
      return reading(run, gflops(2 * n ** 3 * times));
    },
  ];
  const convolution = (c) => [
    c.name,
    () => {
      const { batch, into, out, size, kernel, stride: strides, groups } = c;
      const x = tf.tensor4d(uniform(batch * size * size * into), [batch, size, size, into]);
      const shape = groups > 1 ? [kernel, kernel, into, 1] : [kernel, kernel, into, out];
      const filter = tf.tensor4d(
        uniform(
          shape.reduce((n, d) => n * d),
          0.05,
        ),
        shape,
      );
      const given = { x, filter, strides, pad: "same", bias: tf.tensor1d(uniform(out)) };
      const f = groups > 1 ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
      return reading(() => f(given), gflops(convolutionOperations(c)));
    },
  ];
  const layers = { rnn: tf.layers.simpleRNN, gru: tf.layers.gru, lstm: tf.layers.lstm };
  const usual = { returnSequences: true, recurrentInitializer: "glorotUniform" }; // orthogonal ones take it minutes
  const recurrent = (kind) =>
    SEQUENCES.map((s) => [
      `${kind}_${s.tag}`,
      () => {
        const net = tf.sequential({
          layers: [layers[kind]({ units: s.hidden, inputShape: [s.steps, s.input], ...usual })],
        });
        const x = tf.tensor3d(uniform(s.batch * s.steps * s.input), [s.batch, s.steps, s.input]);
        return reading(() => net.predict(x, { batchSize: s.batch }), gflops(recurrentOperations(s, CELLS[kind])));
      },
    ]);
  const language = (kind, embed) => [
    `train_${kind}_${embed ? "embed" : "onehot"}`,
    () => {
      const { symbols, hidden, steps, batch } = TEXT;
      const first = tf.layers.embedding({ inputDim: symbols, outputDim: symbols, inputLength: steps });
      const rnn = layers[kind]({ units: hidden, ...usual, ...(embed ? {} : { inputShape: [steps, symbols] }) });
      const net = tf.sequential({ layers: [...(embed ? [first] : []), rnn, tf.layers.dense({ units: symbols })] });
      const ids = tf.tensor2d(integers(batch * steps, symbols), [batch, steps], "int32");
      const y = classes(batch * steps, symbols);
      const loss = () => {
        const logits = net.apply(embed ? ids : tf.oneHot(ids, symbols).toFloat(), { training: true });
        return tf.losses.softmaxCrossEntropy(y, logits.reshape([batch * steps, symbols]));
      };
      return training(loss, perSecond("tokens_s", batch * steps));
    },
  ];

  return {
    library: `tfjs-${version_core}`,
    backend,
    get threads() {
      return count();
    },
    workloads: Object.fromEntries([
      [
        "infer_cnn_b1",
        async () => {
          const net = cnn();
          const x = tf.tensor4d(uniform(784), [1, 28, 28, 1]);
          const inference = reading(() => net.predict(x), startup());
          await inference.run();
          return { ...inference, derived: startup() };
        },
      ],
      ...[...GEMM, ...(backend === "webgpu" ? LARGE_GEMM : [])].map((n) => product(n)),
      ...(backend === "webgpu" ? LARGE_GEMM : []).map((n) => product(n, QUEUED)),
      [
        "gemv1024",
        () => {
          const net = tf.sequential({ layers: [tf.layers.dense({ units: 1024, useBias: false, inputShape: [1024] })] });
          const x = tf.tensor2d(uniform(1024), [1, 1024]);
          return reading(() => net.predict(x), gflops(2 * 1024 ** 2));
        },
      ],
      ...CONVOLUTIONS.map(convolution),
      ...Object.keys(CELLS).flatMap(recurrent),
      [
        "eltwise1M",
        () => {
          const n = 2 ** 20;
          const [a, b, c, d] = Array.from({ length: 4 }, () => tf.tensor1d(uniform(n)));
          return reading(() => tf.tanh(a.mul(b).add(c)).mul(tf.sigmoid(d)), gigabytes(20 * n));
        },
      ],
      [
        "train_mlp",
        () => {
          const hidden = tf.layers.dense({ units: 256, activation: "relu", inputShape: [784] });
          const net = tf.sequential({ layers: [hidden, tf.layers.dense({ units: 10 })] });
          return classifier(net, tf.tensor2d(uniform(64 * 784), [64, 784]));
        },
      ],
      ["train_cnn", () => classifier(cnn(), tf.tensor4d(uniform(64 * 784), [64, 28, 28, 1]))],
      ...["lstm", "gru"].flatMap((kind) => [language(kind, false), language(kind, true)]),
    ]),
  };
}
