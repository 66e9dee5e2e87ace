import { Embedding, Linear } from "@nn/layers";
import {
  compile,
  indexSelect,
  manualSeed,
  memory,
  NNError,
  randn,
  stack,
  type Tensor,
  tensor,
  zeros,
} from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { LSTM } from "../lstm/lstm.js";
import { beamSearch, type DecodingStep, greedySearch } from "./beam-search.js";

beforeEach(() => manualSeed(1));

const EOS = 0;
type LogProbsAfter = (n: number, prefix: readonly number[]) => number[];

/**
 * A model whose logits depend on the sequence and on all tokens before: a state that mixes them up, so that a row that is
 * reordered wrongly says something else. V tokens.
 */
function model(V: number, N: number) {
  const [mix, out] = [randn([V, 5, 5]).mul(0.9), randn([5, V]).mul(2)];
  const first = randn([N, 5]);
  const step: DecodingStep<Tensor> = (state, token) => {
    const rows = indexSelect(mix, 0, token); // (R, 5, 5)
    const next = rows.matmul(state.unsqueeze(2)).squeeze(2).add(0.3).tanh();
    return { logits: next.matmul(out), state: next };
  };
  const logProbsAfter: LogProbsAfter = (n, prefix) => {
    let state = first.slice([[n, n + 1]]);
    let logits = zeros([1, V]);
    for (const token of [START, ...prefix]) ({ logits, state } = step(state, tensor(Int32Array.of(token))));
    return Array.from(logits.logSoftmax(-1).readSync());
  };
  return { step, first, logProbsAfter };
}
const START = 1;

/** All sequences up to a length, scored; the best first. */
function everything(after: LogProbsAfter, n: number, V: number, maxLength: number, alpha: number) {
  const found: { tokens: number[]; logProb: number; score: number; finished: boolean }[] = [];
  const add = (tokens: number[], logProb: number, length: number, finished: boolean) =>
    found.push({ tokens, logProb, score: logProb / ((5 + length) / 6) ** alpha, finished });
  const walk = (tokens: number[], logProb: number) => {
    if (tokens.length === maxLength) {
      add(tokens, logProb, maxLength, false);
      return;
    }
    after(n, tokens).forEach((p, token) => {
      if (token === EOS) add(tokens, logProb + p, tokens.length + 1, true);
      else walk([...tokens, token], logProb + p);
    });
  };
  walk([], 0);
  expect(V).toBeGreaterThan(1);
  return found.sort((a, b) => b.score - a.score);
}

