// Layouts as views: a physical arrangement is the plain tensor padded, cut and permuted.

import type { Layout } from "./backend.js";
import { fail, show } from "./errors.js";
import { rowMajor, type Spec, sizeOf, type View } from "./spec.js";
import { permuteView } from "./view.js";

/** What a packed tensor is in memory: a contiguous tensor of the physical shape. */
export function physicalSpec(plain: Spec, layout: Layout): Spec {
  return { shape: layout.order.map((i) => layout.split[i]!), dtype: plain.dtype };
}

/** A short text that tells layouts apart. */
export function layoutKey(layout: Layout | null | undefined): string {
  return layout ? JSON.stringify([layout.name, layout.pad ?? 0, layout.split, layout.order]) : "";
}

/**
 * The steps of a conversion: write the plain elements `inside` a zeroed buffer of the `padded` shape (`null`: no
 * padding, nothing to do), then read that through `cut`, which gives the physical order.
 */
export function packViews(plain: Spec, layout: Layout) {
  const pad = layout.pad ?? plain.shape.map(() => [0, 0] as const);
  const padded: Spec = { dtype: plain.dtype, shape: plain.shape.map((d, i) => d + pad[i]![0] + pad[i]![1]) };
  if (sizeOf(padded.shape) !== sizeOf(layout.split)) {
    fail({
      op: `layout ${layout.name}`,
      expected: `split ${show(layout.split)} with the ${sizeOf(padded.shape)} elements of ${show(padded.shape)}`,
      got: `${sizeOf(layout.split)} elements`,
    });
  }
  const strides = rowMajor(padded.shape);
  const offset = pad.reduce((sum, [before], i) => sum + before * strides[i]!, 0);
  const none = pad.every(([before, after]) => before === 0 && after === 0);
  const inside: View | null = none ? null : { ...plain, offset, strides };
  const cut = (of: View): View => permuteView({ ...of, shape: layout.split, strides: rowMajor(layout.split) }, layout.order);
  return { padded, inside, cut };
}

/**
 * The layout of `permute(x, axes)` that is the same memory as `layout` of x; `null` where the cuts go across axes.
 */
export function permuteLayout(layout: Layout, x: Spec, axes: readonly number[]): Layout | null {
  const pad = layout.pad ?? x.shape.map(() => [0, 0] as const);
  // Which pieces of `split` belong to which axis.
  const groups: number[][] = [];
  let next = 0;
  for (const [i, d] of x.shape.entries()) {
    const whole = d + pad[i]![0] + pad[i]![1];
    const group = [next++];
    let size = layout.split[group[0]!] ?? 0;
    while (size < whole && next < layout.split.length) {
      size *= layout.split[next]!;
      group.push(next++);
    }
    if (size !== whole) return null;
    groups.push(group);
  }
  if (next !== layout.split.length) return null;
  const pieces = axes.flatMap((a) => groups[a]!);
  return {
    name: layout.name,
    ...(layout.pad ? { pad: axes.map((a) => pad[a]!) } : {}),
    split: pieces.map((i) => layout.split[i]!),
    order: layout.order.map((i) => pieces.indexOf(i)),
  };
}
