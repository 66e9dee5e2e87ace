import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { readSeries, readSeriesSet } from "./series.js";
import { realData } from "./test-data.js";
import { UserError } from "./user-error.js";

const folder = mkdtempSync(join(tmpdir(), "nn-series-"));
afterAll(() => rmSync(folder, { recursive: true }));

const HEAD = "#a comment, with @data in it\n@problemName Toy\n@univariate false\n@classLabel true up down\n\n@data\n";

/** The path of a file with this text. */
function file(text: string, name = "x.ts"): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

it("reads channels, numbers and classes", () => {
  const set = readSeries(file(`${HEAD}1,2.5,-3:4,5,6e-1:down\r\n0,0,0:1,1,1:up\n`));
  expect(set).toEqual({
    count: 2,
    shape: [2, 3],
    inputs: Float32Array.of(1, 2.5, -3, 4, 5, 0.6, 0, 0, 0, 1, 1, 1),
    labels: Int32Array.of(1, 0),
    classes: ["up", "down"],
  });
});

it("reads both halves, which must be of one kind", () => {
  mkdirSync(join(folder, "Toy"));
  file(`${HEAD}1,2:up\n3,4:down\n`, "Toy/Toy_TRAIN.ts");
  file(`${HEAD}5,6:up\n`, "Toy/Toy_TEST.ts");
  const { train, test, classes } = readSeriesSet(folder, "Toy");
  expect([train.count, test.count, classes]).toEqual([2, 1, ["up", "down"]]);
  file(`${HEAD}5,6,7:up\n`, "Toy/Toy_TEST.ts");
  expect(() => readSeriesSet(folder, "Toy")).toThrow("Toy_TEST.ts: its shape is (1,3); expected (1,2)");
});

it.each([
  ["", "x.ts: it is something else; expected a line @classLabel true"],
  ["@classLabel false\n@data\n1,2\n", "x.ts: it is something else"],
  [HEAD, "x.ts: it is something else"],
  [`${HEAD}1,2:left\n`, "x.ts, line 7: its class is not known; expected one of up, down after the last colon."],
  [`${HEAD}1,?:up\n`, "x.ts, line 7: there are values missing; expected numbers with commas between them."],
  [`${HEAD}1,,2:up\n`, "x.ts, line 7: there are values missing"],
  [`${HEAD}1,2:up\n1,2,3:up\n`, "x.ts, line 8: its series have 3 values; expected 1 × 2."],
  [`${HEAD}1,2:up\n1,2:3,4:up\n`, "x.ts, line 8: its series have 2, 2 values; expected 1 × 2."],
])("refuses %j", (text, message) => {
  const read = () => readSeries(file(text));
  expect(read).toThrow(UserError);
  expect(read).toThrow(message);
});

it("says which file or folder is missing", () => {
  expect(() => readSeriesSet(join(folder, "nowhere"), "Toy")).toThrow("nowhere: there is no such folder");
  expect(() => readSeriesSet(folder, "Other")).toThrow("Other_TRAIN.ts: there is no such file");
});

it("reads the archive's own files", ({ skip }) => {
  const { folder, missing } = realData("aeon");
  if (missing) skip(missing);
  const sizes = ["ItalyPowerDemand", "GunPoint", "BasicMotions"].map((name) => {
    const { train, test, classes } = readSeriesSet(folder, name);
    return [train.count, test.count, ...train.shape, classes.length];
  });
  expect(sizes).toEqual([
    [67, 1029, 1, 24, 2],
    [50, 150, 1, 150, 2],
    [40, 40, 6, 100, 4],
  ]);
});
