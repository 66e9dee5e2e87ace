// The loop over time, and what a loop needs to be an op of its own.
//
// A loop op takes what the input adds to the gates (pre) and does the rest of a scan: the work that a kernel replaces. There
// are three per kind: `lstmLoop` gives the outputs; `lstmLoopSaving` also what the way back needs, and has the vjp;
// `lstmLoopGrad` is the way back. Under a tape an op without a vjp is lowered, and `lstmLoop` lowers to
// `lstmLoopSaving`: so training saves, and nothing else does.

import {
  apply1,
  arange,
  cat,
  type Expr,
  expr,
  grad,
  matmul,
  type OpDef,
  permute,
  pointwise,
  type Spec,
  slice,
  split,
  stack,
  type Tensor,
  transpose,
  unsqueeze,
  where,
  zerosLike,
} from "@nn/tensor";
import { isInside, raggedWeightGrad } from "./ragged.js";

/** Attributes of the loops. */
export interface LoopAttrs {
  /** From the last step to the first. */
  readonly reverse: boolean;
  /** Whether the last input is the rows' lengths (N) i32: a row's steps past its end give 0 and keep its state. */
  readonly lengths: boolean;
}

/** What a step gives: the next states, and what is collected over time. */
export interface Step {
  readonly states: readonly Tensor[];
  readonly collected: readonly Tensor[];
}

/** f32 of a shape. */
export const f32 = (...shape: number[]): Spec => ({ shape, dtype: "f32" });

/**
 * Runs a cell over time.
 *
 * @param states before the first step
 * @param cell step t, given the states before it
 * @returns the states at the end, and what was collected, each (T, N, …), 0 past a row's end
 */
export function overTime(
  steps: number,
  states: readonly Tensor[],
  lengths: Tensor | undefined,
  reverse: boolean,
  cell: (t: number, states: readonly Tensor[]) => Step,
): Step {
  const inside = lengths && stepsOf(isInside(lengths, steps));
  const rows: Tensor[][] = [];
  let now = states;
  for (let i = 0; i < steps; i++) {
    const t = reverse ? steps - 1 - i : i;
    const { states: next, collected } = cell(t, now);
    const before = now;
    now = inside ? next.map((s, k) => where(inside[t]!, s, before[k]!)) : next;
    collected.forEach((v, k) => {
      (rows[k] ??= [])[t] = inside ? where(inside[t]!, v, zerosLike(v)) : v;
    });
  }
  return { states: now, collected: rows.map((list) => stack(list)) };
}

/** The steps (N, G) of (T, N, G), as views; their gradients are joined at once. */
export function stepsOf(x: Tensor): readonly Tensor[] {
  return split(x, 1, 0).map((t) => t.reshape(x.shape.slice(1)));
}

/** The states before every step, of those after it: (T, N, H). */
export function before(first: Tensor, after: Tensor, { reverse }: LoopAttrs, lengths: Tensor | undefined): Tensor {
  const steps = after.shape[0]!;
  const start = unsqueeze(first, 0);
  if (!reverse) return cat([start, slice(after, [[0, steps - 1]])]);
  const shifted = cat([slice(after, [[1, steps]]), start]);
  // Each row starts at its own end.
  return lengths ? where(unsqueeze(unsqueeze(arange(1, steps + 1), 1).eq(lengths), 2), start, shifted) : shifted;
}

/** The gradient of W_hh: over all steps dᵀ · (the state before it), with d (T, N, G) the gradient of W_hh·h. */
export function weightGrad(
  d: Tensor,
  first: Tensor,
  after: Tensor,
  attrs: LoopAttrs,
  lengths: Tensor | undefined,
): Tensor {
  const [steps, rows] = d.shape as [number, number];
  const flat = (t: Tensor) => t.reshape([-1, t.shape.at(-1)!]);
  const product = (d: Tensor, h: Tensor, lengths?: Tensor) =>
    lengths ? raggedWeightGrad(d, h, lengths) : matmul(transpose(flat(d)), flat(h));
  if (rows === 0 || (attrs.reverse && lengths)) return product(d, before(first, after, attrs, lengths), lengths);
  // Two products instead of a copy of all states.
  const [from, start] = attrs.reverse ? [0, steps - 1] : [1, 0];
  const alone = product(slice(d, [[start, start + 1]]), first);
  if (steps === 1) return alone;
  const rest = slice(d, [[from, from + steps - 1]]);
  return product(rest, slice(after, [[1 - from, steps - from]]), lengths?.sub(1)).add(alone);
}

/** Gradients by way of an op's lowering: where those of gradients are wanted, of what only the way back uses. */
export function throughLowering<A>(
  op: OpDef<A>,
  ct: readonly (Tensor | null)[],
  ins: readonly Tensor[],
  attrs: A,
): readonly (Tensor | null)[] {
  // New handles: one tensor may be two of the inputs.
  const own = ins.map((t) => permute(t, [...t.shape.keys()]));
  const wrt = own.filter((t) => t.dtype === "f32");
  const gradients = grad(
    () =>
      op.lower!(own, attrs)
        .flatMap((out, k) => (ct[k] ? [out.mul(ct[k]).sum()] : []))
        .reduce((a, b) => a.add(b)),
    wrt,
  );
  return own.map((t) => gradients[wrt.indexOf(t)] ?? null);
}

/** The gradient of an output that may have none. */
export const orZeros = (ct: Tensor | null | undefined, like: Tensor): Tensor => ct ?? zerosLike(like);

/** Factors multiplied. */
export const times = (...factors: Expr[]): Expr => factors.reduce((a, b) => expr.call("mul", a, b));
/** 1 − x. */
export const oneMinus = (x: Expr): Expr => expr.call("sub", expr.num(1), x);

/** a·b·σ' for s = σ(…). */
const sigmoidGradOp = /* @__PURE__ */ pointwise<object>("recurrent/sigmoidGrad", ([a, b, s]) =>
  times(a!, b!, s!, oneMinus(s!)),
);
export const sigmoidGrad = (a: Tensor, b: Tensor, s: Tensor): Tensor => apply1(sigmoidGradOp, [a, b, s], {});

/** a·b·tanh' for t = tanh(…). */
const tanhGradOp = /* @__PURE__ */ pointwise<object>("recurrent/tanhGrad", ([a, b, t]) =>
  times(a!, b!, oneMinus(times(t!, t!))),
);
export const tanhGrad = (a: Tensor, b: Tensor, t: Tensor): Tensor => apply1(tanhGradOp, [a, b, t], {});
