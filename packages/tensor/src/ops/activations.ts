// Activation functions, as torch.nn.functional has them: https://pytorch.org/docs/stable/nn.functional.html
// The pieces of a piecewise formula are chosen with select, so that NaN passes and infinite branches do no harm.

import { apply1 } from "../apply.js";
import { fail, show } from "../errors.js";
import { call, type Expr, input, num, select } from "../expr.js";
import { defineOp, type OpDef } from "../op.js";
import { mapUsed } from "../primitives.js";
import { scope } from "../scope.js";
import type { Tensor } from "../tensor.js";
import { reshape, split } from "./movement.js";
import { mul, pointwise, unary, unaryWith } from "./pointwise.js";

const times = (a: Expr, b: Expr | number) => call("mul", a, typeof b === "number" ? num(b) : b);
const plus = (a: Expr, b: Expr | number) => call("add", a, typeof b === "number" ? num(b) : b);
const below = (x: Expr, v: number) => call("le", x, num(v));
const sigma = (x: Expr) => call("sigmoid", x);

/** `max(x, 0)`. */
export const relu = (x: Tensor): Tensor => apply1(reluOp, [x], {});
/** Its gradient looks at the result, so that nothing holds on to the input: a product before it ends with it. */
const reluOp: OpDef<object> = /* @__PURE__ */ defineOp({
  ...pointwise<object>("relu", ([x]) => select(below(x!, 0), num(0), x!)),
  vjp: ([ct], { outs: [y] }) => [mapUsed(select(below(input(1), 0), num(0), input(0)), [ct!, y!], y!.shape)],
});
/** `min(max(x, 0), 6)`. */
export const relu6 = (x: Tensor): Tensor => hardtanh(x, 0, 6);
/** `x` above 0, `slope · x` below. */
export const leakyRelu = (x: Tensor, slope = 0.01): Tensor => leakyOp(x, { slope });
const leakyOp = /* @__PURE__ */ unaryWith<{ slope: number }>("leakyRelu", (x, { slope }) =>
  select(below(x, 0), times(x, slope), x),
);
/** `x` above 0, `alpha · (eˣ − 1)` below. */
export const elu = (x: Tensor, alpha = 1): Tensor => eluOp(x, { alpha });
const eluOp = /* @__PURE__ */ unaryWith<{ alpha: number }>("elu", (x, { alpha }) =>
  select(below(x, 0), times(call("expm1", x), alpha), x),
);
/** Self-normalising ELU (Klambauer et al., 2017). */
export const selu = /* @__PURE__ */ unary("selu", (x) =>
  times(select(below(x, 0), times(call("expm1", x), 1.6732632423543772), x), 1.0507009873554805),
);
/** `max(0, x) + min(0, alpha · (e^(x/alpha) − 1))`. */
export const celu = (x: Tensor, alpha = 1): Tensor => celuOp(x, { alpha });
const celuOp = /* @__PURE__ */ unaryWith<{ alpha: number }>("celu", (x, { alpha }) =>
  select(below(x, 0), times(call("expm1", call("div", x, num(alpha))), alpha), x),
);
/** `x · Φ(x)` (Hendrycks and Gimpel, 2016); `approximate: "tanh"` is the form of GPT-2. */
export const gelu = (x: Tensor, { approximate = "none" }: { approximate?: "none" | "tanh" } = {}): Tensor =>
  approximate === "tanh" ? geluTanh(x) : geluErf(x);
