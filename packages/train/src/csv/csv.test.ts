import { describe, expect, it } from "vitest";
import { dataset } from "../index.js";
import { readCsv } from "./index.js";

describe("readCsv", () => {
  const table = readCsv('a,b,"c, d"\n1,2.5,"x ""y"""\r\n-3, 4e1 ,z\n\n');
  it("reads numbers, text and classes", () => {
    expect(table.names).toEqual(["a", "b", "c, d"]);
    expect(table.length).toBe(2);
    expect(table.numbers(["b", "a"])).toEqual({ data: Float32Array.of(2.5, 1, 40, -3), features: 2, shape: [2] });
    expect(table.text("c, d")).toEqual(['x "y"', "z"]);
    expect(table.row(1)).toEqual(["-3", " 4e1 ", "z"]);
    expect(readCsv("k\nb\na\nb").classes("k")).toEqual({ labels: Int32Array.of(1, 0, 1), classes: ["a", "b"] });
    expect(readCsv("1;2\n3;4", { header: false }).numbers().data).toEqual(Float32Array.of(1, 2, 3, 4));
    expect(readCsv("\uFEFFx\n5").numbers(["x"]).data).toEqual(Float32Array.of(5));
    expect(dataset(table.numbers(["a", "b"])).length).toBe(2);
    expect([...readCsv("x,y\n,1").numbers(["x"], { missing: Number.NaN }).data]).toEqual([Number.NaN]);
  });
  it("says what is wrong", () => {
    expect(() => table.numbers(["c, d"])).toThrow('a number in row 1, column "c, d"');
    expect(() => table.text("e")).toThrow('a column of "a", "b", "c, d", got "e"');
    expect(() => readCsv("a,b\n1")).toThrow("2 fields in each row, got 1 in row 1");
    expect(() => readCsv("a,b\n1,2\n1,2,3\n1")).toThrow("2 fields in each row, got 3 in row 2");
    expect(() => readCsv('a,b\n"1,2')).toThrow("readCsv: expected CSV, got");
    expect(() => readCsv("")).toThrow("a row of names, got nothing");
    expect(() => readCsv("a,a\n1,2")).toThrow('each name once, got "a" twice');
    expect(() => readCsv("x,y\n,1").numbers(["x"])).toThrow("Pass { missing: NaN }");
  });
});
