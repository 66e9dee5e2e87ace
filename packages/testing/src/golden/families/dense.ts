// Linear, Bilinear, Embedding and EmbeddingBag.

import { Bilinear, Embedding, EmbeddingBag, Linear } from "@nn/layers";
import { layer } from "./activation.js";
import { familyOf } from "./family.js";

export const dense = familyOf({
  Linear: layer(
    (args) => new Linear(args.get("in_features"), args.get("out_features"), args.options({ bias: "bias" })),
  ),
  Embedding(args) {
    args.only("max_norm", null);
    args.get("norm_type", 2); // means nothing without max_norm
    args.only("sparse", false);
    const module = new Embedding(
      args.get("num_embeddings"),
      args.get("embedding_dim"),
      args.options({ padding_idx: "paddingIdx", scale_grad_by_freq: "scaleGradByFreq" }),
    );
    return { module, run: ({ idx }) => ({ y: module.forward(idx!) }) };
  },
  Bilinear(args) {
    const sizes = ["in1_features", "in2_features", "out_features"].map((name) => args.get<number>(name));
    const module = new Bilinear(...(sizes as [number, number, number]), args.options({ bias: "bias" }));
    return { module, run: ({ x1, x2 }) => ({ y: module.forward(x1!, x2!) }) };
  },
  EmbeddingBag(args) {
    args.only("max_norm", null);
    args.get("norm_type", 2);
    args.only("sparse", false);
    const module = new EmbeddingBag(
      args.get("num_embeddings"),
      args.get("embedding_dim"),
      args.options({
        mode: "mode",
        padding_idx: "paddingIdx",
        scale_grad_by_freq: "scaleGradByFreq",
        include_last_offset: "includeLastOffset",
      }),
    );
    return {
      module,
      run: ({ idx, offsets, per_sample_weights: perSampleWeights }) => ({
        y: module.forward(idx!, { ...(offsets ? { offsets } : {}), ...(perSampleWeights ? { perSampleWeights } : {}) }),
      }),
    };
  },
});
