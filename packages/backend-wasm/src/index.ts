// @nn/backend-wasm: the WebAssembly backend is `wasm`; all else is for those who write kernels (KERNELS.md).

export {
  elementAt,
  type Features,
  type Func,
  f32x4,
  f64x2,
  type Int,
  i32,
  i32x4,
  type Local,
  Module,
  type Value,
  v128,
} from "./build.js";
export { type Phase, type PhaseFunc, phase, phaseFunction, type WasmCode, type WasmKernel } from "./code.js";
export { I32, type Type, V128 } from "./encode.js";
export { costOf, elementwise, Formula, type Level, type Source } from "./formula.js";
export { eachPanel, gemm, K_BLOCK, type Panels } from "./kernels/matmul/gemm.js";
export { COLUMNS, loadFirst, type MicroShape, storeFirst, tilesOf, writeMicro } from "./kernels/matmul/micro.js";
export { type PanelShape, writePack } from "./kernels/matmul/pack.js";
export { scanKernel } from "./kernels/scan.js";
export { sortKernel } from "./kernels/sort.js";
export { folded, turned } from "./lanes.js";
export { blocks, loadElements, loops, type Operand, type Point, row, starts, storeElements } from "./walk.js";
export { type WasmBackend, type WasmOptions, wasm } from "./wasm.js";
