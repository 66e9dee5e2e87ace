// @nn/testing (private): suites that more than one package runs.

export { allLayers, type LayerSample } from "./all-layers/index.js";
export { allOps, type Input, type Sample } from "./all-ops/index.js";
export { backends, wasmVariants } from "./backends.js";
export { type Program, programOf, programOfLayer, type Readings, readAll } from "./compare.js";
export { type ConformanceOptions, type Skip, testBackend } from "./conformance/conformance.js";
export type { GoldenCase, GoldenTensor } from "./golden/case.js";
export { parseFamily } from "./golden/parse.js";
export { compare, toleranceOf } from "./golden/rule.js";
export { describeReport, type Outcome, type Report, runCase, runFamily } from "./golden/runner.js";
export * as naive from "./naive.js";
export { chance, expectClose, expectSame, type Random, randomness } from "./random.js";
export { watched } from "./watched.js";
export { casesOf, overLimits, webgpuHere, whyNoWebgpu } from "./webgpu.js";
