// Dropout: in training, zeros at random.

import { bernoulli, type Generator, Module, scope, type Tensor } from "@nn/tensor";
import { checkProbability } from "./check.js";

/**
 * Sets elements to 0 with probability `p` in training and scales the others by 1/(1 − p); in evaluation the identity
 * (Srivastava et al., 2014; [torch.nn.Dropout](https://pytorch.org/docs/stable/generated/torch.nn.Dropout.html)).
 * The default generator decides, so `manualSeed` makes it repeatable.
 *
 * x of any shape → the same. No state.
 *
 * @example
 * ```ts
 * new Dropout(0.2).eval().forward(x); // x
 * ```
 */
export class Dropout extends Module {
  /**
   * @param p probability of a zero (default 0.5)
   * @param generator decides instead of the default one
   * @throws if p is not from 0 to 1
   */
  constructor(
    readonly p = 0.5,
    private readonly generator?: Generator,
  ) {
    super();
    checkProbability("Dropout", "p", p);
  }

  override forward(x: Tensor): Tensor {
    return this.training ? dropout(x, this.p, this.generator) : x;
  }
}

/**
 * {@link Dropout} as a function: always drops, as
 * [torch.nn.functional.dropout](https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html).
 *
 * @example
 * ```ts
 * dropout(ones([4]), 0.5); // e.g. [2, 0, 0, 2]
 * ```
 */
export function dropout(x: Tensor, p = 0.5, generator?: Generator): Tensor {
  checkProbability("dropout", "p", p);
  if (p === 0) return x;
  if (p === 1) return x.mul(0);
  return scope(() => x.mul(bernoulli(1 - p, x.shape, generator ? { generator } : {}).mul(1 / (1 - p))));
}
