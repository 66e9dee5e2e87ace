// Bilinear: y = x1·A·x2 + b, for each output with a matrix of its own.

import { fail, Module, scope, show, type Tensor, type Variable } from "@nn/tensor";
import { checkCount } from "./check.js";
import { uniformParameter } from "./parameter.js";

/** Options of {@link Bilinear}. */
export interface BilinearOptions {
  /** Whether to add a bias (default true). */
  readonly bias?: boolean;
}

/**
 * `y_o = Σ x1_i · W_oij · x2_j + b_o`, as
 * [torch.nn.Bilinear](https://pytorch.org/docs/stable/generated/torch.nn.Bilinear.html).
 *
 * x1 (…, in1Features) and x2 (…, in2Features) → (…, outFeatures). State: `weight` (outFeatures, in1Features,
 * in2Features), `bias` (outFeatures), both uniform on ±1/√in1Features at first.
 *
 * @example
 * ```ts
 * new Bilinear(20, 30, 40).forward(randn([128, 20]), randn([128, 30])).shape; // [128, 40]
 * ```
 */
export class Bilinear extends Module {
  readonly weight: Variable;
  readonly bias: Variable | null;

  /** @throws if a size is not a whole number ≥ 1 */
  constructor(
    readonly in1Features: number,
    readonly in2Features: number,
    readonly outFeatures: number,
    { bias = true }: BilinearOptions = {},
  ) {
    super();
    checkCount("Bilinear", "in1Features", in1Features);
    checkCount("Bilinear", "in2Features", in2Features);
    checkCount("Bilinear", "outFeatures", outFeatures);
    const bound = 1 / Math.sqrt(in1Features);
    this.weight = uniformParameter([outFeatures, in1Features, in2Features], bound);
    this.bias = bias ? uniformParameter([outFeatures], bound) : null;
  }

  /** @throws if the last axes are not the layer's, or the others differ */
  override forward(x1: Tensor, x2: Tensor): Tensor {
    const batch = x1.shape.slice(0, -1);
    const [want1, want2] = [show([...batch, this.in1Features]), show([...batch, this.in2Features])];
    if (x1.rank === 0 || show(x1.shape) !== want1 || show(x2.shape) !== want2) {
      fail({
        op: "bilinear",
        expected: `x1 (…, ${this.in1Features}) and x2 (…, ${this.in2Features})`,
        got: `${show(x1.shape)} and ${show(x2.shape)}`,
      });
    }
    return scope(() => {
      // All products of a feature with a feature, and then one matrix product.
      const pairs = x1.unsqueeze(-1).mul(x2.unsqueeze(-2)).flatten(-2);
      const y = pairs.matmul(this.weight.value.flatten(1).transpose());
      return this.bias ? y.add(this.bias.value) : y;
    });
  }
}
