/**
 * The workloads in jax-js, each one jitted function. It frees an array when it is used (`.ref` keeps it), has no scan, so
 * that recurrent layers are jitted step by step and their training as a whole, unrolled, and no optimiser, so that Adam
 * is written out.
 */
import * as jax from "@jax-js/jax";
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

const { numpy: np, lax, nn, jit, valueAndGrad, tree } = jax;

/** It says nowhere how many threads it runs: in a page it starts a worker for each. */
let workers = 0;
const PlainWorker = globalThis.Worker;
if (PlainWorker) {
  globalThis.Worker = class extends PlainWorker {
    constructor(...given) {
      super(...given);
      workers++;
    }
  };
}

/** @type {import("../src/peer.js").OpenPeer} */
export async function open({ backend, startup, version }) {
  await jax.init(backend);
  jax.defaultDevice(backend);
  return {
    library: `jax-js-${version("@jax-js/jax")}`,
    backend,
    get threads() {
      return backend === "wasm" ? Math.max(1, workers) : 1;
    },
    workloads: Object.fromEntries([
      [
        "infer_cnn_b1",
        async () => {
          const [p, x] = [cnnWeights(), random([1, 1, 28, 28])];
          const f = jit(cnn);
          const inference = reading(() => f(tree.ref(p), x.ref));
          await inference.run();
          return { ...inference, derived: startup() };
        },
      ],
      ...(backend === "webgpu" ? LARGE_GEMM : []).map((n) => [
        `gemm${n}_queued`,
        () => {
          const [a, b, f] = [random([n, n]), random([n, n], Math.sqrt(3 / n)), jit((a, b) => np.matmul(a, b))];
          const run = () => {
            let y = f(a.ref, b.ref);
            for (let i = 1; i < QUEUED; i++) y = f(y, b.ref);
            return y;
          };
          return reading(run, gflops(2 * n ** 3 * QUEUED));
        },
      ]),
      ...[...GEMM, ...(backend === "webgpu" ? LARGE_GEMM : [])].map((n) => [
        `gemm${n}`,
        () =>
          calls(
            jit((a, b) => np.matmul(a, b)),
            [random([n, n]), random([n, n])],
            gflops(2 * n ** 3),
          ),
      ]),
      [
        "gemv1024",
        () => {
          const f = jit((x, w) => np.matmul(x, np.transpose(w)));
          return calls(f, [random([1, 1024]), random([1024, 1024])], gflops(2 ** 21));
        },
      ],
      [
        "gemv1024_t",
        () =>
          calls(
            jit((x, w) => np.matmul(x, w)),
            [random([1, 1024]), random([1024, 1024])],
            gflops(2 ** 21),
          ),
      ],
      ...CONVOLUTIONS.map((c) => [
        c.name,
        () => {
          const { batch, into, out, size, kernel, stride: s, padding: p, groups: featureGroupCount } = c;
          const f = jit((x, w, b) =>
            lax
              .convGeneralDilated(
                x,
                w,
                [s, s],
                [
                  [p, p],
                  [p, p],
                ],
                { featureGroupCount },
              )
              .add(b),
          );
          const w = random([out, into / featureGroupCount, kernel, kernel], 0.05);
          return calls(
            f,
            [random([batch, into, size, size]), w, random([1, out, 1, 1])],
            gflops(convolutionOperations(c)),
          );
        },
      ]),
      ...Object.keys(CELLS).flatMap((kind) => SEQUENCES.map((s) => [`${kind}_${s.tag}`, () => recurrent(kind, s)])),
      [
        "eltwise1M",
        () => {
          const f = jit((a, b, c, d) => np.tanh(a.mul(b).add(c)).mul(nn.sigmoid(d)));
          return calls(
            f,
            Array.from({ length: 4 }, () => random([2 ** 20])),
            gigabytes(20 * 2 ** 20),
          );
        },
      ],
      [
        "train_mlp",
        () => {
          const p = {
            w1: random([784, 256], 0.036),
            b1: random([256], 0.036),
            w2: random([256, 10], 0.06),
            b2: random([10], 0.06),
          };
          const f = (p, x) => np.matmul(nn.relu(np.matmul(x, p.w1).add(p.b1)), p.w2).add(p.b2);
          return training(
            p,
            (p, x, y) => crossEntropy(f(p, x), y),
            [random([64, 784]), classes(64, 10)],
            perSecond("samples_s", 64),
          );
        },
      ],
      [
        "train_cnn",
        () => {
          const loss = (p, x, y) => crossEntropy(cnn(p, x), y);
          return training(cnnWeights(), loss, [random([64, 1, 28, 28]), classes(64, 10)], perSecond("samples_s", 64));
        },
      ],
      ...["lstm", "gru"].map((kind) => [`train_${kind}_onehot`, () => language(kind)]),
    ]),
  };
}

/* ---------------------------------------------------------------------------------------------------------------- */

const random = (shape, bound = 1) =>
  np
    .array(
      uniform(
        shape.reduce((n, d) => n * d, 1),
        bound,
      ),
    )
    .reshape(shape);
const classes = (n, end) => nn.oneHot(np.array(integers(n, end)), end);
const reading = (f, derived = () => ({})) => ({ run: async () => (await f().data())[0], derived });
const calls = (f, given, derived) => reading(() => f(...given.map((x) => x.ref)), derived);
const crossEntropy = (logits, y) => nn.logSoftmax(logits, -1).mul(y).sum(-1).mean().mul(-1);

