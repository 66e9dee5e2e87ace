// Which tables can be forecast from, and which of their columns.

import { describe, expect, it } from "vitest";
import { madeCsv } from "./series.js";
import { readTable } from "./table.js";

const read = (text: string) => readTable(new TextEncoder().encode(text));

describe("a table to forecast from", () => {
  it("has columns of numbers; the first is the one that does not count the rows", () => {
    expect(read(madeCsv(2))).toMatchObject({ columns: ["hour", "power_kw", "temperature_c"], first: "power_kw" });
    const gaps = read("day,word,value\n5,a,1.5\n6,b,\n7,c,2.5\n");
    expect(gaps).toMatchObject({ columns: ["day", "value"], first: "value" });
    expect(read("n\n1\n2\n").first).toBe("n");
  });

  it("is refused without one, or if it is no text", () => {
    expect(() => read("a,b\nx,y\n")).toThrow("no column has numbers");
    expect(() => read("\u0089PNG\0\0")).toThrow("no text");
    expect(() => read("")).toThrow();
  });
});
