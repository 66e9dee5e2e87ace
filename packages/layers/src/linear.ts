// Linear: y = x·Wᵀ + b.

import { fail, Module, scope, show, type Tensor, type Variable } from "@nn/tensor";
import { checkCount } from "./check.js";
import { uniformParameter } from "./parameter.js";

/** Options of {@link Linear}. */
export interface LinearOptions {
  /** Whether to add a bias (default true). */
  readonly bias?: boolean;
}

/**
 * `y = x·Wᵀ + b`, as [torch.nn.Linear](https://pytorch.org/docs/stable/generated/torch.nn.Linear.html).
 *
 * x (…, inFeatures) → (…, outFeatures). State: `weight` (outFeatures, inFeatures), `bias` (outFeatures), both uniform
 * on ±1/√inFeatures at first.
 *
 * @example
 * ```ts
 * new Linear(784, 10).forward(randn([64, 784])).shape; // [64, 10]
 * ```
 */
export class Linear extends Module {
  readonly weight: Variable;
  readonly bias: Variable | null;

  /** @throws if a size is not a whole number ≥ 1 */
  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    { bias = true }: LinearOptions = {},
  ) {
    super();
    checkCount("Linear", "inFeatures", inFeatures);
    checkCount("Linear", "outFeatures", outFeatures);
    const bound = 1 / Math.sqrt(inFeatures);
    this.weight = uniformParameter([outFeatures, inFeatures], bound);
    this.bias = bias ? uniformParameter([outFeatures], bound) : null;
  }

  /** @throws if the last axis of x is not `inFeatures` */
  override forward(x: Tensor): Tensor {
    const features = x.shape.at(-1);
    if (features !== this.inFeatures) {
      fail({
        op: "linear",
        expected: `x (…, ${this.inFeatures})`,
        got: `${show(x.shape)}${features === undefined ? "" : `: ${features} ≠ inFeatures ${this.inFeatures}`}`,
        hint: "Flatten or transpose the input, or change inFeatures.",
      });
    }
    return scope(() => {
      const y = x.matmul(this.weight.value.transpose());
      return this.bias ? y.add(this.bias.value) : y;
    });
  }
}
