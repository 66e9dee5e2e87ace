// updateBatchNorm: running statistics computed anew, for weights that are an average of others.

import { type Module, scope, Tensor, zerosLike } from "@nn/tensor";
import { BatchNorm } from "./batch-norm.js";

/** Options of {@link updateBatchNorm}. */
export interface UpdateBatchNormOptions {
  /** What to run on each input (default `model.forward`), e.g. an average's forward, or a compiled function. */
  readonly forward?: (x: Tensor) => unknown;
}

/**
 * Computes the running statistics of all BatchNorms of a model anew, as plain means over the given batches, as
 * [torch.optim.swa_utils.update_bn](https://pytorch.org/docs/stable/optim.html#taking-care-of-batch-normalization): after
 * averaging weights, those of training fit no more. The model runs in training, without gradients; modes and momenta
 * are put back afterwards. Without BatchNorm nothing runs.
 *
 * @param batches inputs, or arrays that begin with one, as loaders give them; tensors are left to who made them
 * @example
 * ```ts
 * averaged.copyTo(model); // the weights of an AveragedModel, for good
 * await updateBatchNorm(model, loader(train, { batchSize: 256 }));
 *
 * await updateBatchNorm(model, batches, { forward: (x) => averaged.forward(x) }); // or for as long as it is used
 * ```
 */
export async function updateBatchNorm(
  model: Module,
  batches: Iterable<Tensor | readonly [Tensor, ...unknown[]]> | AsyncIterable<Tensor | readonly [Tensor, ...unknown[]]>,
  { forward = model.forward as (x: Tensor) => unknown }: UpdateBatchNormOptions = {},
): Promise<void> {
  const modules = [...new Set(model.namedModules().values())];
  const norms = modules.filter((m): m is BatchNorm => m instanceof BatchNorm && m.num_batches_tracked !== null);
  if (norms.length === 0) return;
  const before = modules.map((m) => m.training);
  const momenta = norms.map((m) => m.momentum);
  scope(() => {
    // With momentum null, the first batch replaces what is there.
    for (const { num_batches_tracked: count } of norms) count!.value = zerosLike(count!);
  });
  try {
    model.train();
    for (const m of norms) m.momentum = null;
    for await (const batch of batches) {
      const x = batch instanceof Tensor ? batch : batch[0];
      scope(() => void forward(x));
    }
  } finally {
    for (const [i, m] of modules.entries()) m.training = before[i]!;
    for (const [i, m] of norms.entries()) m.momentum = momenta[i]!;
  }
}
