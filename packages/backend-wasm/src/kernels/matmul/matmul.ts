// matmul: (B…, M, K) · (B…, K, N) with any strides, and a formula of the result. A matrix may live in panels of 8: a
// weight then needs no packing, and its gradient comes out as the weight lies.

import type { Layout, MatmulAttrs, Signature, View } from "@nn/tensor";
import type { WasmCode, WasmKernel } from "../../code.js";
import { gemm } from "./gemm.js";
import { gemv, MAX_ROWS } from "./gemv.js";
import { COLUMNS } from "./micro.js";
import { rows } from "./rows.js";

export const matmul: WasmKernel<MatmulAttrs> = {
  op: "matmul",
  fusesEpilogue: true,
  // Where there is nothing to multiply, the sum of nothing is the lowering's.
  accepts: ({ ins: [a, b] }) => [...a!.shape, ...b!.shape].every((d) => d > 0),
  alternatives({ ins: [a, b, ...extra], outs: [out] }) {
    const [m, n] = [a!.shape.at(-2)!, b!.shape.at(-1)!];
    const matrices = a!.shape.length === 2 && m > MAX_ROWS && n > MAX_ROWS;
    const columns = (v: View): Layout[] => (matrices && v.strides.every((s) => s !== 0) ? [panelsOf(v, 1)] : []);
    return {
      ins: [[], matrices ? [panelsOf(b!, 1), panelsOf(b!, 0)] : [], ...extra.map(columns)],
      outs: [columns(out!)],
    };
  },
  emit(signature) {
    const [, b, ...extra] = signature.layouts?.ins ?? [];
    const out = signature.layouts?.outs[0];
    const quick = signature.layouts ? null : signature.attrs.inOrder ? inOrder(signature) : gemv(signature);
    return (
      quick ??
      gemm(signature, {
        b: b ? (b.name.endsWith("columns") ? "columns" : "rows") : null,
        out: !!out,
        extra: extra.map((l) => !!l),
      })
    );
  },
};

/** A row gets the same bits as it does among many rows: those of `gemm`, or, with few columns, those of `gemv` the other way round. */
function inOrder(signature: Signature<MatmulAttrs>): WasmCode | null {
  return signature.outs[0]!.shape.at(-1)! <= MAX_ROWS ? gemv(signature, false) : rows(signature);
}

/**
 * A matrix (K, N) in panels of 8 of an axis, zeros behind its end. Of columns: [N/8][K][8], what the tiles read. Of rows:
 * [K/8][N][8], what the transpose of a matrix in panels of columns lies in.
 */
function panelsOf({ shape }: View, axis: 0 | 1): Layout {
  const count = Math.ceil(shape[axis]! / COLUMNS);
  return {
    name: `panels of 8 ${axis ? "columns" : "rows"}`,
    pad: shape.map((n, i) => [0, i === axis ? count * COLUMNS - n : 0]),
    split: shape.toSpliced(axis, 1, count, COLUMNS),
    order: axis ? [1, 0, 2] : [0, 2, 1],
  };
}
