import { compile, Generator, manualSeed, NNError, randn, type Tensor, tensor, zeros } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { type SampleOptions, sample } from "./sample.js";

beforeEach(() => manualSeed(1));
const list = (t: Tensor) => Array.from(t.readSync());

/** How often each class is drawn from logits, in `n` draws. */
function counts(logits: readonly number[], n: number, options: SampleOptions = {}): number[] {
  const drawn = list(sample(tensor([...logits]).expand([n, logits.length]), options));
  const found = logits.map(() => 0);
  for (const c of drawn) found[c]!++;
  return found;
}

/** Pearson's χ² of counts against probabilities; classes of probability 0 must not occur. */
function chiSquare(found: readonly number[], p: readonly number[]): number {
  const n = found.reduce((a, b) => a + b);
  return found.reduce((sum, c, i) => {
    if (p[i] === 0) expect(c).toBe(0);
    return p[i] === 0 ? sum : sum + (c - n * p[i]!) ** 2 / (n * p[i]!);
  }, 0);
}
const normal = (w: readonly number[]) => w.map((v) => v / w.reduce((a, b) => a + b));

describe("sample", () => {
  const p = [0.05, 0.4, 0.1, 0.3, 0.15, 0];
  const logits = p.map(Math.log);
  const N = 20_000;

  it.each<[string, SampleOptions, readonly number[]]>([
    ["the distribution", {}, p],
    ["temperature 0.5", { temperature: 0.5 }, normal(p.map((v) => v * v))],
    ["temperature 2", { temperature: 2 }, normal(p.map(Math.sqrt))],
    ["topK 3", { topK: 3 }, normal([0, 0.4, 0, 0.3, 0.15, 0])],
    ["topK above the number of classes", { topK: 9 }, p],
    ["topP 0.71", { topP: 0.71 }, normal([0, 0.4, 0, 0.3, 0.15, 0])],
    ["topP 0.69", { topP: 0.69 }, normal([0, 0.4, 0, 0.3, 0, 0])],
    ["topK, then topP of what is left", { topK: 3, topP: 0.8 }, normal([0, 0.4, 0, 0.3, 0, 0])],
    ["temperature, then topP", { temperature: 0.5, topP: 0.55 }, [0, 1, 0, 0, 0, 0]],
  ])("draws from %s", (_, options, want) => {
    // 16.7 and less in 99.5 % of all cases with 5 degrees of freedom; the draws are always the same.
    expect(chiSquare(counts(logits, N, options), want)).toBeLessThan(16.7);
  });

  it("draws rows independently, and the next time others", () => {
    const rows = zeros([5000, 2]);
    const [a, b] = [list(sample(rows)), list(sample(rows))];
    expect(a).not.toEqual(b);
    const pairs = [0, 0, 0, 0];
    for (let i = 0; i < a.length; i += 2) pairs[2 * a[i]! + a[i + 1]!]!++;
    expect(chiSquare(pairs, [0.25, 0.25, 0.25, 0.25])).toBeLessThan(12.8);
  });

  it("has no chance in it where one class is left", () => {
    const x = randn([3, 4, 7]);
    const best = list(x.argmax(-1));
    for (const options of [{ temperature: 0 }, { topK: 1 }, { topP: 1e-6 }, { temperature: 1e-6 }]) {
      expect(sample(x, options).shape).toEqual([3, 4]);
      expect(sample(x, options).dtype).toBe("i32");
      expect(list(sample(x, options))).toEqual(best);
    }
    const one = [Number.NEGATIVE_INFINITY, 0, Number.NEGATIVE_INFINITY];
    expect(counts(one, 2000)).toEqual([0, 2000, 0]);
    expect(counts(one, 2000, { topK: 3, topP: 0.99 })).toEqual([0, 2000, 0]);
    // Of equals, exactly k: the first.
    expect(counts([1, 1, 1, 1], 1000, { topK: 1 })).toEqual([1000, 0, 0, 0]);
    const two = counts([1, 1, 1, 1], 1000, { topP: 0.5 });
    expect(two.slice(2)).toEqual([0, 0]);
    expect(two[0]! * two[1]!).toBeGreaterThan(0);
  });

  it("repeats itself with a seed, also compiled", () => {
    const x = randn([50, 9]);
    const options = { temperature: 0.9, topK: 5, topP: 0.9 };
    const twice = [1, 2].map(() => list(sample(x, { ...options, generator: new Generator(3) })));
    expect(twice[0]).toEqual(twice[1]);
    expect(list(sample(x, { ...options, generator: new Generator(4) }))).not.toEqual(twice[0]);
    const draw = (x: Tensor) => sample(x, options);
    const step = compile(draw);
    manualSeed(5);
    const want = [list(draw(x)), list(draw(x))];
    manualSeed(5);
    expect([list(step(x)), list(step(x))]).toEqual(want);
  });

  it("names the fault", () => {
    const x = zeros([2, 3]);
    expect(() => sample(x, { temperature: -1 })).toThrow("sample: expected temperature, finite and ≥ 0, got -1");
    expect(() => sample(x, { topK: 0 })).toThrow("topK, a whole number ≥ 1, got 0");
    expect(() => sample(x, { topP: 0 })).toThrow("topP above 0, up to 1, got 0");
    expect(() => sample(zeros([2, 0]))).toThrow(NNError);
  });
});
