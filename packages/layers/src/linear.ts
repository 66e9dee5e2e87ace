// Linear: y = x·Wᵀ + b.

import { fail, Module, show, type Tensor, Variable } from "@nn/tensor";
import { checkCount } from "./check.js";
import { defaultBound, uniform } from "./init.js";

export interface LinearOptions {
  /** Whether to add a bias (default true). */
  readonly bias?: boolean;
}

/**
 * `y = x·Wᵀ + b`, as [torch.nn.Linear](https://pytorch.org/docs/stable/generated/torch.nn.Linear.html).
 *
 * x (…, inFeatures) → (…, outFeatures). State: `weight` (outFeatures, inFeatures), `bias` (outFeatures), both uniform on
 * ±1/√inFeatures at first.
 *
 * @example
 * ```ts
 * new Linear(784, 10).forward(randn([64, 784])).shape; // [64, 10]
 * ```
 */
export class Linear extends Module {
  readonly weight: Variable;
  readonly bias: Variable | null;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    { bias = true }: LinearOptions = {},
  ) {
    super();
    checkCount("Linear", "inFeatures", inFeatures);
    checkCount("Linear", "outFeatures", outFeatures);
    const bound = defaultBound([outFeatures, inFeatures]);
    this.weight = new Variable(uniform([outFeatures, inFeatures], -bound, bound));
    this.bias = bias ? new Variable(uniform([outFeatures], -bound, bound)) : null;
  }

  /** @throws if the last axis of x is not `inFeatures` */
  override forward(x: Tensor): Tensor {
    if (x.rank === 0 || x.shape.at(-1) !== this.inFeatures) {
      fail({
        op: "linear",
        expected: `x (…, ${this.inFeatures})`,
        got: `${show(x.shape)}: ${x.shape.at(-1)} ≠ inFeatures ${this.inFeatures}`,
        hint: "Flatten or transpose the input, or change inFeatures.",
      });
    }
    const y = x.matmul(this.weight.value.transpose());
    return this.bias ? y.add(this.bias.value) : y;
  }
}
