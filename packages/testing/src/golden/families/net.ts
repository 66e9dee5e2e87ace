// Reads the nets of the train family: "conv1(1,4,3,pad1)-relu-maxpool2-flatten-fc1(.,16)". Sizes come from the weights.

import { Conv1d, Conv2d, Conv3d, MaxPool1d, MaxPool2d } from "@nn/conv";
import { BatchNorm2d, Embedding, LayerNorm, Linear } from "@nn/layers";
import { GRU, LSTM, RNN } from "@nn/recurrent";
import { gelu, Module, pad, relu, sigmoid, silu, type Tensor, tanh } from "@nn/tensor";
import { type GoldenTensor, NotBuilt } from "../case.js";

type Step = (x: Tensor) => Tensor;

/** The net, with its parts under the names of the weights. */
export function netOf(description: string, weights: ReadonlyMap<string, GoldenTensor>): Net {
  const net = new Net();
  for (const word of description.trim().split("-")) net.add(word.trim(), weights);
  const odd = [...weights.keys()].find((key) => !net.namedVariables().has(key));
  if (odd) throw new NotBuilt(`nothing in "${description}" has the weight ${odd}`);
  return net;
}

class Net extends Module {
  readonly #parts = new Map<string, Module>();
  readonly #steps: Step[] = [];

  protected override entries(): Iterable<readonly [string, unknown]> {
    return this.#parts;
  }

  override forward(x: Tensor): Tensor {
    return this.#steps.reduce((y, step) => step(y), x);
  }

  add(word: string, weights: ReadonlyMap<string, GoldenTensor>): void {
    const fixed = plain[word];
    if (fixed) {
      this.#steps.push(fixed);
      return;
    }
    const [, name = "", list = ""] = /^(\w+?)(?:\((.*)\))?$/.exec(word) ?? [];
    const options = list.split(",").map((s) => s.trim());
    if (/^maxpool\d+$/.test(name)) {
      const size = Number(name.slice("maxpool".length));
      this.#steps.push((x) => (x.rank === 4 ? new MaxPool2d(size) : new MaxPool1d(size)).forward(x));
    } else if (name === "pad") {
      const pair = [Number(options[0]), Number(options[1])] as const;
      this.#steps.push((x) => pad(x, [pair]));
    } else if (/^(RNN|GRU|LSTM)$/.test(name)) this.#part("rnn", recurrent(name, options, weights));
    else if (name === "layernorm") this.#part("ln", new LayerNorm([...weights.get("ln.weight")!.shape]));
    else if (weights.has(`${name}.weight`)) this.#part(name, layer(name, options, weights));
    else throw new NotBuilt(`no "${word}" in a net`);
  }

  #part(name: string, part: Module & { forward(x: Tensor): Tensor | { output: Tensor } }): void {
    this.#parts.set(name, part);
    this.#steps.push((x) => {
      const y = part.forward(x);
      return "output" in y ? y.output : y;
    });
  }
}

const plain: Record<string, Step> = {
  relu,
  gelu: (x) => gelu(x),
  tanh,
  sigmoid,
  silu,
  flatten: (x) => x.flatten(1),
  "global average": (x) => x.mean(x.shape.slice(2).map((_, i) => i + 2)),
  "mean over time": (x) => x.mean(2), // (N, C, T)
  "last step": (x) => x.select(1, -1), // (N, T, H)
};

/** A layer with weights; its kind follows from its name and the rank of its weight. */
function layer(
  name: string,
  options: readonly string[],
  weights: ReadonlyMap<string, GoldenTensor>,
): Module & { forward(x: Tensor): Tensor } {
  const { shape } = weights.get(`${name}.weight`)!;
  const bias = weights.has(`${name}.bias`);
  const [out, size] = shape as [number, number];
  if (name.startsWith("emb")) return new Embedding(out, size);
  if (name.startsWith("bn")) return new BatchNorm2d(out); // the nets with a BatchNorm are of images
  if (shape.length === 2) return new Linear(size, out, { bias });
  const given = (word: string) =>
    Number(options.find((o) => o.startsWith(word))?.slice(word.length) ?? (word === "pad" ? 0 : 1));
  const kernel = shape.slice(2);
  const groups = options.some((o) => o.includes("depthwise")) ? out : 1;
  const Conv = [Conv1d, Conv2d, Conv3d][kernel.length - 1]!;
  return new Conv(size * groups, out, kernel, {
    bias,
    groups,
    stride: given("stride"),
    padding: given("pad"),
    dilation: given("dilation"),
  });
}

function recurrent(
  name: string,
  options: readonly string[],
  weights: ReadonlyMap<string, GoldenTensor>,
): RNN | GRU | LSTM {
  const [hidden, size] = [weights.get("rnn.weight_hh_l0")!.shape[1]!, weights.get("rnn.weight_ih_l0")!.shape[1]!];
  const numLayers = [...weights.keys()].filter((key) => /^rnn\.weight_ih_l\d+$/.test(key)).length;
  const shared = {
    numLayers,
    batchFirst: options.includes("batch_first"),
    bidirectional: options.includes("bidirectional"),
  };
  const Class = { RNN, GRU, LSTM }[name as "RNN"]!;
  return new Class(size, hidden, shared);
}
