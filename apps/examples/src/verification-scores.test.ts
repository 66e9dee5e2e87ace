/** Error rates on cases that can be worked out by hand. */
import { expect, it } from "vitest";
import { equalErrorRate, errorsAt } from "./verification-scores.js";

it("both errors are 0 where the same are nearer than all others", () => {
  const errors = errorsAt([1, 2, 3, 4], [true, true, false, false]);
  expect(equalErrorRate(errors)).toEqual({ rate: 0, threshold: 2 });
});

it("counts what is taken for what at each threshold, equal distances at once", () => {
  expect(errorsAt([1, 2, 2, 4], [true, false, true, false])).toEqual([
    { threshold: Number.NEGATIVE_INFINITY, accepted: 0, rejected: 1 },
    { threshold: 1, accepted: 0, rejected: 0.5 },
    { threshold: 2, accepted: 0.5, rejected: 0 },
    { threshold: 4, accepted: 1, rejected: 0 },
  ]);
});

it("is one in four where one of four of each lies on the wrong side", () => {
  const same = [true, true, true, false, true, false, false, false];
  expect(equalErrorRate(errorsAt([1, 2, 3, 4, 5, 6, 7, 8], same))).toEqual({ rate: 0.25, threshold: 4 });
});
