// Activation functions as modules, for Sequential. Names and arguments are PyTorch's; the functions are in @nn/tensor.
// All take x of any shape and, unless they say otherwise, give the same shape and have no state.

import * as nn from "@nn/tensor";
import { fail, full, Module, rand, scope, show, type Tensor, type Variable, where } from "@nn/tensor";
import { checkChoice, checkCount, checkNumber } from "./check.js";
import { parameter } from "./parameter.js";

/** A module around a function of one tensor. */
abstract class Activation extends Module {
  protected abstract readonly f: (x: Tensor) => Tensor;
  override forward(x: Tensor): Tensor {
    return this.f(x);
  }
}

/**
 * `max(x, 0)`: [torch.nn.ReLU](https://pytorch.org/docs/stable/generated/torch.nn.ReLU.html).
 *
 * @example
 * ```ts
 * new Sequential(new Linear(784, 32), new ReLU(), new Linear(32, 10));
 * ```
 */
export class ReLU extends Activation {
  protected override readonly f = nn.relu;
}
/** `min(max(x, 0), 6)`: [torch.nn.ReLU6](https://pytorch.org/docs/stable/generated/torch.nn.ReLU6.html). */
export class ReLU6 extends Activation {
  protected override readonly f = nn.relu6;
}
/** Self-normalising ELU: [torch.nn.SELU](https://pytorch.org/docs/stable/generated/torch.nn.SELU.html). */
export class SELU extends Activation {
  protected override readonly f = nn.selu;
}
/** `x · σ(x)`: [torch.nn.SiLU](https://pytorch.org/docs/stable/generated/torch.nn.SiLU.html). */
export class SiLU extends Activation {
  protected override readonly f = nn.silu;
}
/** `x · tanh(softplus(x))`: [torch.nn.Mish](https://pytorch.org/docs/stable/generated/torch.nn.Mish.html). */
export class Mish extends Activation {
  protected override readonly f = nn.mish;
}
/** `1 / (1 + e⁻ˣ)`: [torch.nn.Sigmoid](https://pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html). */
export class Sigmoid extends Activation {
  protected override readonly f = nn.sigmoid;
}
/** `tanh x`: [torch.nn.Tanh](https://pytorch.org/docs/stable/generated/torch.nn.Tanh.html). */
export class Tanh extends Activation {
  protected override readonly f = nn.tanh;
}
/** `x / (1 + |x|)`: [torch.nn.Softsign](https://pytorch.org/docs/stable/generated/torch.nn.Softsign.html). */
export class Softsign extends Activation {
  protected override readonly f = nn.softsign;
}
/** `min(max(x/6 + ½, 0), 1)`: [torch.nn.Hardsigmoid](https://pytorch.org/docs/stable/generated/torch.nn.Hardsigmoid.html). */
export class Hardsigmoid extends Activation {
  protected override readonly f = nn.hardsigmoid;
}
/** `x · hardsigmoid(x)`: [torch.nn.Hardswish](https://pytorch.org/docs/stable/generated/torch.nn.Hardswish.html). */
export class Hardswish extends Activation {
  protected override readonly f = nn.hardswish;
}
/** `log σ(x)`: [torch.nn.LogSigmoid](https://pytorch.org/docs/stable/generated/torch.nn.LogSigmoid.html). */
export class LogSigmoid extends Activation {
  protected override readonly f = nn.logSigmoid;
}
/** `x − tanh x`: [torch.nn.Tanhshrink](https://pytorch.org/docs/stable/generated/torch.nn.Tanhshrink.html). */
export class Tanhshrink extends Activation {
  protected override readonly f = nn.tanhshrink;
}

/**
 * `x` above 0, `negativeSlope · x` (default 0.01) below:
 * [torch.nn.LeakyReLU](https://pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html).
 *
 * @example
 * ```ts
 * new LeakyReLU(0.2).forward(tensor([-1, 1])); // [-0.2, 1]
 * ```
 */
export class LeakyReLU extends Module {
  constructor(readonly negativeSlope = 0.01) {
    super();
    checkNumber("LeakyReLU", "negativeSlope", negativeSlope);
  }
  override forward(x: Tensor): Tensor {
    return nn.leakyRelu(x, this.negativeSlope);
  }
}

/** `x` above 0, `alpha · (eˣ − 1)` (default 1) below: [torch.nn.ELU](https://pytorch.org/docs/stable/generated/torch.nn.ELU.html). */
export class ELU extends Module {
  constructor(readonly alpha = 1) {
    super();
    checkNumber("ELU", "alpha", alpha);
  }
  override forward(x: Tensor): Tensor {
    return nn.elu(x, this.alpha);
  }
}

