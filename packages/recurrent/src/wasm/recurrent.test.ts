// Every kernel of the pack against its lowering and against the reference backend, over random sizes and options, with and
// without fused multiply-add; and proof that the kernels ran.

import { type WasmBackend, type WasmKernel, wasm } from "@nn/backend-wasm";
import {
  arange,
  type Backend,
  compile,
  getBackend,
  grad,
  manualSeed,
  randn,
  reference,
  setBackend,
  type Tensor,
  tensor,
  where,
  zeros,
} from "@nn/tensor";
import { expectClose, randomness, watched } from "@nn/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { GRU, LSTM, RNN } from "../index.js";
import { type Case, caseOf, GATES, inputsOf, kinds, run, STATES, scan } from "../loop-cases.js";
import { recurrentKernels as pack } from "./index.js";

/** The others have tests of their own. */
const recurrentKernels = pack.filter(({ op }) => op.includes("Loop"));

const before = getBackend();
let ran: string[] = [];
const nameOf = ({ op }: WasmKernel) => op.replace("recurrent/", "");
const kernels = watched(
  pack.filter(({ op }) => op.startsWith("recurrent/")),
  (k) => recurrentKernels.includes(k) && ran.push(nameOf(k)),
);
const others: Record<string, Backend> = { reference: reference() };
const packs: Record<string, WasmBackend> = {};

beforeAll(async () => {
  packs["fused multiply-add"] = await wasm({ kernels, threads: 1 });
  packs.plain = await wasm({ kernels, threads: 1, relaxed: false });
  others.lowering = await wasm({ threads: 1 });
});
beforeEach(() => {
  ran = [];
});
afterAll(() => setBackend(before));

const SIZES = { rows: 40, hidden: [140, 10], lengths: 35 } as const;

describe.each(["fused multiply-add", "plain"])("%s", (name) => {
  it.each(kinds)(
    "%s is what its lowering is, and so are its gradients, in random cases",
    { timeout: 120_000 },
    (kind) => {
      const random = randomness(kinds.indexOf(kind) + 1);
      const cases = name === "plain" ? 50 : 200; // the same code but for one instruction
      for (let i = 0; i < cases; i++) {
        const c = caseOf(random, kind, SIZES);
        compare(packs[name]!, () => run(c, i), JSON.stringify(c), i % 10 === 0);
      }
      // Each at the first call with its signature.
      expect(times(`${kind}Loop`)).toBeGreaterThan(0.9 * cases);
      if (kind !== "rnn") expect(times(`${kind}LoopSaving`)).toBeGreaterThan(0.9 * cases);
      expect(times(`${kind}LoopGrad`)).toBeGreaterThan(0.9 * cases);
    },
  );

  it.each([
    { steps: 3, rows: 75, hidden: 24 },
    { steps: 2, rows: 33, hidden: 130 },
    { steps: 2, rows: 1, hidden: 400 },
    { steps: 2, rows: 6, hidden: 401 },
  ])("is so in blocks of rows and steps of k: $rows rows, $hidden units", ({ steps, rows, hidden }) => {
    for (const kind of kinds)
      for (const lengths of [false, true])
        for (const reverse of [false, true]) {
          const c = { ...caseOf(randomness(1), kind, SIZES), steps, rows, hidden, lengths, reverse };
          compare(packs[name]!, () => run(c, 1), JSON.stringify(c));
        }
    expect(new Set(ran)).toEqual(new Set(recurrentKernels.map(nameOf)));
  });

  it("saturates as the lowering does, and keeps NaN in its row", () => {
    for (const kind of kinds) {
      const got = [packs[name]!, others.lowering!].map((backend) => {
        setBackend(backend);
        const values = [100, -100, Number.POSITIVE_INFINITY, Number.NaN, 1e-30, 0, -0, 3];
        const x = tensor(values).reshape([1, 8, 1]);
        const weights = { weightIh: tensor(new Array(16).fill(1)), weightHh: zeros([16, 4]) };
        const c = { kind, hidden: 4 } as Case;
        const gates = GATES[kind];
        const outs = scan({ ...c, bias: false, reverse: false, lengths: false } as Case, {
          x,
          states: STATES[kind].map(() => zeros([8, 4])),
          weightIh: weights.weightIh.slice([[0, 4 * gates]]).reshape([4 * gates, 1]),
          weightHh: weights.weightHh.slice([[0, 4 * gates]]),
        });
        return outs.map((t) => t.readSync().slice());
      });
      for (const [k, w] of got[1]!.entries()) expectClose(got[0]![k]!, w, `${kind} ${k}`);
    }
    expect(ran).toHaveLength(3);
  });
});

