// Where an element of strided views lies, as WGSL: coordinates from a running number, addresses from coordinates.

import { collapse, rowMajor, type View } from "@nn/tensor";

export interface Place {
  /** Lines that work out the coordinates that are needed. */
  readonly lines: readonly string[];
  /** For each view the address of the element, an i32. */
  readonly at: readonly string[];
  /** The coordinate along an axis of the views' own shape; only if asked for. */
  coordinate(axis: number): string;
}

/**
 * The element number `i` (a u32, row-major) of views of one shape.
 *
 * @param prefix of its names
 * @param indexed whether coordinates are asked for: then axes are not merged
 */
export function placeOf(
  views: readonly View[],
  shape: readonly number[],
  i: string,
  prefix: string,
  indexed = false,
): Place {
  const walk = indexed || views.length === 0 ? { shape, strides: views.map((v) => v.strides) } : collapse(views);
  const plain = rowMajor(walk.shape);
  const isPlain = (strides: readonly number[]) =>
    strides.every((s, axis) => s === plain[axis] || walk.shape[axis] === 1);
  const needed = walk.shape.map(
    (d, axis) => indexed || (d !== 1 && walk.strides.some((s) => s[axis] !== 0 && !isPlain(s))),
  );
  const lines: string[] = [];
  // From the last needed axis inwards; what lies behind it is divided away.
  let rest = i;
  let behind = 1;
  for (let axis = walk.shape.length - 1; axis >= 0; axis--) {
    const d = Math.max(1, walk.shape[axis]!);
    if (!needed[axis]) {
      behind *= d;
      continue;
    }
    if (behind > 1) {
      lines.push(`let ${prefix}r${axis} = ${rest} / ${behind}u;`);
      rest = `${prefix}r${axis}`;
    }
    lines.push(`let ${prefix}${axis} = i32(${outer(walk.shape, axis) > 1 ? `${rest} % ${d}u` : rest});`);
    behind = d;
  }
  const at = views.map((v, k) => {
    const strides = walk.strides[k]!;
    if (!indexed && isPlain(strides)) return sum(v.offset, walk.shape.length === 0 ? [] : [`i32(${i})`]);
    const terms = strides.flatMap((s, axis) =>
      s === 0 || walk.shape[axis] === 1 ? [] : [s === 1 ? `${prefix}${axis}` : `${prefix}${axis} * ${literal(s)}`],
    );
    return sum(v.offset, terms);
  });
  return { lines, at, coordinate: (axis) => `${prefix}${axis}` };
}

/** A sum of an offset and terms. */
export function sum(offset: number, terms: readonly string[]): string {
  if (terms.length === 0) return literal(offset);
  return offset === 0 ? terms.join(" + ") : [literal(offset), ...terms].join(" + ");
}

/** A whole number as an i32. */
export const literal = (v: number): string => (v < 0 ? `(${v})` : `${v}`);

/** Elements before one step along an axis. */
const outer = (shape: readonly number[], axis: number) => shape.slice(0, axis).reduce((n, d) => n * d, 1);
