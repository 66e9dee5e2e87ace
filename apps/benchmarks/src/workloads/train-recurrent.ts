/**
 * One training step of a language model over 64 symbols: LSTM or GRU with 256 units and a head, 32 sequences of 64
 * steps, cross entropy of every step, Adam. Symbols go in as one-hot rows (made in the step) or through an embedding.
 */
import { crossEntropy, Embedding, Linear } from "@nn/layers";
import { Adam } from "@nn/optim";
import { GRU, LSTM } from "@nn/recurrent";
import { compile, Module, oneHot, type Tensor } from "@nn/tensor";
import { integers } from "../data.js";
import { perSecond, training, type Workload } from "../workload.js";

const V = 64;
const H = 256;
const T = 64;
const B = 32;

/** ids (T, N) → logits (T, N, V). */
class LanguageModel extends Module {
  readonly embedding: Embedding | null;
  readonly head = new Linear(H, V);

  constructor(
    readonly rnn: LSTM | GRU,
    embed: boolean,
  ) {
    super();
    this.embedding = embed ? new Embedding(V, V) : null;
  }

  override forward(ids: Tensor): Tensor {
    const x = this.embedding ? this.embedding.forward(ids) : oneHot(ids, V).cast("f32");
    return this.head.forward(this.rnn.forward(x).output);
  }
}

export const workloads: readonly Workload[] = [
  model("train_lstm_onehot", LSTM, false),
  model("train_lstm_embed", LSTM, true),
  model("train_gru_onehot", GRU, false),
  model("train_gru_embed", GRU, true),
];

// ---------------------------------------------------------------------------------------------

function model(name: string, Layer: typeof LSTM | typeof GRU, embed: boolean): Workload {
  return {
    name,
    make() {
      const net = new LanguageModel(new Layer(V, H), embed);
      const optimizer = new Adam(net.parameters(), { lr: 1e-3 });
      const [ids, next] = [integers([T, B], V), integers([T, B], V)];
      const step = compile((ids: Tensor, next: Tensor) =>
        optimizer.minimize(() => crossEntropy(net.forward(ids).reshape([T * B, V]), next.reshape([T * B]))),
      );
      return training(() => step(ids, next), perSecond("tokens_s", T * B));
    },
  };
}