describe("beamSearch", () => {
  it.each([0, 0.8, 2, -0.5])("with a wide beam finds the best of all sequences, α = %d", async (lengthPenalty) => {
    const [V, N, maxLength] = [3, 2, 4];
    const { step, first, logProbsAfter } = model(V, N);
    const options = { start: [START, START], eos: EOS, maxLength, beamWidth: 60, lengthPenalty };
    const results = await beamSearch(step, first, { ...options, nBest: 6 });
    for (let n = 0; n < N; n++) {
      const want = everything(logProbsAfter, n, V, maxLength, lengthPenalty).slice(0, 6);
      expect(results[n]!.map((h) => [h.tokens, h.finished])).toEqual(want.map((h) => [h.tokens, h.finished]));
      expect(results[n]!.map((h) => h.score)).toEqual(want.map((h) => expect.closeTo(h.score, 4)));
      expect(results[n]!.map((h) => h.logProb)).toEqual(want.map((h) => expect.closeTo(h.logProb, 4)));
    }
    expect((await beamSearch(step, first, options)).map(([h]) => h)).toEqual(results.map(([h]) => h));
  });

  it("with a narrow beam gives sequences the model gives these probabilities; wider is not worse", async () => {
    const [V, N] = [7, 3];
    const { step, first, logProbsAfter } = model(V, N);
    const at = async (beamWidth: number) =>
      beamSearch(step, first, { start: [1, 1, 1], eos: EOS, maxLength: 8, beamWidth, nBest: Math.min(beamWidth, 3) });
    const narrow = await at(3);
    for (const [n, list] of narrow.entries()) {
      expect(new Set(list.map((h) => h.tokens.join())).size).toBe(list.length);
      for (const h of list) {
        const whole = h.finished ? [...h.tokens, EOS] : h.tokens;
        const sum = whole.reduce((total, token, i) => total + logProbsAfter(n, whole.slice(0, i))[token]!, 0);
        expect(h.logProb).toBeCloseTo(sum, 3);
        expect(h.tokens.length).toBeLessThanOrEqual(h.finished ? 7 : 8);
      }
      expect(list.map((h) => h.score)).toEqual(list.map((h) => h.score).sort((a, b) => b - a));
    }
    const wide = await at(40);
    for (const [n, [h]] of wide.entries()) expect(h!.score).toBeGreaterThanOrEqual(narrow[n]![0]!.score - 1e-4);
  });

  it("moves any structure of states, on any axis, and gives memory back", async () => {
    const lstm = new LSTM(3, 4, { numLayers: 2 });
    const [embedding, head] = [new Embedding(6, 3), new Linear(4, 6)];
    head.weight.value = head.weight.value.mul(8);
    const encoded = randn([2, 5, 4]); // passed through untouched, rows on axis 0
    const start = { h: randn([2, 2, 4]), c: randn([2, 2, 4]) };
    const forward = (h: Tensor, c: Tensor, context: Tensor, token: Tensor) => {
      const x = embedding.forward(token).unsqueeze(0);
      const { output, h: h2, c: c2 } = lstm.forward(x, { h, c });
      return [head.forward(output.squeeze(0).add(context.mean(1))), h2, c2];
    };
    type State = { h: Tensor; c: Tensor; context: Tensor };
    const options = { start: [1, 2], eos: EOS, maxLength: 6, beamWidth: 4, lengthPenalty: 1 };
    const reorder = ({ h, c, context }: State, rows: Tensor) => ({
      h: indexSelect(h, 1, rows),
      c: indexSelect(c, 1, rows),
      context: indexSelect(context, 0, rows),
    });
    const stepOf = (f: typeof forward) => (s: State, token: Tensor) => {
      const [logits, h, c] = f(s.h, s.c, s.context, token) as [Tensor, Tensor, Tensor];
      return { logits, state: { h, c, context: s.context } };
    };
    const given = { ...start, context: encoded };
    const before = memory().tensors;
    const want = await beamSearch(stepOf(forward), given, { ...options, reorder });
    expect(memory().tensors).toBe(before);
    const step = compile(forward);
    expect(
      await beamSearch(
        stepOf((...xs) => step(...xs)),
        given,
        { ...options, reorder },
      ),
    ).toEqual(
      want.map(([h]) => [{ ...h, logProb: expect.closeTo(h!.logProb, 4), score: expect.closeTo(h!.score, 4) }]),
    );
    // Each sequence alone gives the same; without the other tensor, batchAxis is enough.
    for (const n of [0, 1]) {
      const rows = tensor(Int32Array.of(n));
      const alone = { h: indexSelect(start.h, 1, rows), c: indexSelect(start.c, 1, rows) };
      const context = encoded.slice([[n, n + 1]]).expand([4, 5, 4]);
      const step: DecodingStep<typeof alone> = (s, token) => {
        const [logits, h, c] = forward(s.h, s.c, context, token) as [Tensor, Tensor, Tensor];
        return { logits, state: { h, c } };
      };
      const [one] = await beamSearch(step, alone, { ...options, start: [options.start[n]!], batchAxis: 1 });
      expect(one!.map((h) => h.tokens)).toEqual(want[n]!.map((h) => h.tokens));
    }
    expect([encoded, start.h, start.c].every((t) => !t.disposed)).toBe(true);
  });

  it("stops as soon as nothing better can come, and sees always as many rows", async () => {
    const rows: number[] = [];
    const step: DecodingStep<null> = (_, token) => {
      rows.push(token.size);
      return { logits: tensor([3, 0, 0]).expand([token.size, 3]), state: null };
    };
    const [[h]] = (await beamSearch(step, null, { start: [1], eos: EOS, maxLength: 50, beamWidth: 2 })) as [[object]];
    expect(h).toMatchObject({ tokens: [], finished: true });
    expect(rows).toEqual([2]);
    const never: DecodingStep<null> = (_, token) => ({
      logits: tensor([-1e3, 1, 0]).expand([token.size, 3]),
      state: null,
    });
    const [two] = await beamSearch(never, null, { start: [1], eos: EOS, maxLength: 3, beamWidth: 2, nBest: 2 });
    expect(two!.map((h) => [h.tokens, h.finished])).toEqual([
      [[1, 1, 1], false],
      [[1, 1, 2], false],
    ]);
    expect(await beamSearch(never, null, { start: [], eos: EOS, maxLength: 3 })).toEqual([]);
  });

  it("names the fault", async () => {
    const step: DecodingStep<null> = () => ({ logits: zeros([1, 3]), state: null });
    const options = { start: [1], eos: EOS, maxLength: 3 };
    await expect(beamSearch(step, null, options)).rejects.toThrow(
      "beamSearch: expected logits (5, V) of every row, V > eos 0, got (1, 3)",
    );
    await expect(beamSearch(step, null, { ...options, maxLength: 0 })).rejects.toThrow("maxLength, a whole number ≥ 1");
    await expect(beamSearch(step, null, { ...options, nBest: 6 })).rejects.toThrow("nBest up to beamWidth 5, got 6");
    await expect(greedySearch(step, null, { ...options, eos: 3 })).rejects.toThrow("greedySearch: expected logits");
    await expect(greedySearch(step, null, { ...options, start: [-1] })).rejects.toThrow(NNError);
  });
});

describe("greedySearch", () => {
  it("takes the likeliest token at every step", async () => {
    const [V, N] = [6, 4];
    const { step, first, logProbsAfter } = model(V, N);
    const results = await greedySearch(step, first, { start: [1, 1, 1, 1], eos: EOS, maxLength: 7 });
    for (const [n, h] of results.entries()) {
      const tokens: number[] = [];
      let logProb = 0;
      while (tokens.length < 7) {
        const p = logProbsAfter(n, tokens);
        const best = p.indexOf(Math.max(...p));
        logProb += p[best]!;
        if (best === EOS) break;
        tokens.push(best);
      }
      expect(h.tokens).toEqual(tokens);
      expect(h.finished).toBe(tokens.length < 7);
      expect(h.logProb).toBeCloseTo(logProb, 4);
      expect(h.score).toBe(h.logProb);
    }
  });

  it("gives up where no token is possible", async () => {
    const none: DecodingStep<null> = (_, token) => ({
      logits: stack([token, token], 1).cast("f32").sub(Number.POSITIVE_INFINITY),
      state: null,
    });
    expect(await greedySearch(none, null, { start: [1], eos: EOS, maxLength: 3 })).toEqual([
      { tokens: [], logProb: 0, score: 0, finished: false },
    ]);
  });
});
