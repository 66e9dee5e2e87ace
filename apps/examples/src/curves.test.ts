/** Curves as text: where symbols stand. */
import { expect, it } from "vitest";
import { drawCurves } from "./curves.js";

it("draws later curves over earlier ones, and leaves gaps", () => {
  const drawn = drawCurves({ "·": [0, 1, 2], o: [Number.NaN, 1, 0, 2] }, 3);
  expect(drawn).toBe(["    2.0 ┤  ·o", "        ┤ o", "    0.0 ┤· o"].join("\n"));
});

it("draws a level line", () => {
  expect(drawCurves({ x: [5, 5] }, 2)).toBe("    5.0 ┤xx\n    5.0 ┤");
});
