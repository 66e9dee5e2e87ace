// The backend's own kernels: the floor, the matrix product, and softmax.

import type { WgslKernel } from "../code.js";
import { gather } from "./gather.js";
import { map } from "./map.js";
import { matmul } from "./matmul.js";
import { reduce } from "./reduce.js";
import { scatterAdd } from "./scatter-add.js";
import { logSoftmax, softmax } from "./softmax.js";

export const webgpuKernels: readonly WgslKernel[] = [map, reduce, gather, scatterAdd, matmul, softmax, logSoftmax];
