/** Square matrix products of two plain tensors: y = a·b, (n, n). */
import { compile, matmul } from "@nn/tensor";
import { uniform } from "../data.js";
import { gflops, reading, type Workload } from "../workload.js";

export const workloads: readonly Workload[] = [product(128), product(256), product(512), product(1024)];

// ---------------------------------------------------------------------------------------------

function product(n: number): Workload {
  return {
    name: `gemm${n}`,
    make() {
      const [a, b] = [uniform([n, n]), uniform([n, n])];
      const f = compile(matmul);
      return reading(() => f(a, b), gflops(2 * n ** 3));
    },
  };
}
