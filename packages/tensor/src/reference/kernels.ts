// The reference kernels: the floor in plain loops, and two overrides (matmul, sort) that make it bearable.

import type { AxisAttrs, Kernel, MapAttrs, ReduceAttrs, Signature } from "../backend.js";
import { fail } from "../errors.js";
import { substitute } from "../expr.js";
import { contiguousView, isContiguous, sizeOf, type View } from "../spec.js";
import { expandView, permuteView } from "../view.js";
import { BLOCK, evaluator, store, type Words, walksOf, wordsOf } from "./evaluate.js";

/** A kernel, ready: give it memory. */
export type Run = (ins: readonly Words[], outs: readonly Words[]) => void;

const map: Kernel<MapAttrs, Run> = {
  op: "map",
  emit({ ins, outs: [out], attrs: { expr, accumulate = false } }) {
    const { shape, dtype } = out!;
    const size = sizeOf(shape);
    const prepare = evaluator(expr, ins, shape);
    const direct = !accumulate && isContiguous(out!);
    const walk = walksOf([out!])[0]!;
    return (inputs, [o]) => {
      const to = wordsOf(o!, dtype);
      const evaluate = prepare(inputs);
      for (let start = 0; start < size; start += BLOCK) {
        const n = Math.min(BLOCK, size - start);
        if (direct) {
          const target = to.subarray(out!.offset + start, out!.offset + start + n);
          const block = evaluate(start, n, target);
          if (block !== target) target.set(block.length === n ? block : block.subarray(0, n));
        } else store(to, evaluate(start, n), walk, start, n, accumulate);
      }
    };
  },
};

const reduce: Kernel<ReduceAttrs, Run> = {
  op: "reduce",
  fusesEpilogue: true,
  emit(signature) {
    const {
      ins,
      outs: [out],
      attrs: { of, axes, prologue },
    } = signature;
    const inner = ins.slice(0, ins.length - (signature.epilogue?.extra ?? 0));
    const whole = inner[0]!.shape;
    // Kept axes first: the elements of one result then follow each other.
    const order = [...whole.keys()].filter((i) => !axes.includes(i)).concat(axes);
    const shape = order.map((i) => whole[i]!);
    const expr = substitute(
      prologue,
      (i, dtype) => ({ k: "in", i, dtype }),
      (axis) => ({ k: "index", axis: order.indexOf(axis), dtype: "i32" }),
    );
    const prepare = evaluator(
      expr,
      inner.map((v) => permuteView(v, order)),
      shape,
    );
    const count = sizeOf(axes.map((i) => whole[i]!));
    const results = sizeOf(out!.shape);
    const dtype = prologue.dtype;
    const wide = dtype === "f32" ? Number.POSITIVE_INFINITY : dtype === "u32" ? 0xffffffff : 0x7fffffff;
    const narrow = dtype === "f32" ? Number.NEGATIVE_INFINITY : dtype === "u32" ? 0 : -0x80000000;
    const neutral = { add: 0, mul: 1, max: narrow, min: wide }[of];
    const finish = epilogue(signature);
    return (inputs, [o]) => {
      const to = wordsOf(o!, dtype);
      if (count === 0) to.fill(neutral, 0, results);
      const evaluate = prepare(inputs);
      const total = results * count;
      let sum = neutral; // in double precision
      let left = count;
      let r = 0;
      for (let start = 0; start < total; start += BLOCK) {
        const n = Math.min(BLOCK, total - start);
        const block = evaluate(start, n);
        for (let k = 0; k < n; ) {
          const end = Math.min(n, k + left);
          left -= end - k;
          if (of === "add") for (; k < end; k++) sum += block[k]!;
          else if (of === "max") for (; k < end; k++) sum = Math.max(sum, block[k]!);
          else if (of === "min") for (; k < end; k++) sum = Math.min(sum, block[k]!);
          else if (dtype === "f32") for (; k < end; k++) sum *= block[k]!;
          else for (; k < end; k++) sum = Math.imul(sum, block[k]!); // exact modulo 2³²
          if (left === 0) {
            to[r++] = sum;
            sum = neutral;
            left = count;
          }
        }
      }
      finish?.(inputs, o!);
    };
  },
};

