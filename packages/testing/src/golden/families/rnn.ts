// Recurrent layers and cells.

import { GRU, GRUCell, LSTM, LSTMCell, RNN, RNNCell } from "@nn/recurrent";
import { stack, type Tensor } from "@nn/tensor";
import { type Args, type GoldenCase, NotBuilt, tensorsOf } from "../case.js";
import type { Tensors } from "../subject.js";
import { type Builder, familyOf } from "./family.js";

const LAYER = { num_layers: "numLayers", bias: "bias", batch_first: "batchFirst", bidirectional: "bidirectional" };

function layerOptions(args: Args, names: Readonly<Record<string, string>> = {}) {
  args.only("dropout", 0); // random: cannot be compared
  return args.options({ ...LAYER, ...names });
}

/** Lengths of the rows, as packed sequences have them; `total_length` is that of x. */
function lengthsOf(c: GoldenCase, batchFirst: boolean): { lengths?: number[] } {
  const { lengths, total_length: total } = c.raw as { lengths?: number[]; total_length?: number };
  if (lengths === undefined) return {};
  const steps = tensorsOf(c, "in").get("x")!.shape[batchFirst ? 1 : 0];
  if (total !== undefined && total !== steps) throw new NotBuilt(`no total_length ${total} for ${steps} steps`);
  return { lengths };
}

/** Output and final states by the case's names; `last` is the last step of the output. */
function named(
  c: GoldenCase,
  batchFirst: boolean,
  { output, h, ...rest }: { output: Tensor; h: Tensor; c?: Tensor },
): Tensors {
  if (c.tensors.has("out.last")) return { last: output.select(batchFirst ? 1 : 0, -1) };
  return { y: output, h_n: h, ...(rest.c ? { c_n: rest.c } : {}) };
}

const sizes = (args: Args) => [args.get<number>("input_size"), args.get<number>("hidden_size")] as const;

const plain =
  (make: (args: Args) => RNN | GRU): Builder =>
  (args, c) => {
    const module = make(args);
    const batchFirst = args.get("batch_first", false);
    const lengths = lengthsOf(c, batchFirst);
    return { module, run: ({ x, h0 }) => named(c, batchFirst, module.forward(x!, h0, lengths)) };
  };

const cell =
  (make: (args: Args) => RNNCell | GRUCell): Builder =>
  (args) => {
    const module = make(args);
    return {
      module,
      run({ x, h0 }): Tensors {
        if (x!.rank < 3) return { h: module.forward(x!, h0) };
        // Stepped over x[t].
        const outputs: Tensor[] = [];
        for (let t = 0; t < x!.shape[0]!; t++) outputs.push(module.forward(x!.select(0, t), outputs.at(-1) ?? h0));
        return { y: stack(outputs), h_n: outputs.at(-1)! };
      },
    };
  };

export const rnn = familyOf({
  RNN: plain((args) => new RNN(...sizes(args), layerOptions(args, { nonlinearity: "nonlinearity" }))),
  GRU: plain((args) => new GRU(...sizes(args), layerOptions(args))),
  LSTM(args, c) {
    const module = new LSTM(...sizes(args), layerOptions(args, { proj_size: "projSize" }));
    const batchFirst = args.get("batch_first", false);
    const lengths = lengthsOf(c, batchFirst);
    return {
      module,
      run: ({ x, h0, c0 }) =>
        named(c, batchFirst, module.forward(x!, h0 && c0 ? { h: h0, c: c0 } : undefined, lengths)),
    };
  },
  RNNCell: cell((args) => new RNNCell(...sizes(args), args.options({ bias: "bias", nonlinearity: "nonlinearity" }))),
  GRUCell: cell((args) => new GRUCell(...sizes(args), args.options({ bias: "bias" }))),
  LSTMCell(args) {
    const module = new LSTMCell(...sizes(args), args.options({ bias: "bias" }));
    return {
      module,
      run({ x, h0, c0 }): Tensors {
        let state = h0 && c0 ? { h: h0, c: c0 } : undefined;
        if (x!.rank < 3) return { ...module.forward(x!, state) };
        const outputs: Tensor[] = [];
        for (let t = 0; t < x!.shape[0]!; t++) {
          state = module.forward(x!.select(0, t), state);
          outputs.push(state.h);
        }
        return { y: stack(outputs), h_n: state!.h, c_n: state!.c };
      },
    };
  },
});
