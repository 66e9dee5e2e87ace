// The backend's own kernels: the floor, and the matrix product.

import type { WgslKernel } from "../code.js";
import { gather } from "./gather.js";
import { map } from "./map.js";
import { matmul } from "./matmul.js";
import { reduce } from "./reduce.js";
import { scatterAdd } from "./scatter-add.js";

export const webgpuKernels: readonly WgslKernel[] = [map, reduce, gather, scatterAdd, matmul];
