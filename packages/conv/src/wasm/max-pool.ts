// Max-pooling over windows of 2 × 2 that touch, and its gradient, in one pass each; four windows side by side are a
// vector.

import { type Func, f32x4, type Local, phase, v128, type WasmCode, type WasmKernel } from "@nn/backend-wasm";
import { isContiguous, type Signature, type View } from "@nn/tensor";
import type { PoolAttrs } from "../pool/windows.js";
import { finish } from "./finish.js";
import { cut, place } from "./planes.js";

export const maxPool: WasmKernel<PoolAttrs> = {
  op: "conv/maxPool",
  fusesEpilogue: true,
  accepts: ({ ins: [x], outs: [y], attrs }) => fits(attrs, y!, x!),
  emit: (signature) =>
    pool(signature, 1, (f, width, [x, y]) => {
      const [a, b, c, d] = quads(f, x!, width) as [Local, Local, Local, Local];
      // `pmax` is one instruction, and max many, but it loses NaN: all bits set is one, too.
      const most = f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d));
      const numbers = [a, b, c, d].map((v) => f32x4.eq(v, v)).reduce((u, v) => v128.and(u, v));
      f.store(y!, v128.or(most, v128.not(numbers)));
    }),
};

export const maxPoolGrad: WasmKernel<PoolAttrs> = {
  op: "conv/maxPoolGrad",
  fusesEpilogue: true,
  accepts: ({ ins: [ct, x, y], attrs }) => fits(attrs, y!, x!, ct!),
  emit: (signature) =>
    pool(signature, 3, (f, width, [ct, x, y, dx]) => {
      const most = f.let(v128.load(y!));
      const left = f.let(v128.load(ct!));
      // What is left of the gradient after an element has taken it, or not: all goes to the first not less.
      const taken = quads(f, x!, width).map((v) => {
        const less = f.let(f32x4.lt(v, most));
        const mine = f.let(v128.andnot(left, less));
        f.set(left, v128.and(left, less));
        return mine;
      });
      for (const i of [0, 2]) {
        const two = (lanes: readonly number[], x: number) =>
          f.store(dx!, v128.shuffle32(taken[i]!, taken[i + 1]!, lanes), 2 * i * width + x);
        two([0, 4, 1, 5], 0);
        two([2, 6, 3, 7], 16);
      }
    }),
};

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Rows of windows are no less than a vector. */
function fits({ kernelSize, stride, dilation, padding }: PoolAttrs, y: View, ...others: readonly View[]): boolean {
  const touching = kernelSize.every(
    (k, i) => k === 2 && stride[i] === 2 && dilation[i] === 1 && padding[i]!.every((p) => p === 0),
  );
  return touching && kernelSize.length === 2 && y.shape[3]! >= 4 && [y, ...others].every(isContiguous);
}

/** The elements of four windows, in the order of the window. */
function quads(f: Func, at: Local, width: number): Local[] {
  return [0, 4 * width].flatMap((row) => {
    const [low, high] = [f.let(v128.load(at, row)), f.let(v128.load(at, row + 16))];
    return [f.let(v128.shuffle32(low, high, [0, 2, 4, 6])), f.let(v128.shuffle32(low, high, [1, 3, 5, 7]))];
  });
}

/**
 * Parts are the channels of samples; `body` does four windows, given x's width and where these are in the op's own
 * inputs and in the output.
 */
function pool(
  signature: Signature<PoolAttrs>,
  inputs: number,
  body: (f: Func, width: number, at: readonly Local[]) => void,
): WasmCode {
  const views = [...signature.ins.slice(0, inputs), signature.outs[0]!];
  const sizes = views.map(({ shape }) => shape[2]! * shape[3]!);
  const widths = views.map(({ shape }) => shape[3]!);
  const [batch, channels] = views[0]!.shape as [number, number];
  const [across, width] = [Math.min(...widths), Math.max(...widths)];
  const down = Math.min(...sizes) / across;
  const name = "max pool";
  return {
    name,
    write: (m) => [
      phase(m, name, signature, batch * channels * Math.max(...sizes), (p) => {
        const { f } = p;
        f.for(p.from, p.to, 1, (part) => {
          const at = [...p.ins.slice(0, inputs), p.outs[0]!].map((base, i) =>
            place(f, base, [views[i]!.offset, 1], [part, sizes[i]!]),
          );
          // Last rows and columns that no window has.
          if (sizes.at(-1)! > 4 * across * down) f.zero(at.at(-1)!, 4 * sizes.at(-1)!);
          const step = (windows: number) => {
            for (const [i, q] of at.entries()) f.step(q, (widths[i] === across ? 4 : 8) * windows);
          };
          f.repeat(down, () => {
            f.repeat(across >> 2, () => {
              body(f, width, at);
              step(4);
            });
            // What is left of a row, with windows that were done before.
            if (across % 4 > 0) {
              step((across % 4) - 4);
              body(f, width, at);
              step(4);
            }
            for (const [i, q] of at.entries()) f.step(q, widths[i] === across ? 0 : 8 * (width - across));
          });
          finish(p, signature, 1, [...cut(f, part, channels)], signature.outs[0]!.shape[2]!);
        });
        return batch * channels;
      }),
    ],
  };
}
