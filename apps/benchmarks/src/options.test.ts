import { describe, expect, it } from "vitest";
import { asksFor } from "./asks-for.js";
import { HELP, PEERS, parseOptions } from "./options.js";
import { UserError } from "./user-error.js";

const defaults = {
  help: false,
  list: false,
  only: [],
  backend: "wasm",
  threads: 1,
  plain: false,
  software: false,
  quick: false,
  page: false,
  profile: false,
  peers: null,
  rounds: 3,
  save: null,
  control: false,
};

describe("parseOptions", () => {
  it("has defaults", () => {
    expect(parseOptions([])).toEqual(defaults);
  });

  it("reads all options", () => {
    const args = "--only gemm,train_mlp --backend=webgpu --threads 2 --plain --quick --page --software --list -h";
    const more = "--peers torch,jax --rounds 5 --save results --control";
    expect(parseOptions(`${args} ${more}`.split(" "))).toEqual({
      help: true,
      list: true,
      only: ["gemm", "train_mlp"],
      backend: "webgpu",
      threads: 2,
      plain: true,
      software: true,
      quick: true,
      page: true,
      profile: false,
      peers: ["torch", "jax"],
      rounds: 5,
      save: "results",
      control: true,
    });
    expect(parseOptions(["--profile"]).profile).toBe(true);
  });

  it.each(["--peers --save", "--save --peers", "--peers= --save="])("takes %s without values", (args) => {
    expect(parseOptions(args.split(" "))).toEqual({ ...defaults, peers: PEERS, save: "" });
  });

  it.each([
    [["--thread", "2"], "Unknown option '--thread'."],
    [["gemm"], "Unexpected argument 'gemm'."],
    [["--only", "gemm,,conv"], '--only needs names with commas between them, and got "gemm,,conv".'],
    [["--backend", "webgl"], '--backend knows reference, wasm, webgpu, and got "webgl".'],
    [["--peers", "torch,flax"], '--peers knows torch, ort-node, ort-web, jax, tfjs, and got "flax".'],
    [["--threads", "0"], '--threads needs a whole number from 1 to 64, and got "0".'],
    [["--rounds", "1.5"], '--rounds needs a whole number from 1 to 100, and got "1.5".'],
    [["--page", "--profile"], "--profile is for Node, not for --page."],
    [["--save"], "--save needs --peers."],
    [["--peers", "--backend", "webgpu"], "--peers on webgpu needs --page: the other libraries look for a browser's."],
  ])("refuses %j", (args, message) => {
    const parse = () => parseOptions(args);
    expect(parse).toThrow(UserError);
    expect(parse).toThrow(`${message} See npm run bench -- --help.`);
  });

  it("is explained by --help", () => {
    for (const name of Object.keys(defaults)) expect(HELP).toContain(`--${name}`);
  });
});

it("--only takes beginnings of names, and nothing takes all", () => {
  expect(asksFor(["gemm", "conv_a"], "gemm512")).toBe(true);
  expect(asksFor(["gemm", "conv_a"], "conv_b")).toBe(false);
  expect(asksFor([], "conv_b")).toBe(true);
});
