// @nn/tensor: tensors, gradients, modules and compile, with the reference backend. What is exported here is public.

export { detectAnomalies } from "./anomalies.js";
export { apply, apply1 } from "./apply.js";
export type * from "./backend.js";
export { bytesOf, findKernel } from "./backend.js";
export { type CheckGradientsOptions, checkGradients } from "./check-gradients.js";
export { type Compiled, type CompileOptions, compile } from "./compile/compile.js";
export { type Keep, type Stepper, stepper } from "./compile/stepper.js";
export { getBackend, setBackend } from "./current.js";
export { type Failure, fail, insideModules, type Modules, modulePath, modulesNow, NNError, show } from "./errors.js";
export type { Expr, ExprStep, ScalarFn } from "./expr.js";
export { expr } from "./expr.js";
export { type CountParametersOptions, countParameters, freeze, isFrozen, unfreeze } from "./freeze.js";
export { customGradient, grad, stopGradient, valueAndGrad } from "./grad.js";
export { guarded } from "./guarded.js";
export {
  type BackwardPreHook,
  type ForwardHook,
  type ForwardPreHook,
  type HookHandle,
  onGradient,
  registerForwardHook,
  registerForwardPreHook,
  registerFullBackwardPreHook,
} from "./hooks.js";
export { convert as convertLayout, physicalSpec } from "./layout.js";
// With its methods: this export is what brings methods.ts in.
export { Tensor } from "./methods.js";
export { Module } from "./module.js";
export { type Assembly, defineOp, type OpDef, type Saved } from "./op.js";
export * from "./ops/activations.js";
export * from "./ops/creation.js";
export * from "./ops/cumulative.js";
export * from "./ops/indexing.js";
export * from "./ops/linalg.js";
export * from "./ops/movement.js";
export * from "./ops/pointwise.js";
export * from "./ops/random.js";
export * from "./ops/reductions.js";
export {
  assemble,
  gather as gatherPrimitive,
  map,
  reduce,
  scatterAdd as scatterAddPrimitive,
  strided,
} from "./primitives.js";
export { reference } from "./reference/reference.js";
export type { ScanBody } from "./scan/body.js";
export { type PlannedBody, planBody } from "./scan/plan.js";
export { type ScanAttrs, type ScanOptions, scan, scanOp } from "./scan/scan.js";
export { keep, scope } from "./scope.js";
export { placeSlots } from "./slots.js";
export * from "./spec.js";
export { type LoadReport, readState, type StateDict, writeState } from "./state.js";
export { countPlan, type Memory, memory } from "./storage.js";
export { mapStructure } from "./structure.js";
export { assume, untraced } from "./untraced.js";
export { type HeldValue, Variable } from "./variable.js";
export * from "./view.js";