const gather: Kernel<AxisAttrs, Run> = {
  op: "gather",
  emit({ ins: [x, i], outs: [out], attrs: { axis } }) {
    // x without the axis, walked along the index; the axis is added per element.
    const rest = expandView({ ...x!, shape: x!.shape.with(axis, 1), strides: x!.strides.with(axis, 0) }, out!.shape);
    const places = offsetsOf(rest);
    const indices = offsetsOf(i!);
    const stride = x!.strides[axis]!;
    const n = x!.shape[axis]!;
    return ([values, index], [o]) => {
      const from = wordsOf(values!, x!.dtype);
      const at = wordsOf(index!, i!.dtype);
      const to = wordsOf(o!, x!.dtype);
      for (let k = 0; k < places.length; k++)
        to[k] = from[places[k]! + inRange("gather", at[indices[k]!]!, n, axis) * stride]!;
    };
  },
};

const scatterAdd: Kernel<AxisAttrs, Run> = {
  op: "scatterAdd",
  emit({ ins: [i, source], outs: [out], attrs: { axis } }) {
    const plain = contiguousView(out!);
    const rest = expandView(
      { ...plain, shape: out!.shape.with(axis, 1), strides: plain.strides.with(axis, 0) },
      source!.shape,
    );
    const places = offsetsOf(rest);
    const sources = offsetsOf(source!);
    const indices = offsetsOf(i!);
    const stride = plain.strides[axis]!;
    const n = out!.shape[axis]!;
    return ([index, values], [o]) => {
      const from = wordsOf(values!, source!.dtype);
      const at = wordsOf(index!, i!.dtype);
      const to = wordsOf(o!, out!.dtype);
      to.fill(0, 0, sizeOf(out!.shape));
      for (let k = 0; k < places.length; k++) {
        to[places[k]! + inRange("scatterAdd", at[indices[k]!]!, n, axis) * stride]! += from[sources[k]!]!;
      }
    };
  },
};

/** (B…, M, K) · (B…, K, N), sums in double precision. */
const matmul: Kernel<unknown, Run> = {
  op: "matmul",
  fusesEpilogue: true,
  accepts: ({ ins: [a] }) => a!.dtype === "f32",
  emit(signature) {
    const [a, b] = signature.ins as [View, View];
    const [m, k] = a.shape.slice(-2) as [number, number];
    const n = b.shape.at(-1)!;
    const batch = (v: View) => offsetsOf({ ...v, shape: v.shape.slice(0, -2), strides: v.strides.slice(0, -2) });
    const as = batch(a);
    const bs = batch(b);
    const [ai, ak] = a.strides.slice(-2) as [number, number];
    const [bk, bj] = b.strides.slice(-2) as [number, number];
    // Columns of b in a row of memory, and rows of a: sums of products without a copy. Else rows of b, copied if need be.
    const dots = ak === 1 && bk === 1 && bj !== 1 && k >= 16;
    const copy = dots || bj === 1 ? null : new Float32Array(k * n);
    const finish = epilogue(signature);
    return (inputs, [o]) => {
      const to = o!.f32;
      const left = inputs[0]!.f32;
      const right = inputs[1]!.f32;
      for (let t = 0; t < as.length; t++) {
        if (dots) {
          for (let i = 0; i < m; i++) dotRow(to, (t * m + i) * n, left, as[t]! + i * ai, right, bs[t]!, bj, n, k);
          continue;
        }
        if (copy && (t === 0 || bs[t] !== bs[t - 1])) copyMatrix(copy, right, bs[t]!, k, n, bk, bj);
        const [rows, at, step] = copy ? [copy, 0, n] : [right, bs[t]!, bk];
        for (let j = 0; j < n; j += TILE) {
          const wide = Math.min(TILE, n - j);
          for (let i = 0; i < m; i++)
            sumRows(to, (t * m + i) * n + j, rows, at + j, step, wide, left, as[t]! + i * ai, ak, k);
        }
      }
      finish?.(inputs, o!);
    };
  },
};

/** Columns done at a time: their sums, 8 bytes each, stay in the first-level cache. */
const TILE = 1024;
const sums = /* @__PURE__ */ new Float64Array(TILE);

function copyMatrix(
  to: Float32Array,
  from: Float32Array,
  offset: number,
  k: number,
  n: number,
  sk: number,
  sn: number,
): void {
  for (let p = 0; p < k; p++) {
    const at = offset + p * sk;
    for (let j = 0; j < n; j++) to[p * n + j] = from[at + j * sn]!;
  }
}

