/**
 * The matrix product's microkernel alone, on panels that stay in the first-level cache: what the whole product can at
 * best reach. K = 256, 16 panels of B, as in the control.
 */
import { I32, type Local, phaseFunction, tilesOf, type WasmKernel, writeMicro } from "@nn/backend-wasm";
import { apply1, defineOp, getBackend, type OpDef } from "@nn/tensor";
import { uniform } from "../data.js";
import { gflops, reading, type Workload } from "../workload.js";

const K = 256;
const COLUMNS = 8;
const PANELS = 2;
const TIMES = 256;
/** Enough for a tile of any height. */
const ROWS = 6;

const peakOp: OpDef<object> = defineOp({
  name: "benchmarks/peak",
  infer: () => [{ shape: [ROWS, COLUMNS], dtype: "f32" }],
});

/** Runs the highest tile `TIMES` times over each panel; the rows that it has not stay as they are. */
export const peakKernel: WasmKernel = {
  op: peakOp.name,
  emit: (signature) => ({
    name: "peak",
    write(m) {
      const rows = tilesOf(60, m.features)[0]!;
      const micro = writeMicro(m, {
        rows,
        columns: COLUMNS,
        rowStride: 1,
        kStride: rows,
        ldc: COLUMNS,
        continues: false,
      });
      const { f, ins, outs } = phaseFunction(m, "peak", signature);
      const [a, b] = ins as readonly [Local, Local];
      f.for(0, TIMES, 1, () => {
        const panel = f.local(I32);
        f.set(panel, b);
        f.repeat(PANELS, () => {
          f.call(micro, a, panel, outs[0]!, K, 0);
          f.step(panel, 4 * K * COLUMNS);
        });
      });
      return [{ run: f, parts: 1, cost: 1 }];
    },
  }),
};

export const workloads: readonly Workload[] = [
  {
    name: "gemm_peak",
    backends: ["wasm"],
    make() {
      const [a, b] = [uniform([K, ROWS]), uniform([PANELS, K, COLUMNS])];
      const { relaxed } = (getBackend() as unknown as { features: { relaxed: boolean } }).features;
      const rows = relaxed ? ROWS : 4;
      return reading(() => apply1(peakOp, [a, b], {}), gflops(2 * rows * COLUMNS * K * PANELS * TIMES));
    },
  },
];
