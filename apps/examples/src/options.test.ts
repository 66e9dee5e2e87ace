import { describe, expect, it } from "vitest";
import { parseOptions } from "./options.js";
import { UserError } from "./user-error.js";

describe("parseOptions", () => {
  it("has defaults", () => {
    expect(parseOptions([], "/home")).toEqual({
      help: false,
      quick: false,
      data: null,
      out: null,
      backend: "wasm",
      threads: null,
      seed: 1,
      epochs: null,
      trainImages: null,
    });
  });

  it("reads all options, paths relative to the folder", () => {
    const args = [
      "--data",
      "../mnist",
      "--out=/tmp/x",
      "--backend",
      "reference",
      "--threads=2",
      "--seed",
      "0",
      "--epochs",
      "3",
      "--train-images=640",
      "-h",
      "--quick",
    ];
    expect(parseOptions(args, "/home/me")).toEqual({
      help: true,
      quick: true,
      data: "/home/mnist",
      out: "/tmp/x",
      backend: "reference",
      threads: 2,
      seed: 0,
      epochs: 3,
      trainImages: 640,
    });
  });

  it.each([
    [["--epoch", "3"], "Unknown option '--epoch'."],
    [["mnist"], "Unexpected argument 'mnist'."],
    [["--data"], "Option '--data <value>' argument missing."],
    [["--data", "--seed"], "Option '--data' argument is ambiguous."],
    [["--help=1"], "Option '-h, --help' does not take an argument."],
    [["--data", ""], "--data needs the path of a folder, and got an empty one."],
    [["--epochs", "0"], '--epochs needs a whole number from 1 to 1000, and got "0".'],
    [["--epochs", "two"], '--epochs needs a whole number from 1 to 1000, and got "two".'],
    [["--seed", "1.5"], '--seed needs a whole number from 0 to 4294967295, and got "1.5".'],
    [["--seed=-1"], '--seed needs a whole number from 0 to 4294967295, and got "-1".'],
    [["--backend", "gpu"], '--backend needs wasm or reference, and got "gpu".'],
    [["--threads", "0"], '--threads needs a whole number from 1 to 64, and got "0".'],
    [["--train-images", "1"], '--train-images needs a whole number from 100 to 60000, and got "1".'],
  ])("refuses %j", (args, message) => {
    const parse = () => parseOptions(args, "/home");
    expect(parse).toThrow(UserError);
    expect(parse).toThrow(`${message} See npm start -- --help.`);
  });
});
