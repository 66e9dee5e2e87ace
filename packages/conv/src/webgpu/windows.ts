// Coordinates and windows as WGSL: what an output sees of an input, and the other way round. Names are i32.

import { literal, sum } from "@nn/backend-webgpu";
import type { View } from "@nn/tensor";
import { outputSizes, type Windows } from "../spatial.js";

/** Lines that work out coordinates, and their names, one per axis. */
export interface Coordinates {
  readonly lines: readonly string[];
  readonly at: readonly string[];
}

/** Windows of a kernel of some size. */
export interface Kernel extends Windows {
  readonly kernelSize: readonly number[];
}

/** The coordinates of number `i` (a u32) in a shape; `prefix` is that of their names. */
export function coordinates(i: string, shape: readonly number[], prefix: string): Coordinates {
  const lines: string[] = [];
  const at: string[] = [];
  let rest = i;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const d = shape[axis]!;
    const first = shape.slice(0, axis).every((n) => n === 1);
    at.unshift(d === 1 && !first ? "0" : `${prefix}${axis}`);
    if (d === 1 && !first) continue;
    lines.push(`let ${prefix}${axis} = i32(${first ? rest : `(${rest}) % ${d}u`});`);
    if (first) return { lines, at: [...shape.slice(0, axis).map(() => "0"), ...at] };
    lines.push(`let ${prefix}r${axis} = (${rest}) / ${d}u;`);
    rest = `${prefix}r${axis}`;
  }
  return { lines, at };
}

/** Where an element of a view lies. */
export function address(v: View, at: readonly string[]): string {
  const terms = at.flatMap((c, axis) =>
    v.strides[axis] === 0 || c === "0" ? [] : [`${c} * ${literal(v.strides[axis]!)}`],
  );
  return sum(v.offset, terms);
}

/** Coordinates that may lie outside, and whether they do not; `null`: they never do. */
export interface Place extends Coordinates {
  readonly inside: string | null;
}

/** Element `k` of window `o`, in an input of some size. */
export function inWindow(w: Kernel, size: readonly number[], o: readonly string[], k: readonly string[]): Place {
  const counts = outputSizes(size, w.kernelSize, w);
  const inside: string[] = [];
  const lines = size.map((d, i) => {
    const [before] = w.padding[i]!;
    const last = (counts[i]! - 1) * w.stride[i]! + (w.kernelSize[i]! - 1) * w.dilation[i]! - before;
    if (before > 0 || last >= d) inside.push(`(u32(e${i}) < ${d}u)`);
    return `let e${i} = ${o[i]} * ${w.stride[i]} + ${k[i]} * ${w.dilation[i]} - ${before};`;
  });
  return { lines, at: size.map((_, i) => `e${i}`), inside: inside.join(" & ") || null };
}

/** The window, of so many, whose element `k` is element `y` of the input. */
export function windowOf(w: Kernel, counts: readonly number[], y: readonly string[], k: readonly string[]): Place {
  // As a u32 what lies before the first window is beyond the last.
  const lines = counts.flatMap((_, i) => [
    `let t${i} = u32(${y[i]} + ${w.padding[i]![0]} - ${k[i]} * ${w.dilation[i]});`,
    `let o${i} = i32(t${i}${w.stride[i] === 1 ? "" : ` / ${w.stride[i]}u`});`,
  ]);
  const inside = counts.flatMap((n, i) => [
    `(u32(o${i}) < ${n}u)`,
    ...(w.stride[i] === 1 ? [] : [`(t${i} % ${w.stride[i]}u == 0u)`]),
  ]);
  return { lines, at: counts.map((_, i) => `o${i}`), inside: inside.join(" & ") };
}

/** The element at an address, or 0 where a condition does not hold: without a branch, as an address outside is no error. */
export const orZero = (element: string, condition: string | null): string =>
  condition ? `select(0.0, ${element}, ${condition})` : element;

/** Loops over numbers below those of a shape, by names; `body` gets them. */
export function loops(shape: readonly number[], prefix: string, body: (at: readonly string[]) => readonly string[]) {
  const named = shape.map((n, i) => (n === 1 ? "0" : `${prefix}${i}`));
  const open = shape.flatMap((n, i) =>
    n === 1 ? [] : [`for (var ${named[i]} = 0; ${named[i]} < ${n}; ${named[i]}++) {`],
  );
  return [...open, ...body(named), ...open.map(() => "}")];
}

/** `lines` where a condition holds. */
export const where = (condition: string | null, lines: readonly string[]): readonly string[] =>
  condition ? [`if (${condition}) {`, ...lines, "}"] : ["{", ...lines, "}"];
