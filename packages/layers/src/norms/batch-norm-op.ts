// batchNorm and its gradient as ops: each channel of x normalised by its own mean and variance.

import {
  apply,
  checkDType,
  defineOp,
  type Expr,
  expand,
  expr,
  fail,
  map,
  type OpDef,
  ones,
  reduce,
  reshape,
  type Spec,
  sameShape,
  show,
  sizeOf,
  type Tensor,
  zeros,
} from "@nn/tensor";

/** Attributes of {@link batchNormOp} and {@link batchNormGradOp}. */
export interface BatchNormAttrs {
  /** Added to the variance. */
  readonly eps: number;
}

/**
 * `"layers/batchNorm"`: (x (N, C, …), weight (C), bias (C)) → y, as x, and the mean (C) and biased variance (C) of each
 * channel: `y = (x − mean) / √(variance + eps) · weight + bias`. The variance is taken in a second pass, around the mean.
 */
export const batchNormOp: OpDef<BatchNormAttrs> = /* @__PURE__ */ defineOp<BatchNormAttrs>({
  name: "layers/batchNorm",
  infer([x, weight, bias]) {
    const channels = channelsOf("layers/batchNorm", x!, { weight: weight!, bias: bias! });
    return [x!, channels, channels];
  },
  // In formulas: as a tensor of its own, `x − mean` would be written and read once more.
  lower([x, weight, bias], { eps }) {
    const { call, input } = expr;
    const wide = (t: Tensor) => expand(alongChannels(t, x!), x!.shape);
    const centred = call("sub", input(0), input(1));
    const mean = overOthers([x!], input(0)).mul(1 / perChannel(x!));
    const variance = overOthers([x!, wide(mean)], call("mul", centred, centred)).mul(1 / perChannel(x!));
    const scale = weight!.div(variance.add(eps).sqrt());
    const [y] = apply(map, [x!, ...[mean, scale, bias!].map(wide)], {
      expr: call("add", call("mul", centred, input(2)), input(3)),
      shape: x!.shape,
    });
    return [y!, mean, variance];
  },
  /** Mean and variance have gradients, too: second derivatives come back through them. */
  vjp([ct, ctMean, ctVariance], { ins: [x, weight], outs: [, mean, variance], attrs }) {
    const n = perChannel(x!);
    const [dx, dweight, dbias] = ct ? apply(batchNormGradOp, [ct, x!, mean!, variance!, weight!], attrs) : [];
    const shares: Tensor[] = dx ? [dx] : [];
    if (ctMean) shares.push(expand(alongChannels(ctMean.mul(1 / n), x!), x!.shape));
    if (ctVariance) shares.push(x!.sub(alongChannels(mean!, x!)).mul(alongChannels(ctVariance.mul(2 / n), x!)));
    return [shares.reduce((a, b) => a.add(b)), dweight ?? null, dbias ?? null];
  },
});

/**
 * `"layers/batchNormGrad"`: (ct (N, C, …), x, mean (C), variance (C), weight (C)) → the gradients of x, weight (C) and
 * bias (C). With x̂ = (x − mean) / √(variance + eps): `dbias = Σ ct`, `dweight = Σ ct · x̂`, and
 * `dx = weight / √(variance + eps) · (ct − dbias / n − x̂ · dweight / n)` for n elements per channel.
 * Its own gradient is that of its lowering.
 */
export const batchNormGradOp: OpDef<BatchNormAttrs> = /* @__PURE__ */ defineOp<BatchNormAttrs>({
  name: "layers/batchNormGrad",
  infer([ct, x, mean, variance, weight]) {
    const op = "layers/batchNormGrad";
    const channels = channelsOf(op, x!, { mean: mean!, variance: variance!, weight: weight! });
    if (!sameShape(ct!.shape, x!.shape)) fail({ op, expected: `ct ${show(x!.shape)}`, got: show(ct!.shape) });
    return [x!, channels, channels];
  },
  lower([ct, x, mean, variance, weight], { eps }) {
    const { call, input, num } = expr;
    const wide = (t: Tensor) => expand(alongChannels(t, x!), x!.shape);
    const centred = call("sub", input(1), input(2));
    const deviation = variance!.add(eps).sqrt();
    const dbias = overOthers([ct!], input(0));
    const dweight = overOthers([ct!, x!, wide(mean!)], call("mul", input(0), centred)).div(deviation);
    const slope = dweight.div(deviation).mul(1 / perChannel(x!));
    const shift = call("mul", input(5), num(1 / perChannel(x!)));
    const rest = call("sub", call("sub", input(0), shift), call("mul", centred, input(4)));
    const [dx] = apply(map, [ct!, x!, ...[mean!, weight!.div(deviation), slope, dbias].map(wide)], {
      expr: call("mul", input(3), rest),
      shape: x!.shape,
    });
    return [dx!, dweight, dbias];
  },
});

/** (C) as (C, 1, …), so that it broadcasts along the channels of x (N, C, …). */
export function alongChannels(t: Tensor, x: Spec): Tensor {
  return reshape(t, [x.shape[1]!, ...x.shape.slice(2).map(() => 1)]);
}

/** Elements of each channel. */
export function perChannel(x: Spec): number {
  return sizeOf(x.shape.with(1, 1));
}

/**
 * x as `shape` (rows, …), each row normalised by itself to mean 0 and variance 1, times weight and plus bias, which
 * broadcast to it, where there are any; in the shape of x.
 */
export function normalizeRows(
  x: Tensor,
  shape: readonly [rows: number, ...number[]],
  eps: number,
  weight: Tensor | null | undefined,
  bias: Tensor | null | undefined,
): Tensor {
  const [rows] = shape;
  let [y] = apply(batchNormOp, [reshape(x, [1, ...shape]), ones([rows]), zeros([rows])], { eps }) as [Tensor];
  // Before the shape is x's again: a compiled step makes one map of all.
  if (weight) y = y.mul(weight);
  if (bias) y = y.add(bias);
  return reshape(y, x.shape);
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Sums over all axes but that of the channels. */
function overOthers(ins: readonly Tensor[], prologue: Expr): Tensor {
  const axes = [...ins[0]!.shape.keys()].filter((axis) => axis !== 1);
  return apply(reduce, ins, { of: "add", axes, prologue })[0]!;
}

/** Checks x (N, C, …) and what there is one of per channel; returns the latter's spec. */
function channelsOf(op: string, x: Spec, rows: Readonly<Record<string, Spec>>): Spec {
  checkDType(op, x.dtype, "f32");
  if (x.shape.length < 2) fail({ op, expected: "x (N, C, …)", got: show(x.shape) });
  const channels: Spec = { shape: [x.shape[1]!], dtype: "f32" };
  for (const [name, t] of Object.entries(rows)) {
    checkDType(op, t.dtype, "f32");
    if (!sameShape(t.shape, channels.shape))
      fail({ op, expected: `${name} ${show(channels.shape)}`, got: show(t.shape) });
  }
  return channels;
}
