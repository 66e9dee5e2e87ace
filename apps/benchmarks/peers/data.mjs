/** Made-up inputs and the sizes of the workloads, for all peers in JavaScript. What each workload is stands in ../src/workloads. */

let state = 12345;
const next = () => {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return (state >>> 8) / 2 ** 24;
};

/** f32, uniform on ±`bound`. */
export const uniform = (/** @type {number} */ n, bound = 1) =>
  Float32Array.from({ length: n }, () => (next() * 2 - 1) * bound);

/** i32, from 0 to `end` − 1. */
export const integers = (/** @type {number} */ n, /** @type {number} */ end) =>
  Int32Array.from({ length: n }, () => Math.floor(next() * end));

export const GEMM = [128, 256, 512, 1024];
/** On a GPU also these. */
export const LARGE_GEMM = [2048, 4096];
/** Products in `gemm…_queued`, y ← y·b, of which only the last one is read. */
export const QUEUED = 10;

export const CONVOLUTIONS = [
  { name: "conv_a", batch: 1, into: 64, out: 64, size: 56, kernel: 3, stride: 1, padding: 1, groups: 1 },
  { name: "conv_b", batch: 8, into: 16, out: 32, size: 28, kernel: 3, stride: 1, padding: 1, groups: 1 },
  { name: "conv_c", batch: 1, into: 256, out: 256, size: 28, kernel: 1, stride: 1, padding: 0, groups: 1 },
  { name: "conv_d", batch: 1, into: 128, out: 128, size: 56, kernel: 3, stride: 1, padding: 1, groups: 128 },
  { name: "conv_e", batch: 1, into: 3, out: 64, size: 224, kernel: 7, stride: 2, padding: 3, groups: 1 },
];

/** @param {(typeof CONVOLUTIONS)[number]} convolution */
export const convolutionOperations = ({ batch, into, out, size, kernel, stride, groups }) =>
  2 * batch * (size / stride) ** 2 * out * (into / groups) * kernel ** 2;

/** Recurrent layers: gates, and the sizes that they run in. */
export const CELLS = { rnn: 1, gru: 3, lstm: 4 };
export const SEQUENCES = [
  { tag: "b1", batch: 1, steps: 100, input: 64, hidden: 128 },
  { tag: "b32", batch: 32, steps: 100, input: 128, hidden: 256 },
];

/** @param {(typeof SEQUENCES)[number]} sequence */
export const recurrentOperations = ({ batch, steps, input, hidden }, /** @type {number} */ gates) =>
  2 * steps * batch * gates * hidden * (input + hidden);

/** The language model. */
export const TEXT = { symbols: 64, hidden: 256, steps: 64, batch: 32 };