const geluErf = /* @__PURE__ */ unary("gelu", (x) =>
  times(times(x, 0.5), plus(call("erf", times(x, Math.SQRT1_2)), 1)),
);
const geluTanh = /* @__PURE__ */ unary("geluTanh", (x) => {
  const inner = times(plus(x, times(times(times(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return times(times(x, 0.5), plus(call("tanh", inner), 1));
});
/** `x · σ(x)`, also called swish. */
export const silu = /* @__PURE__ */ unary("silu", (x) => times(x, sigma(x)));
/** `x · tanh(softplus(x))` (Misra, 2019). */
export const mish = /* @__PURE__ */ unary("mish", (x) => times(x, call("tanh", softplusOf(x))));
/** `1 / (1 + e⁻ˣ)`. */
export const sigmoid = /* @__PURE__ */ unary("sigmoid");
export const tanh = /* @__PURE__ */ unary("tanh");
/** `log(1 + e^(beta·x)) / beta`; the identity where `beta · x > threshold`. */
export const softplus = (x: Tensor, beta = 1, threshold = 20): Tensor => softplusOp(x, { beta, threshold });
const softplusOp = /* @__PURE__ */ unaryWith<{ beta: number; threshold: number }>(
  "softplus",
  (x, { beta, threshold }) =>
    select(call("lt", num(threshold), times(x, beta)), x, call("div", softplusOf(times(x, beta)), num(beta))),
);
/** `max(x, 0) + log(1 + e^(−|x|))`: never overflows. */
function softplusOf(x: Expr): Expr {
  return plus(call("max", x, num(0)), call("log1p", call("exp", call("neg", call("abs", x)))));
}
/** `x / (1 + |x|)`. */
export const softsign = /* @__PURE__ */ unary("softsign", (x) => call("div", x, plus(call("abs", x), 1)));
/** `min(max(x, low), high)`; gradient 0 at the bounds. */
export const hardtanh = (x: Tensor, low = -1, high = 1): Tensor => hardtanhOp(x, { low, high });
const hardtanhOp = /* @__PURE__ */ unaryWith<{ low: number; high: number }>("hardtanh", (x, { low, high }) =>
  select(below(x, low), num(low), select(call("le", num(high), x), num(high), x)),
);
/** `min(max(x/6 + ½, 0), 1)`. */
export const hardsigmoid = /* @__PURE__ */ unary("hardsigmoid", (x) =>
  select(below(x, -3), num(0), select(call("le", num(3), x), num(1), plus(times(x, 1 / 6), 0.5))),
);
/** `x · hardsigmoid(x)`. */
export const hardswish = /* @__PURE__ */ unary("hardswish", (x) =>
  select(call("lt", x, num(-3)), num(0), select(below(x, 3), times(x, plus(times(x, 1 / 6), 0.5)), x)),
);
/** `log σ(x)`. */
export const logSigmoid = /* @__PURE__ */ unary("logSigmoid", (x) => call("neg", softplusOf(call("neg", x))));
/** `x − tanh x`. */
export const tanhshrink = /* @__PURE__ */ unary("tanhshrink", (x) => call("sub", x, call("tanh", x)));
/** Moves `x` towards 0 by `lambda`. */
export const softshrink = (x: Tensor, lambda = 0.5): Tensor => softshrinkOp(x, { lambda });
const softshrinkOp = /* @__PURE__ */ unaryWith<{ lambda: number }>("softshrink", (x, { lambda }) =>
  select(
    call("lt", num(lambda), x),
    plus(x, -lambda),
    select(call("lt", x, num(-lambda)), plus(x, lambda), times(x, 0)),
  ),
);
/** 0 where `|x| ≤ lambda`. */
export const hardshrink = (x: Tensor, lambda = 0.5): Tensor => hardshrinkOp(x, { lambda });
const hardshrinkOp = /* @__PURE__ */ unaryWith<{ lambda: number }>("hardshrink", (x, { lambda }) =>
  select(call("le", call("abs", x), num(lambda)), num(0), x),
);
/** `x` above the threshold, else `value`. */
export const threshold = (x: Tensor, at: number, value: number): Tensor => thresholdOp(x, { at, value });
const thresholdOp = /* @__PURE__ */ unaryWith<{ at: number; value: number }>("threshold", (x, { at, value }) =>
  select(below(x, at), num(value), x),
);
const preluOp = /* @__PURE__ */ pointwise<object>("prelu", ([x, w]) => select(below(x!, 0), times(x!, w!), x!));
/** Leaky ReLU with a learnt slope; `weight` has one element, or one per channel (axis 1). */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  const channels = x.shape[x.rank > 1 ? 1 : 0];
  if (weight.size !== 1 && weight.size !== channels) {
    fail({
      op: "prelu",
      expected: `a weight with 1 or ${channels} elements (channels of x ${show(x.shape)})`,
      got: show(weight.shape),
    });
  }
  const shape = x.shape.map((d, i) => (weight.size > 1 && i === (x.rank > 1 ? 1 : 0) ? d : 1));
  return apply1(preluOp, [x, reshape(weight, shape)], {});
}
/** First half times sigmoid of the second half along `axis`. */
export function glu(x: Tensor, axis = -1): Tensor {
  const size = x.shape.at(axis) ?? 0;
  if (size % 2 !== 0 || size === 0)
    fail({ op: "glu", expected: `an even size along axis ${axis}`, got: show(x.shape) });
  return scope(() => {
    const [a, b] = split(x, size / 2, axis);
    return mul(a!, sigmoid(b!));
  });
}
