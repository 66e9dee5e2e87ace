// @nn/backend-webgpu: the WebGPU backend is `webgpu`; all else is for those who write kernels (KERNELS.md).

export {
  type Binding,
  eachElement,
  grid,
  groupIndex,
  groupsOf,
  main,
  moduleText,
  reads,
  readsFours,
  typeOf,
  type WgslCode,
  type WgslKernel,
  type WgslPass,
  type WgslType,
  writes,
} from "./code.js";
export { f16, withF16 } from "./f16.js";
export { type Printed, printFormula, type Source } from "./formula.js";
export { type HostCopy, hostCopy, type Stateful } from "./host-copy.js";
export { finish, ownInputs } from "./kernels/epilogue.js";
export { webgpuKernels } from "./kernels/index.js";
export { type Operand, type Product, product, strided } from "./kernels/product.js";
export { type LineText, overLines } from "./kernels/softmax.js";
export { type Combine, together } from "./kernels/together.js";
export { textOf } from "./math.js";
export type { CompileProgress } from "./pipelines.js";
export { type SelfTestOptions, type SelfTestResult, selfTest } from "./self-test.js";
export { literal, type Place, placeOf, sum } from "./walk.js";
export { gpuBufferOf, type WebgpuBackend, type WebgpuOptions, webgpu } from "./webgpu.js";
