/** A chain of pointwise ops over a million elements: y = tanh(a·b + c)·σ(d). */
import { compile, type Tensor } from "@nn/tensor";
import { uniform } from "../data.js";
import { gigabytes, reading, type Workload } from "../workload.js";

const N = 2 ** 20;

export const workloads: readonly Workload[] = [
  {
    name: "eltwise1M",
    make() {
      const [a, b, c, d] = [uniform([N]), uniform([N]), uniform([N]), uniform([N])];
      const f = compile((a: Tensor, b: Tensor, c: Tensor, d: Tensor) => a.mul(b).add(c).tanh().mul(d.sigmoid()));
      return reading(() => f(a, b, c, d), gigabytes(5 * 4 * N)); // four read, one written
    },
  },
];