/** One row of results: rows of b, each times an element of a; four at a time, so that a sum is loaded and stored once for four products. */
function sumRows(
  to: Float32Array,
  out: number,
  b: Float32Array,
  at: number,
  step: number,
  n: number,
  a: Float32Array,
  from: number,
  ak: number,
  k: number,
): void {
  sums.fill(0, 0, n);
  let p = 0;
  for (; p + 4 <= k; p += 4) {
    const x = from + p * ak;
    const [a0, a1, a2, a3] = [a[x]!, a[x + ak]!, a[x + 2 * ak]!, a[x + 3 * ak]!];
    const b0 = at + p * step;
    const b1 = b0 + step;
    const b2 = b1 + step;
    const b3 = b2 + step;
    for (let j = 0; j < n; j++)
      sums[j] = sums[j]! + a0 * b[b0 + j]! + a1 * b[b1 + j]! + a2 * b[b2 + j]! + a3 * b[b3 + j]!;
  }
  for (; p < k; p++) {
    const a0 = a[from + p * ak]!;
    const b0 = at + p * step;
    for (let j = 0; j < n; j++) sums[j]! += a0 * b[b0 + j]!;
  }
  for (let j = 0; j < n; j++) to[out + j] = sums[j]!;
}

/** One row of results: a row of a times each column of b, four columns at a time. */
function dotRow(
  to: Float32Array,
  out: number,
  a: Float32Array,
  from: number,
  b: Float32Array,
  at: number,
  bj: number,
  n: number,
  k: number,
): void {
  let j = 0;
  for (; j + 4 <= n; j += 4) {
    const b0 = at + j * bj;
    const b1 = b0 + bj;
    const b2 = b1 + bj;
    const b3 = b2 + bj;
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let p = 0; p < k; p++) {
      const x = a[from + p]!;
      s0 += x * b[b0 + p]!;
      s1 += x * b[b1 + p]!;
      s2 += x * b[b2 + p]!;
      s3 += x * b[b3 + p]!;
    }
    to[out + j] = s0;
    to[out + j + 1] = s1;
    to[out + j + 2] = s2;
    to[out + j + 3] = s3;
  }
  for (; j < n; j++) {
    let s = 0;
    for (let p = 0; p < k; p++) s += a[from + p]! * b[at + j * bj + p]!;
    to[out + j] = s;
  }
}

/** Sorts the last axis; stable; NaN counts as the greatest. */
const sort: Kernel<{ readonly descending: boolean }, Run> = {
  op: "sort",
  emit({ ins: [x], attrs: { descending } }) {
    const n = x!.shape.at(-1) ?? 1;
    const places = offsetsOf(x!);
    return ([values], [sorted, indices]) => {
      const from = wordsOf(values!, x!.dtype);
      const to = wordsOf(sorted!, x!.dtype);
      for (let row = 0; row < places.length; row += n) {
        const value = (i: number) => from[places[row + i]!]!;
        const order = Array.from({ length: n }, (_, i) => i);
        order.sort((i, j) => (descending ? compare(value(j), value(i)) : compare(value(i), value(j))));
        order.forEach((i, k) => {
          to[row + k] = value(i);
          indices!.i32[row + k] = i;
        });
      }
    };
  },
};

/** What {@link reference} runs. */
export const referenceKernels: readonly Kernel<never, Run>[] = [map, reduce, gather, scatterAdd, matmul, sort];

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** The pointwise formula that follows a kernel, applied to its result in place. */
function epilogue({
  ins,
  outs: [out],
  epilogue: after,
}: Signature): ((ins: readonly Words[], out: Words) => void) | null {
  if (!after) return null;
  const first = ins.length - after.extra;
  const size = sizeOf(out!.shape);
  const prepare = evaluator(after.expr, [contiguousView(out!), ...ins.slice(first)], out!.shape);
  return (inputs, o) => {
    const evaluate = prepare([o, ...inputs.slice(first)]);
    const to = wordsOf(o, out!.dtype);
    for (let start = 0; start < size; start += BLOCK) {
      const n = Math.min(BLOCK, size - start);
      to.set(evaluate(start, n).subarray(0, n), start);
    }
  };
}

/** The buffer position of every element, in row-major order. */
function offsetsOf(v: View): Int32Array {
  const at = new Int32Array(sizeOf(v.shape));
  let step = at.length;
  at.fill(v.offset);
  v.shape.forEach((d, axis) => {
    step = d === 0 ? 0 : step / d;
    for (let k = 0; k < at.length; k++) at[k]! += (Math.floor(k / step) % d) * v.strides[axis]!;
  });
  return at;
}

function inRange(op: string, i: number, n: number, axis: number): number {
  if (i >= 0 && i < n) return i;
  return fail({
    op,
    expected: `indices 0…${n - 1} on axis ${axis}`,
    got: `${i}`,
    hint: "Check labels or token numbers against the number of classes or rows.",
  });
}

function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a - b;
}
