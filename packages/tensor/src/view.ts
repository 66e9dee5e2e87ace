// Arithmetic of views: what permute, slice, expand, … do to offset and strides. Pure; no tensor in sight.

import { fail, show } from "./errors.js";
import { isContiguous, rowMajor, sameShape, sizeOf, type View } from "./spec.js";

export function permuteView(of: View, axes: readonly number[]): View {
  return { ...of, shape: axes.map((a) => of.shape[a]!), strides: axes.map((a) => of.strides[a]!) };
}

/** The permutation that undoes another. */
export function inversePermutation(axes: readonly number[]): number[] {
  return axes.map((_, i) => axes.indexOf(i));
}

/** Broadcasts to `shape`: new axes in front, stride 0 where an axis of 1 grows. */
export function expandView(of: View, shape: readonly number[]): View {
  if (sameShape(of.shape, shape)) return of;
  const skip = shape.length - of.shape.length;
  const strides = shape.map((d, i) => (i < skip || (of.shape[i - skip] === 1 && d !== 1) ? 0 : of.strides[i - skip]!));
  return { ...of, shape, strides };
}

/** Elements `start, start + step, …` of each axis, `shape[i]` of them. */
export function sliceView(
  of: View,
  starts: readonly number[],
  steps: readonly number[],
  shape: readonly number[],
): View {
  let offset = of.offset;
  starts.forEach((s, i) => {
    if (shape[i]! > 0) offset += s * of.strides[i]!;
  });
  return { ...of, shape, offset, strides: of.strides.map((s, i) => s * steps[i]!) };
}

/** Another shape for the same elements in the same order, or `null` where the strides do not allow it. */
export function reshapeView(of: View, shape: readonly number[]): View | null {
  if (isContiguous(of)) return { ...of, shape, strides: rowMajor(shape) };
  if (sizeOf(shape) === 0) return { ...of, shape, strides: rowMajor(shape) };
  // Match groups of old axes with groups of new axes of the same number of elements (as NumPy does).
  const old = of.shape.map((d, i) => ({ d, s: of.strides[i]! })).filter((a) => a.d !== 1);
  const strides = new Array<number>(shape.length).fill(0);
  let o = 0;
  let n = 0;
  while (o < old.length) {
    const first = o;
    let oldSize = old[o++]!.d;
    while (n < shape.length && shape[n] === 1) n++;
    const firstNew = n;
    let newSize = shape[n++]!;
    while (oldSize !== newSize) {
      if (oldSize < newSize) oldSize *= old[o++]!.d;
      else newSize *= shape[n++]!;
    }
    for (let i = first; i + 1 < o; i++) if (old[i]!.s !== old[i + 1]!.s * old[i + 1]!.d) return null;
    let step = old[o - 1]!.s;
    for (let i = n - 1; i >= firstNew; i--) {
      strides[i] = step;
      step *= shape[i]!;
    }
  }
  return { ...of, shape, strides };
}

/** Windows of `size` along `axis`; the axis becomes the windows, a new last axis runs inside one. */
export function windowView(of: View, axis: number, size: number, stride: number, dilation: number): View {
  const n = windowCount(of.shape[axis]!, size, stride, dilation);
  const shape = [...of.shape, size];
  shape[axis] = n;
  const strides = [...of.strides, of.strides[axis]! * dilation];
  strides[axis] = of.strides[axis]! * stride;
  return { ...of, shape, strides };
}

export function windowCount(length: number, size: number, stride: number, dilation: number): number {
  return Math.floor((length - dilation * (size - 1) - 1) / stride) + 1;
}

/**
 * Merges neighbouring axes that all views walk through evenly, and drops axes of 1: the same elements with as few
 * loops as possible. All views have one shape.
 */
export function collapse(views: readonly View[]): { shape: number[]; strides: number[][] } {
  const shape: number[] = [];
  const strides: number[][] = views.map(() => []);
  const full = views[0]!.shape;
  for (let i = 0; i < full.length; i++) {
    const d = full[i]!;
    if (d === 1) continue;
    const last = shape.length - 1;
    if (last >= 0 && views.every((v, k) => strides[k]![last] === v.strides[i]! * d)) {
      shape[last]! *= d;
      views.forEach((v, k) => {
        strides[k]![last] = v.strides[i]!;
      });
    } else {
      shape.push(d);
      for (const [k, v] of views.entries()) strides[k]!.push(v.strides[i]!);
    }
  }
  return { shape, strides };
}

/** A short text that tells views apart: part of a kernel's signature. */
export function viewKey(v: View): string {
  return `${v.dtype[0]}${v.shape}${isContiguous(v) && v.offset === 0 ? "" : `@${v.offset}/${v.strides}`}`;
}

/** Checks that a view stays inside a buffer of `size` elements: for views that come from outside. */
export function checkView(op: string, v: View, size: number): void {
  let low = v.offset;
  let high = v.offset;
  if (sizeOf(v.shape) === 0) return;
  v.shape.forEach((d, i) => {
    const reach = (d - 1) * v.strides[i]!;
    if (reach < 0) low += reach;
    else high += reach;
  });
  if (low < 0 || high >= size) {
    fail({
      op,
      expected: `elements 0…${size - 1}`,
      got: `${low}…${high} for ${show(v.shape)} at ${v.offset} with strides ${show(v.strides)}`,
    });
  }
}
