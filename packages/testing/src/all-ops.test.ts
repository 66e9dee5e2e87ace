// Every function and every layer: finite differences, eager against compiled, and that none is left out.

import * as conv from "@nn/conv";
import * as layers from "@nn/layers";
import * as recurrent from "@nn/recurrent";
import * as nn from "@nn/tensor";
import { cat, checkGradients, Module, manualSeed, reference, setBackend, type Tensor } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { allLayers, notSampled } from "./all-layers/index.js";
import { allOps, functionOf } from "./all-ops/index.js";
import { type Program, programOf, programOfLayer, readAll, SEED } from "./compare.js";
import { expectSame } from "./conformance/harness.js";

beforeEach(() => setBackend(reference()));

/** Finite differences in all f32 inputs and Variables, of all float outputs together. */
async function differences({ xs, variables, run }: Program, step = 0.01): Promise<number> {
  const floats = xs.filter((t) => t.dtype === "f32");
  const f = (...given: Tensor[]) => {
    manualSeed(SEED);
    let next = 0;
    const outputs = run(xs.map((t) => (t.dtype === "f32" ? given[next++]! : t)));
    return cat(outputs.filter((t) => t.dtype === "f32").map((t) => t.reshape([-1])));
  };
  return (await checkGradients(f, [...floats, ...variables], { step, samples: 24 })).maxError;
}

async function same(program: () => Program, backward: boolean): Promise<void> {
  const [eager, compiled] = [
    await readAll(program(), { backward }),
    await readAll(program(), { backward, compiled: true }),
  ];
  for (const kind of ["outputs", "gradients"] as const) {
    expect(compiled[kind].length).toBe(eager[kind].length);
    for (const [i, want] of eager[kind].entries()) expectSame(compiled[kind][i]!, want, `${kind} ${i}`, 2e-6);
  }
}

describe("functions", () => {
  it.each(allOps.filter((s) => s.flat === undefined).map((s) => [s.name, s] as const))(
    "%s: finite differences",
    async (_, s) => {
      expect(await differences(programOf(s))).toBeLessThan(2e-3);
    },
  );

  it.each(allOps.map((s) => [s.name, s] as const))("%s: eager and compiled agree", (_, s) =>
    same(() => programOf(s), s.flat === undefined),
  );

  it("are all here", () => {
    const sampled = new Set(allOps.map(functionOf));
    for (const packageOf of [nn, layers, conv, recurrent]) {
      const functions = Object.entries(packageOf)
        .filter(([, f]) => typeof f === "function" && !isClass(f))
        .map(([name]) => name);
      expect(functions.filter((name) => !sampled.has(name) && !(name in noOps))).toEqual([]);
    }
    expect([...sampled].filter((name) => ![nn, layers, conv, recurrent].some((p) => name in p))).toEqual([]);
    expect(
      Object.keys(noOps).filter((name) => sampled.has(name) || ![nn, layers, conv, recurrent].some((p) => name in p)),
    ).toEqual([]);
  });
});

describe("layers", () => {
  it.each(allLayers.map((s) => [s.name, s] as const))("%s: finite differences", async (_, s) => {
    expect(await differences(programOfLayer(s), s.step)).toBeLessThan(2e-3);
  });

  it.each(allLayers.map((s) => [s.name, s] as const))("%s: eager and compiled agree", (_, s) =>
    same(() => programOfLayer(s), true),
  );

  it("leave the same state behind, eager and compiled", async () => {
    for (const s of allLayers) {
      const states = [];
      for (const compiled of [false, true]) {
        const program = programOfLayer(s);
        await readAll(program, { compiled });
        const state = Object.entries(program.module.stateDict());
        states.push(
          await Promise.all(
            state.map(async ([name, t]) => [name, Array.from(await t.read(), (v) => v.toPrecision(5))]),
          ),
        );
      }
      expect(states[1], s.name).toEqual(states[0]);
    }
  });

  it("are all here", () => {
    const sampled = new Set(allLayers.map(functionOf));
    for (const packageOf of [layers, conv, recurrent]) {
      const modules = Object.entries(packageOf)
        .filter(([, c]) => typeof c === "function" && c.prototype instanceof Module)
        .map(([name]) => name);
      expect(modules.filter((name) => !sampled.has(name) && !(name in notSampled))).toEqual([]);
    }
  });
});

const isClass = (f: unknown): boolean => /^class\b/.test(Function.prototype.toString.call(f));

const [CREATES, DEFINES, RUNS, SEARCHES, VIEWS] = [
  "makes tensors of none",
  "defines or applies ops",
  "runs programs, and is not an op",
  "reads tensors and gives sequences",
  "calculates with shapes",
];

/** Exported functions that need no sample, and why. */
const noOps: Readonly<Record<string, string>> = {
  ...because(
    CREATES,
    "tensor fromTyped full zeros ones arange linspace eye rand randn randint manualSeed defaultGenerator uniformParameter",
  ),
  ...because(
    DEFINES,
    "apply apply1 defineOp pointwise unary unaryWith threefry fail insideModules modulePath show findKernel bytesOf",
  ),
  ...because(
    RUNS,
    "compile stepper untraced assume getBackend setBackend reference placeSlots mapStructure planBody countPlan keep scope memory readState writeState detectAnomalies checkGradients",
  ),
  ...because(
    RUNS,
    "countParameters freeze isFrozen unfreeze guarded onGradient registerForwardHook registerForwardPreHook registerFullBackwardPreHook updateBatchNorm",
  ),
  ...because(RUNS, "gradientNorms gateActivations carried stream resetStates"),
  ...because(SEARCHES, "greedySearch beamSearch ctcGreedySearch ctcBeamSearch"),
  ...because(
    VIEWS,
    "sizeOf rowMajor contiguousView isContiguous sameShape broadcast broadcastOrFail promote axisOf axesOf checkShape checkDType arrayOf",
  ),
  ...because(
    VIEWS,
    "permuteView inversePermutation expandView sliceView reshapeView windowView windowCount collapse convertLayout physicalSpec viewKey checkView outputSizes pooledSizes",
  ),
};

function because(reason: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(" ").map((name) => [name, reason]));
}
