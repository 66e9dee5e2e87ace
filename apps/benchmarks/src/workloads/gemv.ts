/** A matrix times one row, 1024 × 1024, with the matrix either way round in memory. The matrix is a weight. */
import { Linear } from "@nn/layers";
import { compile, type Tensor, Variable } from "@nn/tensor";
import { uniform } from "../data.js";
import { type Case, gflops, gigabytes, reading, type Workload } from "../workload.js";

const N = 1024;

export const workloads: readonly Workload[] = [
  {
    /** `nn.Linear` without bias: y = W·x, W (out, in): dot products of rows. */
    name: "gemv1024",
    make() {
      const linear = new Linear(N, N, { bias: false });
      return times((x) => linear.forward(x));
    },
  },
  {
    /** y = x·W, W (in, out): a sum of rows. */
    name: "gemv1024_t",
    make() {
      const w = new Variable(uniform([N, N], 1 / 32));
      return times((x) => x.matmul(w.value));
    },
  },
];

// ---------------------------------------------------------------------------------------------

function times(f: (x: Tensor) => Tensor): Case {
  const x = uniform([1, N]);
  const compiled = compile(f);
  const [flops, bytes] = [gflops(2 * N * N), gigabytes(4 * N * N)];
  return reading(
    () => compiled(x),
    (ms) => ({ ...flops(ms), ...bytes(ms) }),
  );
}