/** A jitted step: loss, gradients and Adam. */
function training(p, loss, [x, y], derived) {
  const zeros = () => Object.fromEntries(Object.keys(p).map((k) => [k, np.zeros(p[k].shape)]));
  let state = { t: np.array(0), m: zeros(), v: zeros() };
  const step = jit((p, state, x, y) => {
    const [value, gradients] = valueAndGrad(loss)(tree.ref(p), x, y);
    return [value, ...adam(p, gradients, state)];
  });
  const run = async () => {
    const [value, nextP, nextState] = step(p, state, x.ref, y.ref);
    [p, state] = [nextP, nextState];
    return (await value.data())[0];
  };
  return { run, derived };
}

function adam(p, gradients, state) {
  const t = state.t.add(1);
  const correct1 = np.subtract(1, np.power(0.9, t.ref));
  const correct2 = np.subtract(1, np.power(0.999, t.ref));
  const [nextP, m, v] = [{}, {}, {}];
  for (const k of Object.keys(p)) {
    m[k] = state.m[k].mul(0.9).add(gradients[k].ref.mul(0.1));
    v[k] = state.v[k].mul(0.999).add(np.square(gradients[k]).mul(0.001));
    const [mean, square] = [m[k].ref.div(correct1.ref), v[k].ref.div(correct2.ref)];
    nextP[k] = p[k].sub(mean.div(np.sqrt(square).add(1e-8)).mul(1e-3));
  }
  correct1.dispose();
  correct2.dispose();
  return [nextP, { t, m, v }];
}

const cnnWeights = () => ({
  w1: random([16, 1, 3, 3], 0.3),
  b1: random([16], 0.1),
  w2: random([32, 16, 3, 3], 0.08),
  b2: random([32], 0.1),
  w3: random([1568, 128], 0.025),
  b3: random([128], 0.02),
  w4: random([128, 10], 0.08),
  b4: random([10], 0.02),
});

function cnn(p, x) {
  const [batch] = x.shape;
  let h = pool(nn.relu(lax.conv(x, p.w1, [1, 1], "SAME").add(p.b1.reshape([1, 16, 1, 1]))));
  h = pool(nn.relu(lax.conv(h, p.w2, [1, 1], "SAME").add(p.b2.reshape([1, 32, 1, 1])))).reshape([batch, 1568]);
  return np.matmul(nn.relu(np.matmul(h, p.w3).add(p.b3)), p.w4).add(p.b4);
}

function pool(x) {
  const [batch, channels, height, width] = x.shape;
  return np.max(x.reshape([batch, channels, height / 2, 2, width / 2, 2]), [3, 5]);
}

/** One step: state and what the input adds to the gates (which is a product over all steps) → state. */
const cells = {
  rnn: ({ h }, z, r) => ({ h: np.tanh(z.add(np.matmul(h, r))) }),
  gru: ({ h }, z, r) => {
    const [zr, zz, zn] = np.split(z, 3, -1);
    const [ur, uz, un] = np.split(np.matmul(h.ref, r), 3, -1);
    const [reset, update] = [nn.sigmoid(zr.add(ur)), nn.sigmoid(zz.add(uz))];
    const n = np.tanh(zn.add(reset.mul(un)));
    return { h: n.ref.add(update.mul(h.sub(n))) };
  },
  lstm: ({ h, c }, z, r) => {
    const [i, f, g, o] = np.split(z.add(np.matmul(h, r)), 4, -1);
    c = nn
      .sigmoid(f)
      .mul(c)
      .add(nn.sigmoid(i).mul(np.tanh(g)));
    return { h: nn.sigmoid(o).mul(np.tanh(c.ref)), c };
  },
};
const start = (kind, batch, hidden) =>
  kind === "lstm" ? { h: np.zeros([batch, hidden]), c: np.zeros([batch, hidden]) } : { h: np.zeros([batch, hidden]) };

function recurrent(kind, s) {
  const { batch, steps, input, hidden } = s;
  const width = CELLS[kind] * hidden;
  const x = random([steps, batch, input]);
  const [k, r, b] = [random([input, width], 0.08), random([hidden, width], 0.08), random([width], 0.08)];
  const project = jit((x, k, b) =>
    np
      .matmul(x.reshape([steps * batch, input]), k)
      .add(b)
      .reshape([steps, batch, width]),
  );
  const step = jit(cells[kind]);
  const stack = jit((all) => np.stack(all));
  return reading(
    () => {
      let state = start(kind, batch, hidden);
      const all = [];
      for (const z of np.unstack(project(x.ref, k.ref, b.ref))) {
        state = step(state, z, r.ref);
        all.push(state.h.ref);
      }
      for (const value of Object.values(state)) value.dispose();
      return stack(all);
    },
    gflops(recurrentOperations(s, CELLS[kind])),
  );
}

function language(kind) {
  const { symbols, hidden, steps, batch } = TEXT;
  const width = CELLS[kind] * hidden;
  const p = {
    k: random([symbols, width], 0.08),
    r: random([hidden, width], 0.08),
    b: random([width], 0.08),
    wo: random([hidden, symbols], 0.08),
    bo: random([symbols], 0.08),
  };
  const loss = (p, x, y) => {
    const zs = np.unstack(np.matmul(x, p.k).add(p.b).reshape([steps, batch, width]));
    let state = start(kind, batch, hidden);
    const all = zs.map((z, t) => {
      state = cells[kind](state, z, t === steps - 1 ? p.r : p.r.ref);
      return t === steps - 1 ? state.h : state.h.ref;
    });
    state.c?.dispose();
    return crossEntropy(np.matmul(np.stack(all).reshape([steps * batch, hidden]), p.wo).add(p.bo), y);
  };
  const given = [classes(steps * batch, symbols), classes(steps * batch, symbols)];
  return training(p, loss, given, perSecond("tokens_s", steps * batch));
}
