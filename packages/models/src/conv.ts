// What the models share: telling convolutions from other modules, and their first weights.

import { Conv1d, Conv2d, Conv3d } from "@nn/conv";
import { type Fan, init } from "@nn/layers";
import { type Module, scope, zeros } from "@nn/tensor";

/** A convolution over 1, 2 or 3 axes. */
export type Conv = Conv1d | Conv2d | Conv3d;

export function isConv(m: unknown): m is Conv {
  return m instanceof Conv1d || m instanceof Conv2d || m instanceof Conv3d;
}

/**
 * Gives every convolution in a model weights of He's normal distribution (He et al., 2015) and biases 0; `"fanOut"` is
 * what torchvision does.
 */
export function initConvs(model: Module, mode: Fan): void {
  scope(() => {
    for (const m of model.namedModules().values()) {
      if (!isConv(m)) continue;
      m.weight.value = init.kaimingNormal(m.weight.shape, { mode, nonlinearity: "relu" });
      if (m.bias) m.bias.value = zeros(m.bias.shape);
    }
  });
}