describe("the pack", () => {
  it("trains eagerly as compiled, and inference saves nothing", () => {
    setBackend(packs["fused multiply-add"]!);
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
    const seen = new Set(ran);
    expect(seen).toEqual(new Set(recurrentKernels.map(nameOf)));
    ran = [];
    const compiled = compile(step)(x);
    expect(new Set(ran)).toEqual(new Set([...seen].filter((n) => !/^(gru|lstm)Loop$/.test(n))));
    for (const [i, g] of eager.entries()) expectClose(compiled[i]!.readSync(), g.readSync(), `gradient ${i}`);
    ran = [];
    expectClose(compile(forward)(x).readSync(), quick.readSync(), "outputs");
    expect(new Set(ran)).toEqual(new Set(["rnnLoop", "gruLoop", "lstmLoop"]));
  });

  it("gives the same bits with any number of threads", async () => {
    const random = randomness(5);
    const backends = [packs["fused multiply-add"]!, await wasm({ kernels, threads: 2, parallelFrom: 0 })];
    for (let i = 0; i < 15; i++) {
      const c = { ...caseOf(random, kinds[i % 3]!, SIZES), rows: random(9, 70) };
      const [one, two] = backends.map((b) => {
        setBackend(b);
        return run(c, i).map((t) => t.readSync().slice());
      });
      expect(two).toEqual(one);
    }
    backends[1]!.dispose();
  });

  it("has gradients of gradients, by way of the lowering", () => {
    for (const kind of kinds) {
      const c: Case = { ...caseOf(randomness(7), kind, SIZES), steps: 3, rows: 2, input: 2, hidden: 4 };
      const twice = () => {
        manualSeed(1);
        const given = inputsOf(c);
        const list = [given.x, given.weightHh, ...given.states];
        const f = (...list: Tensor[]) =>
          grad(
            () =>
              grad(() => {
                const [x, weightHh, ...states] = list as [Tensor, Tensor, ...Tensor[]];
                return scan(c, { ...given, x, weightHh, states })
                  .map((t) => t.square().sum())
                  .reduce((a, b) => a.add(b));
              }, list)
                .map((g) => g.square().sum())
                .reduce((a, b) => a.add(b)),
            list,
          );
        return [...f(...list), ...compile(f)(...list)];
      };
      compare(packs["fused multiply-add"]!, twice, kind);
    }
    expect(times("lstmLoopSaving")).toBeGreaterThan(0);
  });

  it("skips what is past the ends, where there may be anything", () => {
    for (const kind of kinds)
      for (const reverse of [false, true]) {
        const c: Case = {
          ...caseOf(randomness(9), kind, SIZES),
          steps: 9,
          rows: 21,
          hidden: 12,
          lengths: true,
          reverse,
        };
        const [plain, odd] = [false, true].map((spoiled) => {
          setBackend(packs.plain!);
          manualSeed(3);
          const given = inputsOf(c);
          const inside = arange(c.steps).unsqueeze(1).lt(given.lengths!).unsqueeze(2);
          const x = spoiled ? where(inside, given.x, tensor(Number.NaN)) : given.x;
          const loss = () =>
            scan(c, { ...given, x })[0]!
              .square()
              .sum();
          return [...scan(c, { ...given, x }), ...grad(loss, [x, given.weightHh])].map((t) => t.readSync().slice());
        });
        for (const [i, w] of plain!.entries()) expectClose(odd![i]!, w, `${i} of ${kind}`);
      }
  });

  it("leaves to the lowering what it has no code for", () => {
    setBackend(packs.plain!);
    new LSTM(3, 8, { projSize: 2 }).forward(randn([4, 2, 3]));
    new RNN(3, 8).forward(zeros([4, 0, 3]));
    expect(ran).toEqual([]);
  });
});

// ───────────────────────────────────────────────────────────────────────────────────────────────────

const times = (name: string) => ran.filter((r) => r === name).length;

function compare(pack: Backend, run: () => readonly Tensor[], what: string, lowering = true): void {
  const results = [pack, others.reference!, ...(lowering ? [others.lowering!] : [])].map((backend) => {
    setBackend(backend);
    return run().map((t) => t.readSync().slice());
  });
  for (const want of results.slice(1))
    for (const [i, w] of want.entries()) expectClose(results[0]![i]!, w, `${i} of ${what}`);
}
