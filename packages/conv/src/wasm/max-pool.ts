// Max-pooling and its gradient in one pass each; four windows side by side are a vector. Windows of 2 × 2 that touch
// are read where they are, all others from padded planes.

import {
  type Func,
  f32x4,
  i32,
  type Local,
  loadFirst,
  type Phase,
  type PhaseFunc,
  phaseFunction,
  storeFirst,
  type Value,
  v128,
  type WasmKernel,
} from "@nn/backend-wasm";
import { isContiguous, type Signature, sizeOf, type View } from "@nn/tensor";
import type { PoolAttrs } from "../pool/windows.js";
import { finish } from "./finish.js";
import { as2d, clear, cut, type Planes, pair, place, planesOf, windowsOf, writeCopy } from "./planes.js";

export const maxPool: WasmKernel<PoolAttrs> = {
  op: "conv/maxPool",
  fusesEpilogue: true,
  accepts: ({ ins, outs, attrs }) => fits(attrs, ins[0]!, outs[0]!),
  emit(signature) {
    const [x, y] = [as2d(signature.ins[0]!), as2d(signature.outs[0]!)];
    const planes = planesFor(signature.attrs, x, y);
    const inPlace = areQuads(signature.attrs, x);
    return {
      name: `max pool ${planes.kernel.join("×")}`,
      scratch: inPlace ? 0 : 4 * planes.size,
      write(m) {
        const copy = inPlace ? null : writeCopy(m, planes);
        const p = phaseFunction(m, "max pool", signature);
        const { f } = p;
        if (copy) clear(f, p.scratch, planes.size, Number.NEGATIVE_INFINITY);
        return eachPlane(p, signature, (find) => {
          const [from, to] = [find(x, p.ins[0]!), find(y, p.outs[0]!)];
          if (copy) f.call(copy, from, p.scratch, 0);
          const windows: Walk = copy ? inPlanes(f, planes, p.scratch) : { at: from, row: 2 * x.strides[2]!, column: 2 };
          eachWindow(f, y, [windows, rowsOf(y, to)], (n, [a, c]) => {
            const all = copy ? planes.taps.map((t) => v128.load(a!, 4 * t)) : quads(f, x, a!, n);
            const best = f.let(all[0]!);
            for (const v of all.slice(1)) f.set(best, f32x4.max(best, v));
            storeFirst(f, n, c!, best, 0);
          });
        });
      },
    };
  },
};

export const maxPoolGrad: WasmKernel<PoolAttrs> = {
  op: "conv/maxPoolGrad",
  fusesEpilogue: true,
  accepts: ({ ins: [ct, x, y], outs, attrs }) => fits(attrs, x!, outs[0]!, ct!, y!),
  emit(signature) {
    const [ct, x, y, dx] = [...signature.ins.slice(0, 3), signature.outs[0]!].map(as2d) as [View, View, View, View];
    const { attrs } = signature;
    const planes = planesFor(attrs, x, y);
    const inPlace = areQuads(attrs, x);
    const whole = inPlace && y.shape.slice(2).every((n, i) => 2 * n === x.shape[2 + i]);
    const size = sizeOf(x.shape.slice(2));
    return {
      name: `max pool gradient ${planes.kernel.join("×")}`,
      // x, its gradient, and where there is no padding
      scratch: inPlace ? 0 : 3 * 4 * planes.size,
      write(m) {
        const [copy, back, mark] = inPlace
          ? []
          : [
              writeCopy(m, planes),
              writeCopy(m, { ...planes, source: dx }, true),
              writeCopy(m, { ...planes, source: { ...x, strides: [0, 0, 0, 0] } }),
            ];
        const p = phaseFunction(m, "max pool gradient", signature);
        const { f } = p;
        const bytes = 4 * planes.size;
        const sums = f.let(i32.add(p.scratch, bytes));
        if (mark) {
          const marks = f.let(i32.add(p.scratch, 2 * bytes));
          clear(f, marks, planes.size);
          f.store(sums, i32.const(-1));
          f.call(mark, sums, marks, 0);
          clear(f, p.scratch, planes.size, Number.NEGATIVE_INFINITY);
        }
        return eachPlane(p, signature, (find) => {
          const [from, to] = [find(x, p.ins[1]!), find(dx, p.outs[0]!)];
          const given = [rowsOf(y, find(y, p.ins[2]!)), rowsOf(ct, find(ct, p.ins[0]!))];
          if (!whole) f.zero(to, 4 * size);
          /** What is left of the gradient after an element has taken it, or not: all goes to the first not less. */
          const take = (left: Local, v: Value, best: Local, inside?: Value) => {
            const less = f.let(f32x4.lt(v, best));
            if (inside) f.set(less, v128.or(less, v128.not(inside)));
            const taken = f.let(v128.andnot(left, less));
            f.set(left, v128.and(left, less));
            return taken;
          };
          if (!copy) {
            const pairsOf = (v: View, at: Local): Walk => ({ at, row: 2 * v.strides[2]!, column: 2 });
            eachWindow(f, y, [pairsOf(x, from), pairsOf(dx, to), ...given], (n, [a, d, b, c]) => {
              const best = f.let(loadFirst(n, b!, 0));
              const left = f.let(loadFirst(n, c!, 0));
              const taken = quads(f, x, a!, n).map((v) => take(left, v, best));
              [0, 1].forEach((row) => {
                const [even, odd] = taken.slice(2 * row) as [Local, Local];
                for (let half = 0; 2 * half < n; half++) {
                  const lanes = half === 0 ? [0, 4, 1, 5] : [2, 6, 3, 7];
                  const v = f.let(v128.shuffle32(even, odd, lanes));
                  storeFirst(f, Math.min(4, 2 * n - 4 * half), d!, v, 4 * (row * dx.strides[2]! + 4 * half));
                }
              });
            });
            return;
          }
          f.call(copy, from, p.scratch, 0);
          f.zero(sums, bytes);
          eachWindow(f, y, [inPlanes(f, planes, p.scratch), ...given], (n, [a, b, c]) => {
            const best = f.let(loadFirst(n, b!, 0));
            const left = f.let(loadFirst(n, c!, 0));
            for (const t of planes.taps) {
              const taken = take(left, v128.load(a!, 4 * t), best, v128.load(a!, 4 * t + 2 * bytes));
              f.store(a!, f32x4.add(v128.load(a!, 4 * t + bytes), taken), 4 * t + bytes);
            }
          });
          f.call(back!, to, sums, 0);
        });
      },
    };
  },
};

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** The elements of a window become code one by one: not for windows of any size. */
const MOST = 64;

