// Connectionist temporal classification: how likely a sequence of labels is, whatever its alignment in time.
//
// The states of an alignment are blank, label 0, blank, label 1, …, blank: P = 2·S + 1 of them, extended paths in the
// paper's words. A step stays, goes on by one, or by two where that skips a blank between different labels.

import {
  apply1,
  arange,
  cat,
  defineOp,
  type Expr,
  exp,
  expr,
  fail,
  flip,
  full,
  gather,
  logSumExp,
  Module,
  maximum,
  minimum,
  type OpDef,
  pad,
  scan,
  scope,
  show,
  slice,
  stack,
  type Tensor,
  tensor,
  where,
} from "@nn/tensor";
import { checkIntegers, withNumbersOf } from "../check.js";
import { checkReduction, type LossOptions, type Reduction, reduced } from "./reduction.js";

/** Options of {@link ctcLoss}. */
export interface CTCLossOptions extends LossOptions {
  /** Class number of the blank (default 0). */
  readonly blank?: number;
  /** Whether impossible alignments count 0 and not infinity (default false). */
  readonly zeroInfinity?: boolean;
}

/** Lengths of the sequences (N): numbers, or a tensor i32, which a compiled step takes without tracing anew. */
export type Lengths = readonly number[] | Tensor;

/**
 * `−log p(targets)`, summed over all alignments (Graves et al., 2006), as
 * [torch.nn.functional.ctc_loss](https://pytorch.org/docs/stable/generated/torch.nn.functional.ctc_loss.html).
 *
 * Where the input is too short for its targets the loss is infinite, or 0 with `zeroInfinity`; its gradient is 0 in
 * both cases (PyTorch's is NaN in the first). With reduction "mean" each loss is divided by its target length first.
 *
 * @param logProbs log-probabilities (T, N, C), or (T, C) for one sequence
 * @param targets class numbers i32 without blanks: padded (N, S), or one after the other (sum of the lengths)
 * @param inputLengths how many of the T steps count, of each sequence
 * @param targetLengths how many labels each sequence has; numbers if the targets stand one after the other
 * @returns a scalar, or with reduction "none" a loss per sequence (N); without N, always a scalar
 * @throws if shapes or dtypes do not fit, or (where they can be read) lengths or class numbers are out of range
 * @example
 * ```ts
 * const logProbs = model.forward(x).logSoftmax(-1); // (T, N, C)
 * ctcLoss(logProbs, targets, [50, 43], [12, 7]);
 * ```
 */
export function ctcLoss(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Lengths,
  targetLengths: Lengths,
  { blank = 0, reduction = "mean", zeroInfinity = false }: CTCLossOptions = {},
): Tensor {
  checkReduction(OP, reduction);
  if (logProbs.rank === 2) {
    const loss = ctcLoss(logProbs.unsqueeze(1), targets, inputLengths, targetLengths, {
      blank,
      reduction,
      zeroInfinity,
    });
    return loss.reshape([]);
  }
  const [steps, batch, classes] = checkInput(logProbs, blank);
  checkIntegers(OP, "targets", targets);
  return scope(() => {
    const given = lengthsOf("inputLengths", inputLengths, batch, steps);
    const wanted = lengthsOf("targetLengths", targetLengths, batch, targets.rank === 2 ? targets.shape[1] : null);
    const padded = targets.rank === 2 ? targets : unpacked(targets, targetLengths);
    if (padded.shape[0] !== batch) {
      fail({ op: OP, expected: `targets of ${batch} sequences`, got: show(targets.shape) });
    }
    const longest = padded.shape[1];
    const labels = where(arange(longest).lt(wanted.unsqueeze(1)), padded, blank);
    // Blanks around and between: (N, P).
    const blanks = full([batch, longest, 1], blank, { dtype: "i32" });
    const pairs = stack([blanks.squeeze(2), labels], 2).reshape([batch, 2 * longest]);
    const path = pad(pairs, [[0, 1]], { value: blank });

    const P = 2 * longest + 1;
    const places = path.unsqueeze(0).expand([steps, batch, P]);
    const emissions = withNumbersOf(OP, "class numbers", classes, "Check the targets.", () =>
      gather(logProbs, 2, places),
    );
    // Two back is another label, and so not a blank either.
    const before = pad(slice(path, [null, [0, Math.max(0, P - 2)]]), [[Math.min(2, P), 0]], { value: blank });
    const skips = possible(path.ne(blank).logicalAnd(path.ne(before)));
    const state = arange(P);
    const time = arange(steps).reshape([-1, 1, 1]);
    const starts = possible(time.eq(0).logicalAnd(state.lt(2))).expand([steps, batch, P]);
    const last = wanted.mul(2).unsqueeze(1);
    const atEnd = state.eq(last).logicalOr(state.eq(last.sub(1)));
    const ends = possible(time.eq(given.sub(1).reshape([1, -1, 1])).logicalAnd(atEnd));

    const likelihood = apply1(ctcOp, [maximum(emissions, NEVER), skips, starts, ends], {});
    const reached = likelihood.gt(NEVER / 10);
    const losses = where(reached, likelihood.neg(), zeroInfinity ? 0 : Number.POSITIVE_INFINITY);
    if (reduction !== "mean") return reduced(losses, reduction);
    return losses.div(maximum(wanted, 1)).mean();
  });
}

