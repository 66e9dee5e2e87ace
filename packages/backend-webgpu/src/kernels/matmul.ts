// matmul: (B…, M, K) · (B…, K, N), any strides. Products with one or two rows or columns are reductions.

import { expr as ex, type MatmulAttrs, type Signature, sizeOf, type View } from "@nn/tensor";
import type { WgslCode, WgslKernel } from "../code.js";
import { product, strided } from "./product.js";
import { reduce } from "./reduce.js";

export const matmul: WgslKernel<MatmulAttrs> = {
  op: "matmul",
  fusesEpilogue: true,
  accepts: ({ ins: [a] }) => a!.dtype === "f32",
  emit(signature) {
    const [a, b] = signature.ins as [View, View];
    const [m, k] = a.shape.slice(-2) as [number, number];
    const n = b.shape.at(-1)!;
    const inOrder = signature.attrs.inOrder ?? false;
    if (Math.min(m, n) <= 2 && !inOrder) return dots(signature, a, b);
    const batches = a.shape.slice(0, -2);
    const { strides: as } = a;
    const { strides: bs } = b;
    return product({
      ...{ name: "matmul", signature, m, n, k, inOrder, batches: sizeOf(batches) },
      a: strided("in0", a, batches, m, as.at(-2)!, as.at(-1)!, k),
      b: strided("in1", b, batches, n, bs.at(-1)!, bs.at(-2)!, k),
    });
  },
};

/** As a reduction of the products: a workgroup for each result where there are many. */
function dots(signature: Signature<MatmulAttrs>, a: View, b: View): WgslCode {
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(-1)!;
  const shape = [...a.shape.slice(0, -2), m, n, k];
  const [ai, ak] = a.strides.slice(-2) as [number, number];
  const [bk, bj] = b.strides.slice(-2) as [number, number];
  const wide = (v: View, strides: number[]): View => ({
    ...v,
    shape,
    strides: [...v.strides.slice(0, -2), ...strides],
  });
  const code = reduce.emit({
    ...signature,
    ins: [wide(a, [ai, 0, ak]), wide(b, [0, bj, bk]), ...signature.ins.slice(2)],
    attrs: { of: "add", axes: [shape.length - 1], prologue: ex.call("mul", ex.input(0), ex.input(1)) },
  });
  return { ...code, name: "matmul" };
}