function fits({ kernelSize }: PoolAttrs, x: View, ...plain: View[]): boolean {
  const small = kernelSize.length <= 2 && sizeOf(kernelSize) <= MOST;
  return small && x.dtype === "f32" && sizeOf(plain[0]!.shape) > 0 && plain.every(isContiguous);
}

function planesFor(attrs: PoolAttrs, x: View, y: View): Planes {
  const [height, width] = y.shape.slice(2) as [number, number];
  const windows = windowsOf(attrs, pair(attrs.kernelSize, 1));
  return planesOf({ ...windows, source: x, channels: 1, out: [height, width] }, height, Math.ceil(width / 4) * 4);
}

/** Whether windows are 2 × 2, touch each other, and have no padding. */
function areQuads({ kernelSize, stride, dilation, padding }: PoolAttrs, x: View): boolean {
  const two = kernelSize.every(
    (k, i) => k === 2 && stride[i] === 2 && dilation[i] === 1 && padding[i]!.every((p) => p === 0),
  );
  return two && kernelSize.length === 2 && x.strides[3] === 1 && x.strides[2]! >= 0;
}

/** The elements of `n` ≤ 4 windows of 2 × 2, in the order of the window. */
function quads(f: Func, { strides }: View, at: Local, n: number): Value[] {
  return [0, 1].flatMap((row) => {
    const half = (h: number) => f.let(loadFirst(Math.min(4, 2 * n - 4 * h), at, 4 * (row * strides[2]! + 4 * h)));
    const low = half(0);
    const high = n > 2 ? half(1) : low;
    return [f.let(v128.shuffle32(low, high, [0, 2, 4, 6])), f.let(v128.shuffle32(low, high, [1, 3, 5, 7]))];
  });
}

/** A phase whose parts are the channels of samples; `place` is where the part's plane of a view begins. */
function eachPlane(
  p: PhaseFunc,
  signature: Signature<any>,
  body: (place: (v: View, base: Local) => Local) => void,
): Phase[] {
  const { f } = p;
  const out = as2d(signature.outs[0]!);
  const [batch, channels, height] = out.shape as [number, number, number];
  f.for(p.from, p.to, 1, (part) => {
    const [sample, channel] = cut(f, part, channels);
    body(({ offset, strides }, base) => place(f, base, [offset, 1], [sample, strides[0]!], [channel, strides[1]!]));
    finish(p, signature, { sample, channel, channels: 1, y: i32.const(0), rows: i32.const(height) });
  });
  return [{ run: f, parts: batch * channels, cost: Math.max(...[out, ...signature.ins].map((v) => sizeOf(v.shape))) }];
}

/** Something to walk along with windows: where it begins, and floats from window to window. */
interface Walk {
  readonly at: Local;
  readonly row: number;
  readonly column: number;
}

const rowsOf = (v: View, at: Local): Walk => ({ at, row: v.strides[2]!, column: 1 });
const inPlanes = (f: Func, { stride, pitch }: Planes, scratch: Local): Walk => ({
  at: f.let(scratch),
  row: stride[0] * pitch,
  column: 1,
});

/** All windows of a plane, four at a time, and those left in a row. */
function eachWindow(
  f: Func,
  { shape }: View,
  walks: readonly Walk[],
  body: (n: number, at: readonly Local[]) => void,
): void {
  const [height, width] = shape.slice(2) as [number, number];
  f.repeat(height, () => {
    const at = walks.map((w) => f.let(w.at));
    if (width >= 4)
      f.repeat(width >> 2, () => {
        body(4, at);
        for (const [i, q] of at.entries()) f.step(q, 16 * walks[i]!.column);
      });
    if (width % 4 > 0) body(width % 4, at);
    for (const w of walks) f.step(w.at, 4 * w.row);
  });
}
