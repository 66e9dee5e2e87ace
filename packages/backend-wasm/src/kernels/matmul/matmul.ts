// matmul: (B…, M, K) · (B…, K, N) with any strides, and a formula of the result. A matrix may live in panels of 8: a
// weight then needs no packing, and its gradient comes out as the weight lies.

import type { Layout, View } from "@nn/tensor";
import type { WasmKernel } from "../../code.js";
import { gemm } from "./gemm.js";
import { gemv, MAX_ROWS } from "./gemv.js";
import { COLUMNS } from "./micro.js";

export const matmul: WasmKernel<unknown> = {
  op: "matmul",
  fusesEpilogue: true,
  // Where there is nothing to multiply, the sum of nothing is the lowering's.
  accepts: ({ ins: [a, b] }) => [...a!.shape, ...b!.shape].every((d) => d > 0),
  alternatives({ ins: [a, b, ...extra], outs: [out] }) {
    const [m, n] = [a!.shape.at(-2)!, b!.shape.at(-1)!];
    const matrices = a!.shape.length === 2 && m > MAX_ROWS && n > MAX_ROWS;
    const columns = (v: View): Layout[] => (matrices && v.strides.every((s) => s !== 0) ? [columnPanels(v)] : []);
    return {
      ins: [[], matrices ? [columnPanels(b!), rowPanels(b!)] : [], ...extra.map(columns)],
      outs: [columns(out!)],
    };
  },
  emit(signature) {
    const [, b, ...extra] = signature.layouts?.ins ?? [];
    const out = signature.layouts?.outs[0];
    const quick = signature.layouts ? null : gemv(signature);
    return (
      quick ??
      gemm(signature, {
        b: b ? (b.name === COLUMN_PANELS ? "columns" : "rows") : null,
        out: !!out,
        extra: extra.map((l) => !!l),
      })
    );
  },
};

const COLUMN_PANELS = "panels of 8 columns";

/** (K, N) as [N/8][K][8], zeros behind the last column: what the tiles read. */
function columnPanels({ shape: [k, n] }: View): Layout {
  const panels = Math.ceil(n! / COLUMNS);
  return {
    name: COLUMN_PANELS,
    pad: [
      [0, 0],
      [0, panels * COLUMNS - n!],
    ],
    split: [k!, panels, COLUMNS],
    order: [1, 0, 2],
  };
}

/** (K, N) as [K/8][N][8]: what the transpose of a matrix in panels of 8 columns lies in. */
function rowPanels({ shape: [k, n] }: View): Layout {
  const panels = Math.ceil(k! / COLUMNS);
  return {
    name: "panels of 8 rows",
    pad: [
      [0, panels * COLUMNS - k!],
      [0, 0],
    ],
    split: [panels, COLUMNS, n!],
    order: [0, 2, 1],
  };
}
