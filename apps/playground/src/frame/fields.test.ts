// A choice shows numbers as people write them, names as they are, and what comes with its own text.

import { expect, it } from "vitest";
import { choice } from "./fields.js";

it("makes options of values", () => {
  const count = choice("To train on", [0.0003, 2000, [60000, "all"]], 2000, { help: "More is better." });
  expect(count).toEqual({
    label: "To train on",
    options: [
      [0.0003, "0.0003"],
      [2000, "2,000"],
      [60000, "all"],
    ],
    value: 2000,
    help: "More is better.",
  });
  expect(choice<string>("Cell", ["GRU", ["all", "all of them"]], "GRU").options).toEqual([
    ["GRU", "GRU"],
    ["all", "all of them"],
  ]);
});
