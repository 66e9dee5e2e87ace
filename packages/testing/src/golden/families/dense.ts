// Linear and Embedding.

import { Embedding, Linear } from "@nn/layers";
import { layer } from "./activation.js";
import { familyOf } from "./family.js";

export const dense = familyOf({
  Linear: layer(
    (args) => new Linear(args.get("in_features"), args.get("out_features"), args.options({ bias: "bias" })),
  ),
  Embedding(args) {
    args.only("max_norm", null);
    args.get("norm_type", 2); // means nothing without max_norm
    args.only("scale_grad_by_freq", false);
    args.only("sparse", false);
    const module = new Embedding(
      args.get("num_embeddings"),
      args.get("embedding_dim"),
      args.options({ padding_idx: "paddingIdx" }),
    );
    return { module, run: ({ idx }) => ({ y: module.forward(idx!) }) };
  },
});
