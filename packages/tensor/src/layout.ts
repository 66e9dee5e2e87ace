// Layouts as views: a physical arrangement is the plain tensor padded, cut and permuted.

import type { Layout } from "./backend.js";
import { fail, show } from "./errors.js";
import { type Expr, input, num } from "./expr.js";
import { contiguousView, rowMajor, type Spec, sizeOf, type View } from "./spec.js";
import { permuteView } from "./view.js";

/** What a packed tensor is in memory: a contiguous tensor of the physical shape. */
export function physicalSpec(plain: Spec, layout: Layout): Spec {
  return { shape: layout.order.map((i) => layout.split[i]!), dtype: plain.dtype };
}

/** A short text that tells layouts apart; the name, which is for people, does not count. */
export function layoutKey(layout: Layout | null | undefined): string {
  return layout ? JSON.stringify([layout.pad ?? 0, layout.split, layout.order]) : "";
}

/** A piece of a buffer; `Root` is whoever owns it: a storage, or a value of a graph. */
export interface Place<Root> {
  readonly root: Root;
  readonly view: View;
}

/**
 * Converts between plain rows and a layout, as maps: the plain elements stand inside a zeroed buffer of the padded
 * shape, and that buffer, cut and permuted, is the packed one.
 *
 * @param how.temporary a buffer for the padded shape; only where there is padding
 * @param how.map runs `out = expr(ins)`
 */
export function convert<Root>(
  direction: "pack" | "unpack",
  plain: Spec,
  layout: Layout,
  from: Root,
  to: Root,
  how: { temporary(spec: Spec): Root; map(expr: Expr, ins: readonly Place<Root>[], out: Place<Root>): void },
): void {
  const pad = layout.pad ?? plain.shape.map(() => [0, 0] as const);
  const padded: Spec = { dtype: plain.dtype, shape: plain.shape.map((d, i) => d + pad[i]![0] + pad[i]![1]) };
  if (sizeOf(padded.shape) !== sizeOf(layout.split)) {
    fail({
      op: `layout ${layout.name}`,
      expected: `split ${show(layout.split)} with the ${sizeOf(padded.shape)} elements of ${show(padded.shape)}`,
      got: `${sizeOf(layout.split)} elements`,
    });
  }
  const element = input(0, plain.dtype);
  const strides = rowMajor(padded.shape);
  const inside: View = { ...plain, offset: pad.reduce((sum, [before], i) => sum + before * strides[i]!, 0), strides };
  const cut = permuteView(
    { dtype: plain.dtype, shape: layout.split, offset: 0, strides: rowMajor(layout.split) },
    layout.order,
  );
  const physical = contiguousView(physicalSpec(plain, layout));
  const tight = sizeOf(padded.shape) === sizeOf(plain.shape);
  if (direction === "pack") {
    const middle = tight ? from : how.temporary(padded);
    if (!tight) {
      how.map(num(0, plain.dtype), [], { root: middle, view: contiguousView(padded) });
      how.map(element, [{ root: from, view: contiguousView(plain) }], { root: middle, view: inside });
    }
    how.map(element, [{ root: middle, view: cut }], { root: to, view: physical });
  } else {
    const middle = tight ? to : how.temporary(padded);
    how.map(element, [{ root: from, view: physical }], { root: middle, view: cut });
    if (!tight) how.map(element, [{ root: middle, view: inside }], { root: to, view: contiguousView(plain) });
  }
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
    pad: layout.pad && axes.map((a) => pad[a]!),
    split: pieces.map((i) => layout.split[i]!),
    order: layout.order.map((i) => pieces.indexOf(i)),
  };
}
