// What is known of a tensor without its data: shape, dtype, and where its elements lie in a buffer.

import { fail, show } from "./errors.js";

/** Element types. Every element takes 4 bytes on every backend; a bool is stored as 0 or 1. */
export type DType = "f32" | "i32" | "u32" | "bool";

/** Bytes of one element of any dtype. */
export const BYTES = 4;

export interface Spec {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** A {@link Spec} and where its elements lie: element `i, j, …` is at `offset + i·strides[0] + j·strides[1] + …`. */
export interface View extends Spec {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Number of elements of a shape (1 for a scalar). */
export function sizeOf(shape: readonly number[]): number {
  let n = 1;
  for (const d of shape) n *= d;
  return n;
}

/** Row-major strides of a contiguous tensor. */
export function rowMajor(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

/** The view of a fresh, contiguous buffer. */
export function contiguousView(spec: Spec): View {
  return { shape: spec.shape, dtype: spec.dtype, offset: 0, strides: rowMajor(spec.shape) };
}

/** Whether the elements lie row-major without gaps from `offset` on (axes of size 1 may have any stride). */
export function isContiguous(view: View): boolean {
  let step = 1;
  for (let i = view.shape.length - 1; i >= 0; i--) {
    const d = view.shape[i]!;
    if (d === 0) return true;
    if (d !== 1 && view.strides[i] !== step) return false;
    step *= d;
  }
  return true;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** NumPy's broadcasting of several shapes; `undefined` where they do not fit. */
export function broadcast(...shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  const out = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const skip = rank - shape.length;
    for (let i = 0; i < shape.length; i++) {
      const d = shape[i]!;
      if (d === 1 || d === out[skip + i]) continue;
      if (out[skip + i] !== 1) return undefined;
      out[skip + i] = d;
    }
  }
  return out;
}

/** {@link broadcast}, or an error that shows the shapes. */
export function broadcastOrFail(op: string, ...shapes: readonly (readonly number[])[]): number[] {
  return (
    broadcast(...shapes) ??
    fail({
      op,
      expected: "shapes that broadcast (from the last axis on: equal, or one of them 1)",
      got: shapes.map(show).join(" and "),
      hint: "Insert axes with unsqueeze, or reshape one of them.",
    })
  );
}

const RANK: Record<DType, number> = { bool: 0, i32: 1, u32: 2, f32: 3 };

/**
 * The dtype of a result of several dtypes: the highest of bool < i32 < u32 < f32.
 * A JavaScript number beside a tensor takes the tensor's dtype, except that a fraction makes it f32.
 */
export function promote(...dtypes: readonly DType[]): DType {
  return dtypes.reduce((a, b) => (RANK[a] >= RANK[b] ? a : b), "bool");
}

/** Normalises one axis: `-1` is the last. */
export function axisOf(op: string, axis: number, rank: number): number {
  if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  return fail({
    op,
    expected: rank === 0 ? "no axis (the tensor is a scalar)" : `an axis from ${-rank} to ${rank - 1}`,
    got: `${axis}`,
  });
}

/** Normalises a list of axes (omitted: all), sorted; repeated axes are an error. */
export function axesOf(op: string, axes: number | readonly number[] | null | undefined, rank: number): number[] {
  if (axes === undefined || axes === null) return Array.from({ length: rank }, (_, i) => i);
  const list = (typeof axes === "number" ? [axes] : axes).map((a) => axisOf(op, a, rank));
  if (new Set(list).size !== list.length) {
    fail({ op, expected: "each axis once", got: show(list), hint: "−1 is the last one." });
  }
  return list.sort((a, b) => a - b);
}

/** Checks that a shape is a list of non-negative integers. */
export function checkShape(op: string, shape: readonly number[]): void {
  if (!Array.isArray(shape) || shape.some((d) => !Number.isInteger(d) || d < 0)) {
    fail({ op, expected: "a shape: a list of integers ≥ 0", got: JSON.stringify(shape) });
  }
}

export function checkDType(op: string, got: DType, ...wanted: readonly DType[]): void {
  if (!wanted.includes(got)) {
    fail({ op, expected: `dtype ${wanted.join(" or ")}`, got, hint: `Convert it with .cast("${wanted[0]}").` });
  }
}

/** Typed array class of a dtype; bool is stored as 32-bit 0 or 1. */
export function arrayOf(dtype: DType): typeof Float32Array | typeof Int32Array | typeof Uint32Array {
  return dtype === "f32" ? Float32Array : dtype === "u32" ? Uint32Array : Int32Array;
}

export type Data = Float32Array | Int32Array | Uint32Array;
