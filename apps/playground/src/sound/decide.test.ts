// Which word a sound was: the one with the largest sum of probabilities, and never "nothing".

import { expect, it } from "vitest";
import { decide } from "./decide.js";

it("takes the word with the largest sum", () => {
  expect(decide(Float32Array.of(0.9, 0.1, 0, 0.5, 0.1, 0.4), 2)).toBe(1);
  expect(decide(Float32Array.of(0.9, 0.1, 0, 0.8, 0.15, 0.05), 2)).toBe(0);
});
