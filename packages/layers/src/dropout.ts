// Dropout: in training, zeros at random.

import { bernoulli, type Generator, Module, type Tensor, zerosLike } from "@nn/tensor";
import { checkProbability } from "./check.js";

/**
 * Sets elements to 0 with probability `p` in training and scales the others by 1/(1 − p); in evaluation the identity
 * (Srivastava et al., 2014; [torch.nn.Dropout](https://pytorch.org/docs/stable/generated/torch.nn.Dropout.html)).
 * The default generator decides, so `manualSeed` makes it repeatable.
 *
 * @example
 * ```ts
 * new Dropout(0.2).eval().forward(x); // x
 * ```
 */
export class Dropout extends Module {
  /** @param p probability of a zero (default 0.5) */
  constructor(readonly p = 0.5, private readonly generator?: Generator) {
    super();
    checkProbability("Dropout", p);
  }

  override forward(x: Tensor): Tensor {
    return this.training ? dropout(x, this.p, this.generator) : x;
  }
}

/** {@link Dropout} as a function: always drops. */
export function dropout(x: Tensor, p = 0.5, generator?: Generator): Tensor {
  checkProbability("dropout", p);
  if (p === 0) return x;
  if (p === 1) return x.mul(zerosLike(x));
  return x.mul(bernoulli(1 - p, x.shape, generator ? { generator } : {})).mul(1 / (1 - p));
}
