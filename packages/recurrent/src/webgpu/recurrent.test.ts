// Every kernel of the pack against the ops' lowerings on the reference backend, over random sizes and options; and proof
// that the kernels ran. NN_CASES=2000 tries so many cases of each.

import type { WebgpuBackend } from "@nn/backend-webgpu";
import {
  compile,
  getBackend,
  grad,
  manualSeed,
  randn,
  reference,
  setBackend,
  type Tensor,
  tensor,
  zeros,
} from "@nn/tensor";
import { casesOf, expectClose, expectSame, randomness, watched, webgpuHere, whyNoWebgpu } from "@nn/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { GRU, LSTM, RNN } from "../index.js";
import { caseOf, GATES, kinds, run, STATES, scan } from "../loop-cases.js";
import { recurrentKernels } from "./index.js";

const before = getBackend();
const known = reference();
let ran: { name: string; passes: number }[] = [];
const times = (name: string) => ran.filter((r) => r.name === name).length;
const SIZES = { rows: 140, hidden: [100, 20], lengths: 40 } as const;
/** The first sizes whose W_hh does not go into one dispatch. */
const LARGE = { rnn: 363, gru: 210, lstm: 182 };
const all = recurrentKernels.map(({ op }) => op.replace("recurrent/", ""));

const missing = await whyNoWebgpu();
describe.skipIf(missing)(`recurrent networks on webgpu${missing ? ` (${missing})` : ""}`, () => {
  let backend: WebgpuBackend;
  beforeAll(async () => {
    const kernels = watched(recurrentKernels, ({ op }, { passes }) => {
      ran.push({ name: op.replace("recurrent/", ""), passes: passes.length });
    });
    backend = await webgpuHere({ kernels });
  });
  beforeEach(() => {
    ran = [];
  });
  afterAll(() => {
    setBackend(before);
    backend.dispose();
  });

  it.each(kinds)("%s and its gradients in random cases", { timeout: 3_600_000 }, async (kind) => {
    const random = randomness(kinds.indexOf(kind) + 1);
    const cases = casesOf(8);
    for (let i = 0; i < cases; i++) {
      const c = caseOf(random, kind, SIZES);
      await expectSame(JSON.stringify(c), [backend, known], () => run(c, i));
    }
    expect(times(`${kind}Loop`)).toBeGreaterThan(0.9 * cases);
    if (kind !== "rnn") expect(times(`${kind}LoopSaving`)).toBeGreaterThan(0.9 * cases);
    expect(times(`${kind}LoopGrad`)).toBeGreaterThan(0.9 * cases);
  });

  it.each([
    { steps: 3, rows: 130, hidden: 9, way: "four rows together, W_hh in registers" },
    { steps: 2, rows: 65, hidden: 70, way: "two rows together" },
    { steps: 3, rows: 13, hidden: LARGE, way: "a dispatch per step" },
    { steps: 2, rows: 4, hidden: LARGE, way: "the same, few rows" },
    { steps: 2, rows: 1, hidden: LARGE, way: "the same, one row" },
  ])("are the same $way: $rows rows", { timeout: 120_000 }, async ({ steps, rows, hidden }) => {
    for (const [i, kind] of kinds.entries()) {
      const size = typeof hidden === "number" ? hidden : hidden[kind];
      const c = {
        ...caseOf(randomness(1), kind, SIZES),
        steps,
        rows,
        hidden: size,
        lengths: rows !== 4,
        reverse: i === rows % 2,
      };
      await expectSame(JSON.stringify(c), [backend, known], () => run(c, 1));
    }
    expect(new Set(ran.map(({ name }) => name))).toEqual(new Set(all));
    for (const { name, passes } of ran)
      if (hidden === LARGE) expect(passes, name).toBe(steps + (name.endsWith("Grad") ? 3 : 2));
      else expect(passes, name).toBeLessThanOrEqual(4);
  });

  it("saturate as the lowering does, and keep NaN in its row", async () => {
    for (const kind of kinds)
      await expectSame(kind, [backend, known], () => {
        const x = tensor([100, -100, Number.POSITIVE_INFINITY, Number.NaN, 1e-30, 0, -0, 3]).reshape([1, 8, 1]);
        const gates = GATES[kind];
        const c = { ...caseOf(randomness(1), kind, SIZES), hidden: 4, bias: false, reverse: false, lengths: false };
        return scan(c, {
          x,
          states: STATES[kind].map(() => zeros([8, 4])),
          weightIh: tensor(new Array(4 * gates).fill(1)).reshape([4 * gates, 1]),
          weightHh: zeros([4 * gates, 4]),
        });
      });
    expect(ran).toHaveLength(3);
  });

  it("train eagerly as compiled, and inference saves nothing", async () => {
    setBackend(backend);
    manualSeed(1);
    const layers = [new RNN(3, 8), new GRU(8, 12, { numLayers: 2 }), new LSTM(12, 9, { bidirectional: true })];
    const forward = (x: Tensor) => layers.reduce((x, layer) => layer.forward(x).output, x);
    const step = (x: Tensor) =>
      grad(
        () => forward(x).square().mean(),
        layers.flatMap((l) => l.parameters()),
      );
    const x = randn([7, 5, 3]);
    const [eager, quick] = [step(x), forward(x)];
    expect(new Set(ran.map(({ name }) => name))).toEqual(new Set(all));
    ran = [];
    const compiled = compile(step)(x);
    const names = () => new Set(ran.map(({ name }) => name));
    expect(names()).toEqual(new Set(all.filter((n) => !/^(gru|lstm)Loop$/.test(n))));
    for (const [i, g] of eager.entries()) expectClose(await compiled[i]!.read(), await g.read(), `gradient ${i}`);
    ran = [];
    expectClose(await compile(forward)(x).read(), await quick.read(), "outputs");
    expect(names()).toEqual(new Set(["rnnLoop", "gruLoop", "lstmLoop"]));
  });
});
