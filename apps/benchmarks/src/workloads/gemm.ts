/** Square matrix products of two plain tensors: y = a·b, (n, n). */
import { compile, matmul } from "@nn/tensor";
import { uniform } from "../data.js";
import { gflops, reading, type Workload } from "../workload.js";

/** So many follow each other on a GPU before one is read, so that its share of the peak is not that of waiting for the host. */
const QUEUED = 10;

const gpu: Pick<Workload, "backends" | "large"> = { backends: ["webgpu"], large: true };

export const workloads: readonly Workload[] = [
  ...[128, 256, 512, 1024].map((n) => product(n)),
  ...[2048, 4096].flatMap((n) => [
    { ...product(n), ...gpu },
    { ...product(n, QUEUED), name: `gemm${n}_queued`, ...gpu },
  ]),
];

// ---------------------------------------------------------------------------------------------

/** Of several, each is multiplied by b once more, and the last one is read. */
function product(n: number, times = 1): Workload {
  return {
    name: `gemm${n}`,
    make() {
      const [a, b] = [uniform([n, n]), uniform([n, n], Math.sqrt(3 / n))]; // y is as large as a
      const f = compile(matmul);
      const run = () => {
        let y = f(a, b);
        for (let i = 1; i < times; i++) {
          const next = f(y, b);
          y.dispose();
          y = next;
        }
        return y;
      };
      return reading(run, gflops(2 * n ** 3 * times));
    },
  };
}
