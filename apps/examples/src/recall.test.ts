import { describe, expect, it } from "vitest";
import { drawSequences, FEATURES, STEPS, SYMBOLS, spell } from "./recall.js";

describe("drawSequences", () => {
  const set = drawSequences(800, 3);
  const texts = Array.from({ length: set.count }, (_, i) => spell(set, i));

  it("draws the same sequences for the same seed, others for another", () => {
    expect(drawSequences(800, 3)).toEqual(set);
    expect(drawSequences(800, 4).inputs).not.toEqual(set.inputs);
  });

  it("writes each step one-hot", () => {
    expect(set.shape).toEqual([STEPS, FEATURES]);
    expect(set.inputs).toHaveLength(800 * STEPS * FEATURES);
    for (let step = 0; step < set.count * STEPS; step++) {
      const values = [...set.inputs.subarray(step * FEATURES, (step + 1) * FEATURES)].sort();
      if (values.join("") !== `${"0".repeat(FEATURES - 1)}1`) expect.fail(`step ${step}: ${values}`);
    }
  });

  it("holds one symbol, the label, among distractors, and ends with the cue", () => {
    texts.forEach((text, i) => {
      expect(text).toMatch(/^[~\-:.]*[A-H][~\-:.]*\?$/);
      expect(text).toHaveLength(STEPS);
      expect(text).toContain(SYMBOLS[set.labels[i]]);
    });
  });

  it("asks for every symbol about equally often, after every delay", () => {
    for (let symbol = 0; symbol < SYMBOLS.length; symbol++) {
      const share = set.labels.filter((label) => label === symbol).length / set.count;
      expect(share).toBeGreaterThan(0.08);
      expect(share).toBeLessThan(0.17);
    }
    const delays = new Set(texts.map((text) => STEPS - 1 - text.search(/[A-H]/)));
    expect([...delays].sort((a, b) => a - b)).toEqual(Array.from({ length: STEPS - 1 }, (_, i) => i + 1));
  });
});
