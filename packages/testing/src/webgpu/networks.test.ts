// Convolutions, pooling and recurrent networks of random shapes and options, forward and backward, eager and compiled,
// against the reference backend; on the backend alone, so that what runs are the lowerings. NN_CASES=2000 tries so many.

import type { WebgpuBackend } from "@nn/backend-webgpu";
import { conv, convTranspose, MaxPool2d } from "@nn/conv";
import { GRU, LSTM, RNN } from "@nn/recurrent";
import {
  compile,
  manualSeed,
  randn,
  reference,
  setBackend,
  type Tensor,
  type Variable,
  valueAndGrad,
} from "@nn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { casesOf, webgpuHere, whyNoWebgpu } from "../webgpu.js";

const missing = await whyNoWebgpu();
describe.skipIf(missing)(`random networks${missing ? ` (${missing})` : ""}`, () => {
  let backend: WebgpuBackend;
  const known = reference();
  beforeAll(async () => {
    backend = await webgpuHere();
  });
  afterAll(() => {
    setBackend(reference());
    backend.dispose();
  });

  interface Program {
    readonly shapes: readonly (readonly number[])[];
    readonly variables?: readonly Variable[];
    run(...xs: Tensor[]): Tensor;
  }

  /** The result and all gradients, on both backends. */
  const compare = async (make: () => Program, compiled: boolean) => {
    const readings = async () => {
      manualSeed(3);
      const { shapes, variables = [], run } = make();
      const xs = shapes.map((shape) => randn(shape));
      const f = (...given: Tensor[]): Tensor[] => {
        const [loss, grads] = valueAndGrad(
          () =>
            run(...given)
              .square()
              .mean(),
          [...given, ...variables],
        );
        return [loss, ...grads];
      };
      return await Promise.all((compiled ? compile(f) : f)(...xs).map((t) => t.read()));
    };
    setBackend(known);
    const want = await readings();
    setBackend(backend);
    const got = await readings();
    got.forEach((data, k) => {
      let [scale, worst] = [1e-3, 0];
      for (let i = 0; i < data.length; i++) {
        scale = Math.max(scale, Math.abs(want[k]![i]!));
        worst = Math.max(worst, Math.abs(data[i]! - want[k]![i]!));
      }
      expect(worst / scale, k === 0 ? "the loss" : `gradient ${k - 1}`).toBeLessThan(1e-5);
    });
  };

  const small = (least: number, most: number) => fc.integer({ min: least, max: most });
  const check = (property: fc.IAsyncProperty<unknown>) => fc.assert(property, { numRuns: casesOf(15), seed: 1 });

  it("convolutions", { timeout: 3_600_000 }, () =>
    check(
      fc.asyncProperty(
        fc.record({ n: small(1, 3), groups: small(1, 3), ci: small(1, 4), co: small(1, 6), size: small(5, 12) }),
        fc.record({ kernel: small(1, 3), stride: small(1, 3), padding: small(0, 2), dilation: small(1, 2) }),
        small(1, 2),
        fc.boolean(),
        fc.boolean(),
        async ({ n, groups, ci, co, size }, { kernel, ...options }, rank, turned, compiled) => {
          const spatial = (d: number) => Array.from({ length: rank }, () => d);
          const x = [n, groups * ci, ...spatial(size)];
          const weight = turned ? [groups * ci, co, ...spatial(kernel)] : [groups * co, ci, ...spatial(kernel)];
          const { padding, ...rest } = options;
          const run = (x: Tensor, w: Tensor, b: Tensor) =>
            turned ? convTranspose(x, w, b, { groups, ...rest }) : conv(x, w, b, { groups, padding, ...rest });
          await compare(() => ({ shapes: [x, weight, [groups * co]], run }), compiled);
        },
      ),
    ),
  );

  it("pooling", { timeout: 3_600_000 }, () =>
    check(
      fc.asyncProperty(
        small(2, 3),
        small(1, 3),
        small(0, 1),
        fc.boolean(),
        async (kernel, stride, padding, compiled) => {
          const pool = new MaxPool2d(kernel, { stride, padding });
          await compare(() => ({ shapes: [[2, 3, 9, 8]], run: (x) => pool.forward(x) }), compiled);
        },
      ),
    ),
  );

  it("recurrent networks", { timeout: 3_600_000 }, () =>
    check(
      fc.asyncProperty(
        fc.constantFrom(RNN, GRU, LSTM),
        fc.record({ rows: small(1, 4), steps: small(1, 5), features: small(1, 5), hidden: small(1, 7) }),
        fc.record({ numLayers: small(1, 2), bidirectional: fc.boolean(), bias: fc.boolean() }),
        fc.boolean(),
        fc.boolean(),
        async (Net, { rows, steps, features, hidden }, options, cut, compiled) => {
          await compare(() => {
            const net = new Net(features, hidden, options);
            const lengths = cut ? Array.from({ length: rows }, (_, i) => 1 + (i % steps)) : undefined;
            return {
              shapes: [[steps, rows, features]],
              variables: net.parameters(),
              run: (x) => net.forward(x, undefined, lengths ? { lengths } : {}).output,
            };
          }, compiled);
        },
      ),
    ),
  );
});