/**
 * `max(0, x) + min(0, alpha · (e^(x/alpha) − 1))`, alpha 1 by default:
 * [torch.nn.CELU](https://pytorch.org/docs/stable/generated/torch.nn.CELU.html).
 */
export class CELU extends Module {
  /** @throws if alpha is 0 */
  constructor(readonly alpha = 1) {
    super();
    checkNumber("CELU", "alpha", alpha);
    if (alpha === 0) fail({ op: "CELU", expected: "alpha other than 0", got: "0" });
  }
  override forward(x: Tensor): Tensor {
    return nn.celu(x, this.alpha);
  }
}

/** Options of {@link GELU}. */
export interface GELUOptions {
  /** `"none"` (the default) for the exact form, `"tanh"` for that of GPT-2. */
  readonly approximate?: "none" | "tanh";
}

/** `x · Φ(x)`: [torch.nn.GELU](https://pytorch.org/docs/stable/generated/torch.nn.GELU.html). */
export class GELU extends Module {
  constructor(readonly options: GELUOptions = {}) {
    super();
    checkChoice("GELU", "approximate", options.approximate ?? "none", ["none", "tanh"]);
  }
  override forward(x: Tensor): Tensor {
    return nn.gelu(x, this.options);
  }
}

/**
 * `log(1 + e^(beta·x)) / beta`, and `x` itself where `beta · x > threshold` (defaults 1 and 20):
 * [torch.nn.Softplus](https://pytorch.org/docs/stable/generated/torch.nn.Softplus.html).
 */
export class Softplus extends Module {
  /** @throws if beta is 0 */
  constructor(
    readonly beta = 1,
    readonly threshold = 20,
  ) {
    super();
    checkNumber("Softplus", "beta", beta);
    checkNumber("Softplus", "threshold", threshold);
    if (beta === 0) fail({ op: "Softplus", expected: "beta other than 0", got: "0" });
  }
  override forward(x: Tensor): Tensor {
    return nn.softplus(x, this.beta, this.threshold);
  }
}

/**
 * `min(max(x, minVal), maxVal)`, from −1 to 1 by default:
 * [torch.nn.Hardtanh](https://pytorch.org/docs/stable/generated/torch.nn.Hardtanh.html).
 */
export class Hardtanh extends Module {
  /** @throws unless minVal < maxVal */
  constructor(
    readonly minVal = -1,
    readonly maxVal = 1,
  ) {
    super();
    if (!(minVal < maxVal)) fail({ op: "Hardtanh", expected: "minVal < maxVal", got: `${minVal} and ${maxVal}` });
  }
  override forward(x: Tensor): Tensor {
    return nn.hardtanh(x, this.minVal, this.maxVal);
  }
}

/**
 * Moves `x` towards 0 by `lambda` (default 0.5):
 * [torch.nn.Softshrink](https://pytorch.org/docs/stable/generated/torch.nn.Softshrink.html).
 */
export class Softshrink extends Module {
  /** @throws if lambda < 0 */
  constructor(readonly lambda = 0.5) {
    super();
    checkNumber("Softshrink", "lambda", lambda, 0);
  }
  override forward(x: Tensor): Tensor {
    return nn.softshrink(x, this.lambda);
  }
}

/**
 * 0 where `|x| ≤ lambda` (default 0.5):
 * [torch.nn.Hardshrink](https://pytorch.org/docs/stable/generated/torch.nn.Hardshrink.html).
 */
export class Hardshrink extends Module {
  constructor(readonly lambda = 0.5) {
    super();
    checkNumber("Hardshrink", "lambda", lambda);
  }
  override forward(x: Tensor): Tensor {
    return nn.hardshrink(x, this.lambda);
  }
}

/**
 * `x` above the threshold, else `value`:
 * [torch.nn.Threshold](https://pytorch.org/docs/stable/generated/torch.nn.Threshold.html).
 */
export class Threshold extends Module {
  constructor(
    readonly threshold: number,
    readonly value: number,
  ) {
    super();
    checkNumber("Threshold", "threshold", threshold);
    checkNumber("Threshold", "value", value);
  }
  override forward(x: Tensor): Tensor {
    return nn.threshold(x, this.threshold, this.value);
  }
}

/**
 * `eˣ / Σ eˣ` along `axis`, the last by default: [torch.nn.Softmax](https://pytorch.org/docs/stable/generated/torch.nn.Softmax.html).
 * Not before {@link crossEntropy}, which takes logits.
 *
 * @example
 * ```ts
 * new Softmax(1).forward(logits).sum(1); // ones
 * ```
 */
