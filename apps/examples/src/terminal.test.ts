import { describe, expect, it } from "vitest";
import { picture } from "./picture.js";
import { openTerminal } from "./terminal.js";

/** A terminal into a string. */
function recorder() {
  let text = "";
  const output = {
    write: (chunk: string | Uint8Array) => {
      text += chunk;
      return true;
    },
  };
  return { terminal: openTerminal(output), text: () => text };
}

describe("into a pipe", () => {
  it("writes progress as plain lines, one at every quarter", () => {
    const { terminal, text } = recorder();
    const progress = terminal.progress(10);
    for (let i = 0; i < 10; i++) progress.step(1 / (i + 1));
    terminal.close();
    expect(text()).toBe(
      [
        "  step 3/10 · loss 0.333",
        "  step 5/10 · loss 0.200",
        "  step 8/10 · loss 0.125",
        "  step 10/10 · loss 0.100",
        "",
      ].join("\n"),
    );
  });

  it("uses no escape codes", () => {
    const { terminal, text } = recorder();
    terminal.heading("Title");
    terminal.chart([3, 2, 1, 0.5]);
    terminal.table([
      ["a", "b"],
      ["1", "2"],
    ]);
    expect(text()).not.toContain("\x1b");
  });
});

describe("chart", () => {
  it("draws any number of losses within 80 columns, from 0 up to the greatest", () => {
    for (const length of [2, 10, 64, 65, 1000]) {
      const { terminal, text } = recorder();
      terminal.chart(Array.from({ length }, (_, i) => 4 / (i + 1)));
      const lines = text().split("\n");
      expect(lines.length).toBeGreaterThan(8);
      expect(lines.length).toBeLessThan(16);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
      expect(text()).toContain("0.00");
    }
  });

  it("draws nothing of nothing, and leaves out what is not finite", () => {
    const { terminal, text } = recorder();
    terminal.chart([]);
    terminal.chart([1]);
    terminal.chart([Number.NaN, Number.NaN, Number.POSITIVE_INFINITY]);
    expect(text()).toBe("");
    terminal.chart([2, Number.NaN, 1]);
    expect(text()).toContain("2.00");
  });

  it("draws a loss that does not change", () => {
    const { terminal, text } = recorder();
    terminal.chart([0, 0, 0]);
    terminal.chart([2, 2, 2]);
    expect(text()).toContain("2.00");
  });
});

describe("picture", () => {
  it("halves the digit to 14 columns and 7 lines of half blocks", () => {
    const pixels = new Float32Array(784);
    for (const row of [0, 1]) pixels.fill(1, row * 28, (row + 1) * 28); // the upper half of the first line
    pixels.fill(1, 26 * 28); // the lower half of the last
    const lines = picture(pixels);
    expect(lines).toHaveLength(7);
    expect(lines[0]).toBe("▀".repeat(14));
    expect(lines[3]).toBe(" ".repeat(14));
    expect(lines[6]).toBe("▄".repeat(14));
  });
});
