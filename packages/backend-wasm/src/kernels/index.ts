// The kernels this backend brings: the floor, and matmul.

import type { WasmKernel } from "../code.js";
import { gather, scatterAdd } from "./index-axis.js";
import { map } from "./map.js";
import { matmul } from "./matmul/matmul.js";
import { reduce } from "./reduce.js";

export const wasmKernels: readonly WasmKernel[] = [map, reduce, gather, scatterAdd, matmul];
