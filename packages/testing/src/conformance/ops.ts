// Every function and layer, forward and backward, eager and compiled, against the reference backend. A backend that has
// only the floor passes through the lowerings; one with kernels of its own proves them here.

import {
  arange,
  bernoulli,
  getBackend,
  manualSeed,
  rand,
  randint,
  randn,
  reference,
  setBackend,
  type Tensor,
} from "@nn/tensor";
import { allLayers } from "../all-layers/index.js";
import { allOps, functionOf } from "../all-ops/index.js";
import { type Program, programOf, programOfLayer, type Readings, readAll } from "../compare.js";
import { type Bench, CLOSE, describe, expectSame } from "./harness.js";

export function opsAndLayers({ test }: Bench): void {
  /** Samples of one function or class are one test. */
  const grouped = <S extends { name: string }>(
    samples: readonly S[],
    program: (s: S) => Program,
    backward: (s: S) => boolean,
  ) => {
    for (const name of new Set(samples.map(functionOf))) {
      test(name, async () => {
        for (const s of samples.filter((t) => functionOf(t) === name))
          await compare(s.name, () => program(s), backward(s));
      });
    }
  };

  describe("functions", () => grouped(allOps, programOf, (s) => s.flat === undefined));
  describe("layers", () => grouped(allLayers, programOfLayer, () => true));

  describe("random numbers", () => {
    const draws: Record<string, { draw: () => Tensor; close: number }> = {
      rand: { draw: () => rand([1000]), close: 0 },
      randint: { draw: () => randint(-5, 100, [3, 50]), close: 0 },
      bernoulli: { draw: () => bernoulli(0.3, [500]), close: 0 },
      randn: { draw: () => randn([10, 50]), close: CLOSE },
    };
    for (const [name, { draw, close }] of Object.entries(draws)) {
      test(name, async () => {
        // The same bits everywhere, and again after the first draw.
        const twice = async () => {
          manualSeed(123456789);
          return [await draw().read(), await draw().read()];
        };
        const want = await onReference(twice);
        const got = await twice();
        for (const [i, data] of got.entries()) expectSame(data, want[i]!, `draw ${i}`, close);
      });
    }
    test("arange", async () => expectSame(await arange(3, 20, 4).read(), [3, 7, 11, 15, 19], "arange"));
  });
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

async function compare(what: string, make: () => Program, backward: boolean): Promise<void> {
  const want = await onReference(() => readAll(make(), { backward }));
  for (const compiled of [false, true]) {
    const got = await readAll(make(), { backward, compiled });
    for (const kind of ["outputs", "gradients"] as const satisfies readonly (keyof Readings)[]) {
      for (const [i, data] of got[kind].entries()) {
        expectSame(data, want[kind][i]!, `${what}, ${compiled ? "compiled" : "eager"}, ${kind} ${i}`, 2 * CLOSE);
      }
    }
  }
}

/** Runs `body` on a reference backend, and comes back. */
async function onReference<T>(body: () => Promise<T>): Promise<T> {
  const mine = getBackend();
  setBackend(known);
  try {
    return await body();
  } finally {
    setBackend(mine);
  }
}
const known = reference();
