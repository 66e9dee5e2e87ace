// Initial values: fans, gains, bounds and standard deviations, and that what is drawn keeps to them.

import { Conv2d } from "@nn/conv";
import { BatchNorm2d, Embedding, init as inits, LayerNorm, Linear, type Nonlinearity } from "@nn/layers";
import { GRU, LSTM, RNN } from "@nn/recurrent";
import { compile, type Module, manualSeed, type Tensor } from "@nn/tensor";
import { type GoldenCase, NotBuilt } from "../case.js";
import type { Finding, Mode } from "../subject.js";
import type { Family } from "./family.js";

/** Numbers that torch computed in double precision. */
function exact(name: string, got: number, want: number): Finding {
  const data = Float32Array.of(want);
  return {
    name,
    got: { shape: [], data: [got] },
    want: { shape: [], dtype: "f32", data, f32Err: 0, scale: Math.abs(want) },
  };
}

/** What a sample shows: within `share` of what is wanted. */
function about(name: string, got: number, want: number, share: number): Finding {
  return {
    name,
    got: { shape: [], data: [got] },
    want: { shape: [], dtype: "f32", data: Float32Array.of(want), f32Err: (share * want) / 10, scale: 0 },
  };
}

const nonlinearities: Record<string, Nonlinearity> = {
  linear: "linear",
  sigmoid: "sigmoid",
  tanh: "tanh",
  relu: "relu",
  selu: "selu",
};
const modes = { fan_in: "fanIn", fan_out: "fanOut" } as const;

export const init: Family = async (c, mode) => {
  manualSeed(7);
  if (c.op === "gain") return gains(c);
  if (c.op !== "init") throw new NotBuilt(`no ${c.op}`);
  return c.raw["shape"] === undefined ? defaults(c, mode) : bounds(c, mode);
};

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function gains(c: GoldenCase): Finding[] {
  const values = Object.entries(c.raw["values"] as Record<string, number>);
  const slopes = Object.entries(c.raw).filter(([key]) => key.startsWith("leaky_relu_")) as [string, number][];
  return [
    ...values.map(([name, want]) => exact(name, inits.calculateGain(name as Nonlinearity), want)),
    ...slopes.map(([key, want]) =>
      exact(key, inits.calculateGain("leakyRelu", Number(key.slice("leaky_relu_".length))), want),
    ),
  ];
}

async function bounds(c: GoldenCase, mode: Mode): Promise<Finding[]> {
  const shape = c.raw["shape"] as number[];
  const { fanIn, fanOut } = inits.fanInAndFanOut(shape);
  const found: Finding[] = [];
  for (const [key, value] of Object.entries(c.raw)) {
    if (["id", "op", "shape", "note"].includes(key)) continue;
    const want = value as number;
    const kaiming = /^kaiming_(uniform_bound|normal_std)_(\w+?)_(fan_in|fan_out)$/.exec(key);
    if (key === "fan_in") found.push(exact(key, fanIn, want));
    else if (key === "fan_out") found.push(exact(key, fanOut, want));
    else if (key === "xavier_uniform_bound")
      found.push(
        exact(key, inits.xavierBound(shape), want),
        ...(await drawn(key, () => inits.xavierUniform(shape), want, mode)),
      );
    else if (key === "xavier_normal_std")
      found.push(
        exact(key, inits.xavierStd(shape), want),
        ...(await drawn(key, () => inits.xavierNormal(shape), want, mode)),
      );
    else if (kaiming) {
      const nonlinearity = nonlinearities[kaiming[2]!];
      if (!nonlinearity) throw new NotBuilt(`no ${key}`);
      const options = { nonlinearity, mode: modes[kaiming[3] as "fan_in"] };
      const uniform = kaiming[1] === "uniform_bound";
      found.push(exact(key, (uniform ? inits.kaimingBound : inits.kaimingStd)(shape, options), want));
      found.push(
        ...(await drawn(key, () => (uniform ? inits.kaimingUniform : inits.kaimingNormal)(shape, options), want, mode)),
      );
    } else if (key === "torch_default_weight_bound" || key === "torch_default_bias_bound") {
      found.push(exact(key, inits.defaultBound(shape), want));
      found.push(
        ...(await weights(`${key} of a layer`, () => layerOf(shape), key.includes("weight") ? "weight" : "bias", want)),
      );
    } else throw new NotBuilt(`no ${key}`);
  }
  return found;
}

/** A layer whose weight has this shape. */
function layerOf([out, size, ...kernel]: readonly number[]): Module {
  if (kernel.length === 0) return new Linear(size!, out!);
  return new Conv2d(size!, out!, [kernel.reduce((a, b) => a * b), 1]); // a bound depends on the product alone
}

/** RNN, GRU and LSTM: uniform(−1/√hidden, 1/√hidden); Embedding: normal(0, 1); norm layers: weight 1, bias 0. */
async function defaults(c: GoldenCase, mode: Mode): Promise<Finding[]> {
  if (!c.note.startsWith("every RNN/GRU/LSTM weight and bias: uniform(-1/sqrt(hidden)"))
    throw new NotBuilt("no such defaults");
  const hidden = 64;
  const found: Finding[] = [];
  for (const module of [new RNN(40, hidden), new GRU(40, hidden), new LSTM(40, hidden, { bidirectional: true })]) {
    for (const [name, v] of module.namedVariables()) {
      const all = Array.from(await v.value.read(), Math.abs);
      found.push(about(`${module.constructor.name} ${name}`, Math.max(...all), 1 / Math.sqrt(hidden), 0.1));
      found.push(
        exact(
          `${module.constructor.name} ${name} within its bound`,
          Number(Math.max(...all) <= Math.fround(1 / Math.sqrt(hidden))),
          1,
        ),
      );
    }
  }
  found.push(
    ...(await drawn("std of Embedding", () => new Embedding(50, 80).weight.value, 1, { ...mode, compiled: false })),
  );
  for (const module of [new LayerNorm(5), new BatchNorm2d(5)]) {
    const { weight, bias } = module.stateDict() as { weight: Tensor; bias: Tensor };
    found.push(exact("weight of a norm", Array.from(await weight.read()).reduce((a, b) => a + b) / 5, 1));
    found.push(exact("bias of a norm", Math.max(...(await bias.read())), 0));
  }
  return found;
}

/** Draws thousands of numbers: uniform ones fill their bound, normal ones have their standard deviation. */
async function drawn(key: string, draw: () => Tensor, want: number, { compiled }: Mode): Promise<Finding[]> {
  const run = compiled ? compile(draw) : draw;
  const all: number[] = [];
  while (all.length < 4000) all.push(...(await run().read()));
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  const std = Math.sqrt(all.reduce((sum, v) => sum + (v - mean) ** 2, 0) / all.length);
  if (key.includes("std"))
    return [about(`${key}: drawn`, std, want, 0.06), about(`${key}: centred`, want + mean, want, 0.08)];
  const greatest = all.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  return [
    about(`${key}: drawn`, greatest, want, 0.02),
    about(`${key}: drawn evenly`, std * Math.sqrt(3), want, 0.04),
    exact(`${key}: within`, Number(greatest <= want * (1 + 1e-6)), 1),
  ];
}

async function weights(name: string, make: () => Module, which: string, want: number): Promise<Finding[]> {
  const all: number[] = [];
  while (all.length < 1000) all.push(...(await make().stateDict()[which]!.read()));
  const greatest = all.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  return [about(name, greatest, want, 0.02), exact(`${name}: within`, Number(greatest <= want * (1 + 1e-6)), 1)];
}
