// Every kernel of the pack against the ops' lowerings on the reference backend, over random sizes and options; and proof
// that the kernels ran. NN_CASES=2000 tries so many cases of each.

import type { WebgpuBackend } from "@nn/backend-webgpu";
import {
  compile,
  flip,
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
import { casesOf, webgpuHere, whyNoWebgpu } from "@nn/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { GRU, gruScan, LSTM, lstmScan, RNN, rnnScan, type ScanInputs } from "../index.js";
import { recurrentKernels } from "./index.js";

const before = getBackend();
const known = reference();
let ran: { name: string; passes: number }[] = [];
const times = (name: string) => ran.filter((r) => r.name === name).length;
const kinds = ["rnn", "gru", "lstm"] as const;
/** The first sizes whose W_hh does not go into one dispatch. */
const LARGE = { rnn: 363, gru: 210, lstm: 182 };
const all = recurrentKernels.map(({ op }) => op.replace("recurrent/", ""));

const missing = await whyNoWebgpu();
describe.skipIf(missing)(`recurrent networks on webgpu${missing ? ` (${missing})` : ""}`, () => {
  let backend: WebgpuBackend;
  beforeAll(async () => {
    const kernels = recurrentKernels.map((k) => ({
      ...k,
      emit(signature: never) {
        const code = k.emit(signature);
        ran.push({ name: k.op.replace("recurrent/", ""), passes: code.passes.length });
        return code;
      },
    }));
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
      const c = caseOf(random, kind);
      await compare(backend, JSON.stringify(c), () => run(c, i));
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
        ...caseOf(randomness(1), kind),
        steps,
        rows,
        hidden: size,
        lengths: rows !== 4,
        reverse: i === rows % 2,
      };
      await compare(backend, JSON.stringify(c), () => run(c, 1));
    }
    expect(new Set(ran.map(({ name }) => name))).toEqual(new Set(all));
    for (const { name, passes } of ran)
      if (hidden === LARGE) expect(passes, name).toBe(steps + (name.endsWith("Grad") ? 3 : 2));
      else expect(passes, name).toBeLessThanOrEqual(4);
  });

  it("saturate as the lowering does, and keep NaN in its row", async () => {
    for (const kind of kinds)
      await compare(backend, kind, () => {
        const x = tensor([100, -100, Number.POSITIVE_INFINITY, Number.NaN, 1e-30, 0, -0, 3]).reshape([1, 8, 1]);
        const gates = GATES[kind];
        const c = { ...caseOf(randomness(1), kind), hidden: 4, bias: false, reverse: false, lengths: false };
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
    for (const [i, g] of eager.entries()) close(await compiled[i]!.read(), await g.read(), `gradient ${i}`);
    ran = [];
    close(await compile(forward)(x).read(), await quick.read(), "outputs");
    expect(names()).toEqual(new Set(["rnnLoop", "gruLoop", "lstmLoop"]));
  });
});

// ── cases ──────────────────────────────────────────────────────────────────────────────────────────

type Kind = (typeof kinds)[number];
const GATES = { rnn: 1, gru: 3, lstm: 4 };
const STATES = { rnn: ["h"], gru: ["h"], lstm: ["h", "c"] };

type Random = (least: number, most: number) => number;

function randomness(seed: number): Random {
  let state = seed;
  return (least, most) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return least + Math.floor((state / 2 ** 32) * (most - least + 1));
  };
}

function caseOf(random: Random, kind: Kind) {
  const chance = (percent: number) => random(1, 100) <= percent;
  return {
    kind,
    steps: random(1, 7),
    rows: random(1, chance(20) ? 140 : 9),
    input: random(1, 5),
    hidden: random(1, chance(20) ? 100 : 20),
    bias: chance(60),
    reverse: chance(40),
    nonlinearity: chance(50) ? ("tanh" as const) : ("relu" as const),
    /** States that are zeros, or seen backwards. */
    states: (["given", "zeros", "flipped"] as const)[random(0, 2)]!,
    lengths: chance(40),
    /** Which outputs count. */
    wanted: random(1, 7),
  };
}
type Case = ReturnType<typeof caseOf>;

function inputsOf({ kind, steps, rows, input, hidden, bias, states, lengths }: Case): ScanInputs<Tensor> {
  const wide = GATES[kind] * hidden;
  const vector = () => (bias ? randn([wide]).mul(0.3) : undefined);
  return {
    x: randn([steps, rows, input]),
    states: STATES[kind].map(() =>
      states === "zeros"
        ? zeros([rows, hidden])
        : states === "flipped"
          ? flip(randn([rows, hidden]), 0)
          : randn([rows, hidden]),
    ),
    weightIh: randn([wide, input]).mul(0.5),
    weightHh: randn([wide, hidden]).mul(1 / Math.sqrt(hidden)),
    biasIh: vector(),
    biasHh: vector(),
    lengths: lengths
      ? tensor(
          Array.from({ length: rows }, (_, i) => (7 * i + 3 * hidden + (i >> 2)) % (steps + 1)),
          { dtype: "i32" },
        )
      : undefined,
  };
}

function scan({ kind, bias, reverse, lengths, nonlinearity }: Case, given: ScanInputs<Tensor>): readonly Tensor[] {
  const attrs = { bias, reverse, lengths };
  if (kind === "rnn") return rnnScan(given, { ...attrs, nonlinearity });
  return kind === "gru" ? gruScan(given, attrs) : lstmScan(given, { ...attrs, projection: false });
}

/** The outputs, and the gradients of all inputs. */
function run(c: Case, seed: number): readonly Tensor[] {
  manualSeed(seed);
  const given = inputsOf(c);
  const outs = scan(c, given);
  const cts = outs.map((t) => randn(t.shape));
  const wrt = [given.x, ...given.states, given.weightIh, given.weightHh, given.biasIh, given.biasHh].filter(
    (t) => t !== undefined,
  );
  const loss = () =>
    scan(c, given)
      .flatMap((t, k) => (k === 0 || c.wanted & (1 << k) ? [t.mul(cts[k]!).sum()] : []))
      .reduce((a, b) => a.add(b));
  return [...outs, ...grad(loss, wrt)];
}

async function compare(backend: WebgpuBackend, what: string, run: () => readonly Tensor[]): Promise<void> {
  const results: (readonly ArrayLike<number>[])[] = [];
  for (const b of [known, backend]) {
    setBackend(b);
    results.push(await Promise.all(run().map((t) => t.read())));
  }
  const [want, got] = results as [readonly ArrayLike<number>[], readonly ArrayLike<number>[]];
  for (const [i, w] of want.entries()) close(got[i]!, w, `${i} of ${what}`);
}

function close(got: ArrayLike<number>, want: ArrayLike<number>, what: string): void {
  expect(got.length).toBe(want.length);
  let scale = 1;
  for (let i = 0; i < want.length; i++) if (Number.isFinite(want[i]!)) scale = Math.max(scale, Math.abs(want[i]!));
  for (let i = 0; i < want.length; i++)
    if (!(Object.is(got[i], want[i]) || Math.abs(got[i]! - want[i]!) <= 2e-5 * scale))
      expect.fail(`${what}: at ${i} expected ${want[i]}, got ${got[i]}`);
}
