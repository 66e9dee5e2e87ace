/** How recurrent networks may begin so that their memory is long from the start: with the identity, or with gates that keep. */
import { type GRU, LSTM, RNN } from "@nn/recurrent";
import { eye, tensor, zeros } from "@nn/tensor";
import type { Random } from "./random.js";

/** The remedy of Le, Jaitly and Hinton (2015) for the plain RNN: ReLU, and the identity to begin with, so that it keeps all that it knows. */
export function identityRNN(features: number, hidden: number): RNN {
  const rnn = new RNN(features, hidden, { batchFirst: true, nonlinearity: "relu" });
  rnn.weight_ih_l0.value = rnn.weight_ih_l0.value.mul(0.1); // or else the states explode at first
  rnn.weight_hh_l0.value = eye(hidden);
  for (const name of ["bias_ih_l0", "bias_hh_l0"] as const) rnn[name].value = zeros([hidden]);
  return rnn;
}

/**
 * Gives the units memories that last from 1 step to the whole sequence, by the biases of their gates (Tallec and Ollivier, 2018): PyTorch's
 * keep half of what they know at each step, and need far longer to learn to keep it all.
 *
 * @param length of the sequences
 * @returns the layer
 */
export function openGates<L extends GRU | LSTM>(layer: L, length: number, source: Random): L {
  const keep = Array.from({ length: layer.hiddenSize }, () => Math.log(source.uniform(1, length - 1)));
  const none = keep.map(() => 0);
  // i, f, g, o; or r, z, n.
  const gates = layer instanceof LSTM ? [keep.map((b) => -b), keep, none, none] : [none, keep, none];
  layer.bias_ih_l0.value = layer.bias_ih_l0.value.add(tensor(Float32Array.from(gates.flat())));
  return layer;
}
