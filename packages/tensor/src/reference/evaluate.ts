// Evaluates a formula over strided inputs, a block at a time: one loop per step of the formula, so that the time goes
// into the loops and not into interpreting.

import { type Expr, linearize } from "../expr.js";
import { arrayOf, type Data, type DType, rowMajor, type View } from "../spec.js";
import { collapse } from "../view.js";
import { type Loop, loopOf } from "./loops.js";

/** Elements per block: a few registers of it stay in the first-level cache. */
export const BLOCK = 1024;

/** The memory of one tensor, seen as each dtype. */
export interface Words {
  readonly f32: Float32Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
}

export function wordsOf(w: Words, dtype: DType): Data {
  return dtype === "f32" ? w.f32 : dtype === "u32" ? w.u32 : w.i32;
}

/** Where elements lie, with as few axes as possible. */
export interface Walk {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** Walks of views of one shape, merged together. */
export function walksOf(views: readonly View[]): Walk[] {
  if (views.length === 0) return [];
  const { shape, strides } = collapse(views);
  return views.map((v, i) => ({ shape, strides: strides[i]!, offset: v.offset }));
}

/** Elements `start … start + n` of the formula, in row-major order; the block is overwritten by the next call. */
export type Evaluate = (start: number, n: number, into?: Data) => Data;

/**
 * Prepares a formula; give it the inputs' memory to get its evaluator.
 *
 * @param shape of the iteration; the views have it, too
 */
export function evaluator(
  expr: Expr,
  views: readonly View[],
  shape: readonly number[],
): (ins: readonly Words[]) => Evaluate {
  const steps = linearize(expr);
  const walks = walksOf(views);
  const inner = rowMajor(shape);
  const registers: Data[] = steps.map((s) => new (arrayOf(s.dtype))(BLOCK));
  const loops: (Loop | null)[] = steps.map((s) =>
    s.k === "call" && s.f !== "bitcast" ? loopOf(s, steps[s.f === "select" ? s.of[1]! : s.of[0]!]) : null,
  );
  for (const [i, s] of steps.entries()) if (s.k === "const") registers[i]!.fill(s.v);
  const last = steps.length - 1;

  return (ins) => {
    const sources = steps.map((s) => (s.k === "in" ? wordsOf(ins[s.v]!, s.dtype) : null));
    for (const [i, s] of steps.entries()) {
      const walk = walks[s.v];
      if (s.k === "in" && walk!.shape.every((_, a) => walk!.strides[a] === 0)) {
        registers[i] = new (arrayOf(s.dtype))(BLOCK).fill(sources[i]![walk!.offset] ?? 0);
      }
    }
    const used = registers.slice();
    return (start, n, into) => {
      for (let i = 0; i <= last; i++) {
        const s = steps[i]!;
        if (s.k === "in") {
          const walk = walks[s.v]!;
          const rank = walk.shape.length;
          if (rank === 0 || walk.strides.every((x) => x === 0)) continue;
          if (rank === 1 && walk.strides[0] === 1) {
            const at = walk.offset + start;
            used[i] = sources[i]!.subarray(at, at + n);
          } else load(registers[i]!, sources[i]!, walk, start, n);
        } else if (s.k === "index") {
          coordinates(registers[i]!, inner[s.v]!, shape[s.v]!, start, n);
        } else if (s.k === "call") {
          const a = used[s.of[0]!]!;
          if (s.f === "bitcast") {
            used[i] = new (arrayOf(s.dtype))(a.buffer as ArrayBuffer, a.byteOffset, a.length);
            continue;
          }
          const r = i === last && into ? into : registers[i]!;
          loops[i]!(r, a, used[s.of[1] ?? 0]!, used[s.of[2] ?? 0]!, n);
          used[i] = r;
        }
      }
      return used[last]!;
    };
  };
}

/** Gathers `n` elements of a walk into a block. */
function load(r: Data, from: Data, walk: Walk, start: number, n: number): void {
  runs(walk, start, n, (k, at, stride, count) => {
    if (stride === 1) for (let j = 0; j < count; j++) r[k + j] = from[at + j]!;
    else if (stride === 0) r.fill(from[at]!, k, k + count);
    else for (let j = 0; j < count; j++) r[k + j] = from[at + j * stride]!;
  });
}

/** Scatters a block to the places of a walk, or adds it there. */
export function store(to: Data, block: Data, walk: Walk, start: number, n: number, accumulate: boolean): void {
  runs(walk, start, n, (k, at, stride, count) => {
    if (accumulate) for (let j = 0; j < count; j++) to[at + j * stride]! += block[k + j]!;
    else for (let j = 0; j < count; j++) to[at + j * stride] = block[k + j]!;
  });
}

/** Cuts elements `start … start + n` of a walk into runs along its last axis. */
function runs(
  { shape, strides, offset }: Walk,
  start: number,
  n: number,
  run: (k: number, at: number, stride: number, count: number) => void,
): void {
  const last = shape.length - 1;
  if (last < 0) {
    if (n > 0) run(0, offset, 0, n);
    return;
  }
  const at = new Array<number>(shape.length);
  let position = offset;
  let rest = start;
  for (let d = last; d >= 0; d--) {
    at[d] = rest % shape[d]!;
    rest = (rest - at[d]!) / shape[d]!;
    position += at[d]! * strides[d]!;
  }
  const stride = strides[last]!;
  for (let k = 0; k < n; ) {
    const count = Math.min(shape[last]! - at[last]!, n - k);
    run(k, position, stride, count);
    k += count;
    position += count * stride;
    at[last]! += count;
    for (let d = last; d > 0 && at[d] === shape[d]; d--) {
      position += strides[d - 1]! - shape[d]! * strides[d]!;
      at[d] = 0;
      at[d - 1]!++;
    }
  }
}

/** The coordinate along one axis (of `size`, `inner` elements apart) of elements start … start + n. */
function coordinates(r: Data, inner: number, size: number, start: number, n: number): void {
  let left = inner - (start % inner);
  let c = Math.floor(start / inner) % size;
  for (let k = 0; k < n; k++) {
    r[k] = c;
    if (--left === 0) {
      left = inner;
      if (++c === size) c = 0;
    }
  }
}
