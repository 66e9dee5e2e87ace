/** Convolutions, forward: Conv2d with bias, not trained. */
import { Conv2d } from "@nn/conv";
import { compile, type Tensor } from "@nn/tensor";
import { uniform } from "../data.js";
import { gflops, reading, type Workload } from "../workload.js";

interface Geometry {
  readonly batch: number;
  readonly channels: readonly [into: number, out: number];
  /** Of the square input. */
  readonly size: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly groups?: number;
}

export const workloads: readonly Workload[] = [
  convolution("conv_a", { batch: 1, channels: [64, 64], size: 56, kernel: 3, padding: 1 }),
  convolution("conv_b", { batch: 8, channels: [16, 32], size: 28, kernel: 3, padding: 1 }),
  convolution("conv_c", { batch: 1, channels: [256, 256], size: 28, kernel: 1 }),
  convolution("conv_d", { batch: 1, channels: [128, 128], size: 56, kernel: 3, padding: 1, groups: 128 }),
  convolution("conv_e", { batch: 1, channels: [3, 64], size: 224, kernel: 7, stride: 2, padding: 3 }),
];

// ---------------------------------------------------------------------------------------------

function convolution(name: string, geometry: Geometry): Workload {
  const { batch, channels, size, kernel, stride = 1, padding = 0, groups = 1 } = geometry;
  const [into, out] = channels;
  const outputs = batch * out * (size / stride) ** 2;
  return {
    name,
    make() {
      const layer = new Conv2d(into, out, kernel, { stride, padding, groups }).eval();
      const x = uniform([batch, into, size, size]);
      const f = compile((x: Tensor) => layer.forward(x));
      return reading(() => f(x), gflops(2 * outputs * (into / groups) * kernel ** 2));
    },
  };
}
