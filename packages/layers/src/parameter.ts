// Making Variables without leaving behind what their first values were computed from.

import { rand, scope, type Tensor, Variable } from "@nn/tensor";

/** A trainable Variable. */
export function parameter(initial: () => Tensor): Variable {
  return scope(() => new Variable(initial()));
}

/** A trainable Variable, at first uniform on ±`bound`: how PyTorch's linear, convolution and recurrent layers begin. */
export function uniformParameter(shape: readonly number[], bound: number): Variable {
  return parameter(() =>
    rand(shape)
      .mul(2 * bound)
      .sub(bound),
  );
}

/** A Variable that is part of the state, but not trained. */
export function buffer(initial: () => Tensor): Variable {
  return scope(() => new Variable(initial(), { trainable: false }));
}
