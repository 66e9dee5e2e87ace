// Normalisation.

import {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  GroupNorm,
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  LayerNorm,
  LocalResponseNorm,
} from "@nn/layers";
import type { Tensors } from "../subject.js";
import { layer } from "./activation.js";
import { type Builder, familyOf } from "./family.js";

type BatchNorm = typeof BatchNorm1d | typeof BatchNorm2d | typeof BatchNorm3d;

const batchNorm =
  (Class: BatchNorm): Builder =>
  (args) => {
    const options = args.options({
      eps: "eps",
      momentum: "momentum",
      affine: "affine",
      track_running_stats: "trackRunningStats",
    });
    const calls = args.get<("train" | "eval")[] | null>("calls", null);
    const module = new Class(args.get("num_features"), options);
    if (calls === null) return { module, run: ({ x }) => ({ y: module.forward(x!) }) };
    // "train on x0 … in order, then eval on x0": outputs train0, train1, … and eval.
    return {
      module,
      run(ins) {
        const out: Tensors = {};
        let n = 0;
        for (const call of calls) {
          module.train(call === "train");
          if (call === "train") out[`train${n}`] = module.forward(ins[`x${n++}`]!);
          else out["eval"] = module.forward(ins["x0"]!);
        }
        return out;
      },
    };
  };

const instanceNorm = (Class: typeof InstanceNorm1d | typeof InstanceNorm2d | typeof InstanceNorm3d) =>
  layer((args) => {
    const options = args.options({
      eps: "eps",
      momentum: "momentum",
      affine: "affine",
      track_running_stats: "trackRunningStats",
    });
    return new Class(args.get("num_features"), options);
  });

export const norm = familyOf({
  BatchNorm1d: batchNorm(BatchNorm1d),
  BatchNorm2d: batchNorm(BatchNorm2d),
  BatchNorm3d: batchNorm(BatchNorm3d),
  InstanceNorm1d: instanceNorm(InstanceNorm1d),
  InstanceNorm2d: instanceNorm(InstanceNorm2d),
  InstanceNorm3d: instanceNorm(InstanceNorm3d),
  GroupNorm: layer((args) => {
    const options = args.options({ eps: "eps", affine: "affine" });
    return new GroupNorm(args.get("num_groups"), args.get("num_channels"), options);
  }),
  LocalResponseNorm: layer((args) => {
    const options = args.options({ alpha: "alpha", beta: "beta", k: "k" });
    return new LocalResponseNorm(args.get("size"), options);
  }),
  LayerNorm: layer((args) => {
    const options = args.options({ eps: "eps", elementwise_affine: "elementwiseAffine", bias: "bias" });
    return new LayerNorm(args.get<number | number[]>("normalized_shape"), options);
  }),
});