export class Softmax extends Module {
  constructor(readonly axis = -1) {
    super();
    checkAxis("Softmax", axis);
  }
  /** @throws if x has no such axis */
  override forward(x: Tensor): Tensor {
    return nn.softmax(x, this.axis);
  }
}

/**
 * `log softmax(x)` along `axis`, the last by default, without overflow:
 * [torch.nn.LogSoftmax](https://pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html).
 */
export class LogSoftmax extends Module {
  constructor(readonly axis = -1) {
    super();
    checkAxis("LogSoftmax", axis);
  }
  /** @throws if x has no such axis */
  override forward(x: Tensor): Tensor {
    return nn.logSoftmax(x, this.axis);
  }
}

/**
 * {@link Softmax} of −x, along `axis`, the last by default:
 * [torch.nn.Softmin](https://pytorch.org/docs/stable/generated/torch.nn.Softmin.html).
 */
export class Softmin extends Module {
  constructor(readonly axis = -1) {
    super();
    checkAxis("Softmin", axis);
  }
  /** @throws if x has no such axis */
  override forward(x: Tensor): Tensor {
    return scope(() => nn.softmax(x.neg(), this.axis));
  }
}

/**
 * {@link Softmax} over the channels of every place:
 * [torch.nn.Softmax2d](https://pytorch.org/docs/stable/generated/torch.nn.Softmax2d.html).
 *
 * x (N, C, H, W) or (C, H, W) → the same.
 */
export class Softmax2d extends Module {
  /** @throws unless x has 3 or 4 axes */
  override forward(x: Tensor): Tensor {
    if (x.rank !== 3 && x.rank !== 4) {
      fail({ op: "softmax2d", expected: "x (N, C, H, W) or (C, H, W)", got: show(x.shape) });
    }
    return nn.softmax(x, -3);
  }
}

/**
 * {@link LeakyReLU} whose slope is drawn anew for every element in training, uniformly from `lower` to `upper`, and
 * their mean in evaluation: [torch.nn.RReLU](https://pytorch.org/docs/stable/generated/torch.nn.RReLU.html).
 */
export class RReLU extends Module {
  /** @throws unless lower ≤ upper (defaults 1/8 and 1/3) */
  constructor(
    readonly lower = 1 / 8,
    readonly upper = 1 / 3,
  ) {
    super();
    if (!(lower <= upper)) fail({ op: "RReLU", expected: "lower ≤ upper", got: `${lower} and ${upper}` });
  }
  override forward(x: Tensor): Tensor {
    const { lower, upper } = this;
    if (!this.training) return nn.leakyRelu(x, (lower + upper) / 2);
    return scope(() => {
      const slope = rand(x.shape)
        .mul(upper - lower)
        .add(lower);
      return where(x.lt(0), x.mul(slope), x);
    });
  }
}

/**
 * First half times sigmoid of the second, along `axis`, the last by default:
 * [torch.nn.GLU](https://pytorch.org/docs/stable/generated/torch.nn.GLU.html).
 *
 * x (…, 2·C, …) → (…, C, …).
 */
export class GLU extends Module {
  constructor(readonly axis = -1) {
    super();
    checkAxis("GLU", axis);
  }
  /** @throws if the axis has an odd size */
  override forward(x: Tensor): Tensor {
    return nn.glu(x, this.axis);
  }
}

/**
 * {@link LeakyReLU} with a learnt slope for all, or one per channel (axis 1):
 * [torch.nn.PReLU](https://pytorch.org/docs/stable/generated/torch.nn.PReLU.html).
 *
 * x (N, C, …) → the same. State: `weight` (numParameters), 0.25 at first.
 *
 * @example
 * ```ts
 * new PReLU(16).forward(randn([8, 16, 7, 7]));
 * ```
 */
export class PReLU extends Module {
  readonly weight: Variable;
  /**
   * @param numParameters 1 (the default), or the number of channels
   * @param init first slope (default 0.25)
   */
  constructor(numParameters = 1, init = 0.25) {
    super();
    checkCount("PReLU", "numParameters", numParameters);
    checkNumber("PReLU", "init", init);
    this.weight = parameter(() => full([numParameters], init));
  }
  /** @throws if there are several slopes, and not as many as channels */
  override forward(x: Tensor): Tensor {
    return scope(() => nn.prelu(x, this.weight.value));
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function checkAxis(layer: string, axis: number): void {
  if (!Number.isInteger(axis)) fail({ op: layer, expected: "axis to be a whole number", got: `${axis}` });
}
