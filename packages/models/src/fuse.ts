// Folding BatchNorm into the convolution before it: in evaluation both are linear, and one convolution does for two.

import { Conv1d, Conv2d, Conv3d } from "@nn/conv";
import { BatchNorm1d, BatchNorm2d, BatchNorm3d, Identity, type Layer, Sequential } from "@nn/layers";
import { fail, type Module, scope } from "@nn/tensor";
import { type Conv, isConv } from "./conv.js";

type BatchNorm = BatchNorm1d | BatchNorm2d | BatchNorm3d;

/** A module that says which of its fields are a convolution and the BatchNorm that alone takes its output. */
export interface ConvNormPairs {
  convNormPairs(): readonly (readonly [conv: string, norm: string])[];
}

/**
 * One convolution that does what a convolution and the BatchNorm after it do in evaluation:
 * `weight · s` and `(bias − mean) · s + β` per output channel, with `s = γ / √(variance + eps)`.
 *
 * As [torch.nn.utils.fusion.fuse_conv_bn_eval](https://pytorch.org/docs/stable/generated/torch.nn.utils.fuse_conv_bn_eval.html):
 * gives a new layer, both given ones stay as they are.
 *
 * @throws {@link NNError} if one of them is in training, BatchNorm has no running statistics, or the channels differ
 * @example
 * ```ts
 * fuseConvBatchNorm(new Conv2d(3, 8, 3).eval(), new BatchNorm2d(8).eval());
 * ```
 */
export function fuseConvBatchNorm(conv: Conv, norm: BatchNorm): Conv {
  const op = "fuseConvBatchNorm";
  if (conv.training || norm.training) {
    fail({
      op,
      expected: "layers in evaluation",
      got: "training, where BatchNorm depends on the batch",
      hint: "Call eval().",
    });
  }
  const { running_mean, running_var } = norm;
  if (!running_mean || !running_var) {
    return fail({ op, expected: "running statistics", got: "BatchNorm with trackRunningStats: false" });
  }
  if (norm.numFeatures !== conv.outChannels) {
    fail({ op, expected: `BatchNorm of ${conv.outChannels} channels`, got: `${norm.numFeatures}` });
  }
  const { inChannels, outChannels, kernelSize, stride, padding, dilation, groups, paddingMode } = conv;
  // Of the plain class: the constructors of others, such as DepthwiseConv2d, take other arguments.
  const make = conv instanceof Conv1d ? Conv1d : conv instanceof Conv2d ? Conv2d : Conv3d;
  const fused = new make(inChannels, outChannels, kernelSize, {
    stride,
    padding,
    dilation,
    groups,
    paddingMode,
  }).eval();
  scope(() => {
    const root = running_var.value.add(norm.eps).sqrt();
    const scale = norm.weight ? norm.weight.value.div(root) : root.reciprocal();
    const mean = running_mean.value;
    const shift = (conv.bias ? conv.bias.value.sub(mean) : mean.neg()).mul(scale);
    fused.weight.value = conv.weight.value.mul(scale.reshape([-1, ...conv.weight.shape.slice(1).map(() => 1)]));
    fused.bias!.value = norm.bias ? shift.add(norm.bias.value) : shift;
  });
  return fused;
}

/**
 * Folds every BatchNorm of a model in evaluation into the convolution before it, where the order is certain: neighbours
 * in a {@link Sequential}, and what a module names itself ({@link ConvNormPairs}), as those of this package do. An
 * {@link Identity} takes the place of each BatchNorm. The model is changed and returned; it is then for inference only,
 * and a checkpoint of the original no longer fits: load that before, and compile after.
 *
 * @throws {@link NNError} if the model is in training
 * @example
 * ```ts
 * const model = foldBatchNorm(resnet18().eval()); // the same outputs, 20 layers fewer
 * ```
 */
export function foldBatchNorm<M extends Module>(model: M): M {
  const modules = [...model.namedModules().values()];
  // What several parents share has several neighbours.
  const single = (m: unknown) => modules.indexOf(m as Module) === modules.lastIndexOf(m as Module);
  for (const m of new Set(modules)) {
    for (const [parts, first, second] of pairsIn(m)) {
      const [conv, norm] = [parts[first], parts[second]];
      if (!isConv(conv) || !isBatchNorm(norm) || !norm.running_mean || !single(conv) || !single(norm)) continue;
      if (!runsAs(conv, Conv2d) || !runsAs(norm, BatchNorm2d)) continue;
      parts[first] = fuseConvBatchNorm(conv, norm);
      parts[second] = new Identity().eval();
    }
  }
  return model;
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

type Parts = Record<string | number, unknown>;

/** Where two layers may be that follow each other. */
function pairsIn(m: Module): readonly (readonly [Parts, string | number, string | number])[] {
  if (m instanceof Sequential && runsAs(m, Sequential)) {
    const layers = m.layers as readonly Layer[] & Parts;
    return layers.slice(1).map((_, i) => [layers, i, i + 1] as const);
  }
  const pairs = (m as Module & Partial<ConvNormPairs>).convNormPairs?.() ?? [];
  return pairs.map(([conv, norm]) => [m as unknown as Parts, conv, norm] as const);
}

/** Whether its class has the forward of a layer of ours, and not one of its own. */
const runsAs = (m: Module, { prototype }: { readonly prototype: Module }): boolean =>
  (Object.getPrototypeOf(m) as Module).forward === prototype.forward;

function isBatchNorm(m: unknown): m is BatchNorm {
  return m instanceof BatchNorm1d || m instanceof BatchNorm2d || m instanceof BatchNorm3d;
}
