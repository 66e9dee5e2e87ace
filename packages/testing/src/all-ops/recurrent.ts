// Samples of the functions of @nn/recurrent: the scans that are its ops, and batches of sequences.

import * as recurrent from "@nn/recurrent";
import type { Tensor } from "@nn/tensor";
import { flat, floats, given, type Sample, sample } from "./sample.js";

const [T, N, I, H] = [4, 3, 2, 3];
const X = floats([T, N, I]);
const STATE = (size = H, seed = 1) => floats([N, size], -1, 1, { seed });
const weights = (gates: number, out = H) => [
  floats([gates * H, I], -1, 1, { seed: 2 }),
  floats([gates * H, out], -1, 1, { seed: 3 }),
];
const biases = (gates: number) => [4, 5].map((seed) => floats([gates * H], -0.5, 0.5, { seed }));
const LENGTHS = given([N], [4, 1, 3], "i32");
const attrs = { bias: true, reverse: false, lengths: true };

/** Inputs by name, of a list: x, states, weights, biases, lengths. */
function named(xs: readonly Tensor[], states: number): recurrent.ScanInputs<Tensor> {
  const [weightIh, weightHh, biasIh, biasHh, lengths] = xs.slice(1 + states);
  return {
    x: xs[0]!,
    states: xs.slice(1, 1 + states),
    weightIh: weightIh!,
    weightHh: weightHh!,
    biasIh,
    biasHh,
    lengths,
  };
}

const PARTS = [2, 4, 1].map((n, seed) => floats([n, 2], -2, 2, { seed }));

export const sequences: readonly Sample[] = [
  sample("rnnScan lengths", [X, STATE(), ...weights(1), ...biases(1), LENGTHS], (...xs) =>
    recurrent.rnnScan(named(xs, 1), { ...attrs, nonlinearity: "tanh" }),
  ),
  sample("gruScan lengths", [X, STATE(), ...weights(3), ...biases(3), LENGTHS], (...xs) =>
    recurrent.gruScan(named(xs, 1), attrs),
  ),
  sample("gruScan reverse", [X, STATE(), ...weights(3)], (...xs) =>
    recurrent.gruScan(named(xs, 1), { bias: false, reverse: true, lengths: false }),
  ),
  sample("lstmScan lengths reverse", [X, STATE(), STATE(H, 6), ...weights(4), ...biases(4), LENGTHS], (...xs) =>
    recurrent.lstmScan(named(xs, 2), { ...attrs, reverse: true, projection: false }),
  ),
  sample(
    "lstmScan projection lengths",
    [X, STATE(2), STATE(H, 6), ...weights(4, 2), floats([2, H], -1, 1, { seed: 7 }), LENGTHS],
    (x, h, c, weightIh, weightHh, weightHr, lengths) =>
      recurrent.lstmScan(
        { x: x!, states: [h!, c!], weightIh: weightIh!, weightHh: weightHh!, weightHr, lengths },
        { bias: false, reverse: false, lengths: true, projection: true },
      ),
  ),
  sample("padSequence", PARTS, (...xs) => recurrent.padSequence(xs, { batchFirst: true, paddingValue: 2 })),
  sample("padSequence left", PARTS, (...xs) => recurrent.padSequence(xs, { paddingSide: "left" })),
  sample("packSequence", PARTS, (...xs) => recurrent.packSequence(xs).data),
  sample("packPaddedSequence", [floats([N, T, 2])], (x) =>
    Object.values(recurrent.packPaddedSequence(x!, [1, 3, 2], { batchFirst: true })),
  ),
  sample("padPackedSequence", [X, LENGTHS], (data, lengths) =>
    Object.values(recurrent.padPackedSequence({ data: data!, lengths: lengths! }, { totalLength: 6, paddingValue: 1 })),
  ),
  flat("maskOf", "gives bools", [LENGTHS], (lengths) => recurrent.maskOf(lengths!, T, { batchFirst: true })),
  flat("sample", "random", [floats([4, 5])], (logits) => recurrent.sample(logits!, { topK: 3, topP: 0.9 })),
];
