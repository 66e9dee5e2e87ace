import { describe, expect, it } from "vitest";
import { asksFor, PEERS, parseOptions } from "./options.js";
import { UserError } from "./user-error.js";

describe("parseOptions", () => {
  it("has defaults", () => {
    expect(parseOptions([])).toEqual({
      help: false,
      list: false,
      only: [],
      backend: "wasm",
      threads: 1,
      plain: false,
      quick: false,
      profile: false,
      beside: false,
      peers: PEERS,
      rounds: 3,
      peersDir: null,
      control: false,
    });
  });

  it("reads all options", () => {
    const args = "--only gemm,train_mlp --backend=reference --threads 2 --plain --quick --profile --list -h";
    const more = "--beside --peers torch,jax --rounds 5 --peers-dir ../peers --control";
    expect(parseOptions(`${args} ${more}`.split(" "))).toEqual({
      help: true,
      list: true,
      only: ["gemm", "train_mlp"],
      backend: "reference",
      threads: 2,
      plain: true,
      quick: true,
      profile: true,
      beside: true,
      peers: ["torch", "jax"],
      rounds: 5,
      peersDir: "../peers",
      control: true,
    });
  });

  it.each([
    [["--thread", "2"], "Unknown option '--thread'."],
    [["gemm"], "Unexpected argument 'gemm'."],
    [["--only", "gemm,,conv"], '--only needs names with commas between them, and got "gemm,,conv".'],
    [["--backend", "webgpu"], '--backend knows reference, wasm, and got "webgpu".'],
    [["--peers", "torch,flax"], '--peers knows torch, ort-node, ort-web, jax, tfjs, and got "flax".'],
    [["--threads", "0"], '--threads needs a whole number from 1 to 64, and got "0".'],
    [["--rounds", "1.5"], '--rounds needs a whole number from 1 to 100, and got "1.5".'],
  ])("refuses %j", (args, message) => {
    const parse = () => parseOptions(args);
    expect(parse).toThrow(UserError);
    expect(parse).toThrow(`${message} See npm run bench -- --help.`);
  });
});

it("--only takes beginnings of names, and nothing takes all", () => {
  expect(asksFor(["gemm", "conv_a"], "gemm512")).toBe(true);
  expect(asksFor(["gemm", "conv_a"], "conv_b")).toBe(false);
  expect(asksFor([], "conv_b")).toBe(true);
});
