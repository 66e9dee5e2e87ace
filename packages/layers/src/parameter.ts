// Making Variables without leaving behind what their first values were computed from.

import { scope, type Tensor, Variable } from "@nn/tensor";

/** A trainable Variable. */
export function parameter(initial: () => Tensor): Variable {
  return scope(() => new Variable(initial()));
}

/** A Variable that is part of the state, but not trained. */
export function buffer(initial: () => Tensor): Variable {
  return scope(() => new Variable(initial(), { trainable: false }));
}