/**
 * {@link ctcLoss} as a module: [torch.nn.CTCLoss](https://pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html).
 *
 * @example
 * ```ts
 * new CTCLoss({ zeroInfinity: true }).forward(logProbs, targets, inputLengths, targetLengths);
 * ```
 */
export class CTCLoss extends Module {
  constructor(private readonly options: CTCLossOptions = {}) {
    super();
    checkReduction<Reduction>("CTCLoss", options.reduction ?? "mean");
  }
  override forward(logProbs: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths): Tensor {
    return ctcLoss(logProbs, targets, inputLengths, targetLengths, this.options);
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

const OP = "ctcLoss";

/** The logarithm of 0. Finite, so that no difference of two of them is NaN; sums of thousands of them are finite, too. */
const NEVER = -1e30;

const possible = (yes: Tensor): Tensor => where(yes, 0, NEVER).cast("f32");

/**
 * log p of the targets (N). Inputs: log-probability of each state at each time (T, N, P); which states may be reached
 * by skipping one (N, P); where alignments start, and where they end (T, N, P): 0 or NEVER.
 */
const ctcOp: OpDef<object> = /* @__PURE__ */ defineOp({
  name: "layers/ctc",
  infer: ([emissions]) => [{ shape: [emissions.shape[1]], dtype: "f32" }],
  lower: ([emissions, skips, starts, ends]) => [
    logSumExp(apply1(prefixesOp, [emissions, skips, starts], {}).add(ends), [0, 2]),
  ],
  // The share of all alignments that is in a state at a time: what leads there, times what goes on from there. The
  // second is the first, backwards in time and states.
  vjp([ct], { ins: [emissions, skips, starts, ends], outs: [likelihood] }) {
    const P = skips.shape[1];
    const prefixes = apply1(prefixesOp, [emissions, skips, starts], {});
    const skipsBack = slice(pad(flip(skips, 1), [[2, 0]], { value: NEVER }), [null, [0, P]]);
    const back = apply1(prefixesOp, [flip(emissions, [0, 2]), skipsBack, flip(ends, [0, 2])], {});
    const through = prefixes.add(flip(back, [0, 2])).sub(emissions);
    const share = exp(minimum(through.sub(likelihood.unsqueeze(1)), 0));
    return [share.mul(ct!.unsqueeze(1)), null, null, null];
  },
});

/**
 * For each time and state, the logarithm of the sum of all alignments up to there (T, N, P). Its gradient, which only
 * gradients of gradients need, is that of the loop.
 */
const prefixesOp: OpDef<object> = /* @__PURE__ */ defineOp({
  name: "layers/ctcPrefixes",
  infer: ([emissions]) => [emissions],
  lower([emissions, skips, starts]) {
    const [N, P] = skips.shape as readonly [number, number];
    const never = full([N, 2], NEVER);
    const step = (before: Tensor, given: Tensor) => {
      // All in one buffer: where the loop is unrolled, the formula reads from the same places at every step, and its
      // code is shared.
      const all = cat([never, before, given], 1);
      const [c, b, a, start, emission] = [0, 1, 2, 2 + P, 2 + 2 * P].map((at) => slice(all, [null, [at, at + P]]));
      const now = apply1(stepOp, [a, b, c, skips, start, emission], {});
      return [now, now] as const;
    };
    return [scan(step, full(skips.shape, NEVER), cat([starts, emissions], 2))[1]];
  },
});

/** `emission + log(eᵃ + eᵇ + eᶜ⁺ˢᵏⁱᵖ + eˢᵗᵃʳᵗ)`: one formula, as every node of an unrolled loop counts. */
const stepOp: OpDef<object> = /* @__PURE__ */ defineOp({
  name: "layers/ctcStep",
  infer: ([a]) => [a],
  expr([a, b, c, skip, start, emission]) {
    const { call } = expr;
    const terms = [a, b, call("add", c, skip), start] as [Expr, ...Expr[]];
    const most = terms.reduce((x, y) => call("max", x, y));
    const sum = terms.map((x) => call("exp", call("sub", x, most))).reduce((x, y) => call("add", x, y));
    return call("add", emission, call("add", most, call("log", sum)));
  },
});

function checkInput(logProbs: Tensor, blank: number): readonly [number, number, number] {
  if (logProbs.rank !== 3 || logProbs.shape[0] === 0) {
    fail({ op: OP, expected: "logProbs (T, N, C) or (T, C), T ≥ 1", got: show(logProbs.shape) });
  }
  const [steps, batch, classes] = logProbs.shape as readonly [number, number, number];
  if (!(Number.isInteger(blank) && blank >= 0 && blank < classes)) {
    fail({ op: OP, expected: `blank from 0 to ${classes - 1}`, got: `${blank}` });
  }
  return [steps, batch, classes];
}

/** Lengths as a tensor i32 (N), checked where they are numbers. */
function lengthsOf(name: string, lengths: Lengths, batch: number, most: number | null): Tensor {
  const count = Array.isArray(lengths) ? lengths.length : (lengths as Tensor).size;
  if (count !== batch) fail({ op: OP, expected: `${batch} ${name}, one per sequence`, got: `${count}` });
  if (!Array.isArray(lengths)) {
    checkIntegers(OP, name, lengths as Tensor);
    return (lengths as Tensor).reshape([batch]);
  }
  const wrong = lengths.find((n) => !(Number.isInteger(n) && n >= 0 && n <= (most ?? n)));
  if (wrong !== undefined) fail({ op: OP, expected: `${name} from 0 to ${most ?? "…"}`, got: `${wrong}` });
  return tensor([...lengths], { dtype: "i32" });
}

/** Targets one after the other, as rows (N, S). */
function unpacked(targets: Tensor, lengths: Lengths): Tensor {
  if (targets.rank !== 1)
    fail({ op: OP, expected: "targets (N, S), or one after the other", got: show(targets.shape) });
  if (!Array.isArray(lengths)) {
    fail({
      op: OP,
      expected: "targetLengths as numbers, as the targets stand one after the other",
      got: "a tensor",
      hint: "Pad the targets to (N, S).",
    });
  }
  const counts = lengths as readonly number[];
  const total = counts.reduce((a, b) => a + b, 0);
  if (total !== targets.size)
    fail({ op: OP, expected: `${total} targets, the sum of their lengths`, got: `${targets.size}` });
  const longest = Math.max(...counts);
  let next = 0;
  return stack(counts.map((n) => pad(slice(targets, [[next, (next += n)]]), [[0, longest - n]])));
}
