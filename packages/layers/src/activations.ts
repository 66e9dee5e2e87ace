// Activation functions as modules, for Sequential. Names and arguments are PyTorch's.

import * as nn from "@nn/tensor";
import { full, Module, type Tensor, Variable } from "@nn/tensor";

/** A module around a function of one tensor. */
abstract class Activation extends Module {
  protected abstract readonly f: (x: Tensor) => Tensor;
  override forward(x: Tensor): Tensor {
    return this.f(x);
  }
}

/** See `relu` in @nn/tensor. */
export class ReLU extends Activation {
  protected override readonly f = nn.relu;
}
/** See `relu6` in @nn/tensor. */
export class ReLU6 extends Activation {
  protected override readonly f = nn.relu6;
}
/** See `selu` in @nn/tensor. */
export class SELU extends Activation {
  protected override readonly f = nn.selu;
}
/** See `silu` in @nn/tensor. */
export class SiLU extends Activation {
  protected override readonly f = nn.silu;
}
/** See `mish` in @nn/tensor. */
export class Mish extends Activation {
  protected override readonly f = nn.mish;
}
/** See `sigmoid` in @nn/tensor. */
export class Sigmoid extends Activation {
  protected override readonly f = nn.sigmoid;
}
/** See `tanh` in @nn/tensor. */
export class Tanh extends Activation {
  protected override readonly f = nn.tanh;
}
/** See `softsign` in @nn/tensor. */
export class Softsign extends Activation {
  protected override readonly f = nn.softsign;
}
/** See `hardsigmoid` in @nn/tensor. */
export class Hardsigmoid extends Activation {
  protected override readonly f = nn.hardsigmoid;
}
/** See `hardswish` in @nn/tensor. */
export class Hardswish extends Activation {
  protected override readonly f = nn.hardswish;
}
/** See `logSigmoid` in @nn/tensor. */
export class LogSigmoid extends Activation {
  protected override readonly f = nn.logSigmoid;
}
/** See `tanhshrink` in @nn/tensor. */
export class Tanhshrink extends Activation {
  protected override readonly f = nn.tanhshrink;
}

/** Slope below 0: 0.01 by default. */
export class LeakyReLU extends Module {
  constructor(readonly negativeSlope = 0.01) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return nn.leakyRelu(x, this.negativeSlope);
  }
}

export class ELU extends Module {
  constructor(readonly alpha = 1) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return nn.elu(x, this.alpha);
  }
}

export class CELU extends Module {
  constructor(readonly alpha = 1) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return nn.celu(x, this.alpha);
  }
}

/** `approximate: "tanh"` for the form of GPT-2. */
export class GELU extends Module {
  constructor(readonly options: { readonly approximate?: "none" | "tanh" } = {}) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return nn.gelu(x, this.options);
  }
}

export class Softplus extends Module {
  constructor(readonly beta = 1, readonly threshold = 20) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return nn.softplus(x, this.beta, this.threshold);
  }
}

export class Hardtanh extends Module {
  constructor(readonly minVal = -1, readonly maxVal = 1) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return nn.hardtanh(x, this.minVal, this.maxVal);
  }
}

export class Softshrink extends Module {
  constructor(readonly lambda = 0.5) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return nn.softshrink(x, this.lambda);
  }
}

export class Hardshrink extends Module {
  constructor(readonly lambda = 0.5) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return nn.hardshrink(x, this.lambda);
  }
}

export class Threshold extends Module {
  constructor(readonly threshold: number, readonly value: number) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return nn.threshold(x, this.threshold, this.value);
  }
}

/** Along `axis`, the last by default. */
export class Softmax extends Module {
  constructor(readonly axis = -1) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return nn.softmax(x, this.axis);
  }
}

/** Along `axis`, the last by default. */
export class LogSoftmax extends Module {
  constructor(readonly axis = -1) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return nn.logSoftmax(x, this.axis);
  }
}

/** First half times sigmoid of the second, along `axis`. */
export class GLU extends Module {
  constructor(readonly axis = -1) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return nn.glu(x, this.axis);
  }
}

/** Leaky ReLU with a learnt slope for all, or one per channel (axis 1). State: `weight` (numParameters), 0.25 at first. */
export class PReLU extends Module {
  readonly weight: Variable;
  constructor(numParameters = 1, init = 0.25) {
    super();
    this.weight = new Variable(full([numParameters], init));
  }
  override forward(x: Tensor): Tensor {
    return nn.prelu(x, this.weight.value);
  }
}
