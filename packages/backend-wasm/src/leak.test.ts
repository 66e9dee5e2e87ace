// Ten thousand steps, compiled and eager, end with the memory of the hundredth: handles, bytes, and pages of wasm memory.

import { Linear, mse } from "@nn/layers";
import { Adam } from "@nn/optim";
import { compile, Module, manualSeed, memory, rand, setBackend, type Tensor } from "@nn/tensor";
import { afterAll, expect, it } from "vitest";
import { type WasmBackend, wasm } from "./wasm.js";

class Net extends Module {
  first = new Linear(3, 8);
  second = new Linear(8, 1);
  override forward(x: Tensor): Tensor {
    return this.second.forward(this.first.forward(x).tanh());
  }
}

const STEPS = 10_000;
const opened: WasmBackend[] = [];
afterAll(() => {
  for (const backend of opened) backend.dispose();
});

it.each(["compiled", "eager"])("%s steps hold memory flat", { timeout: 120_000 }, async (mode) => {
  const backend = await wasm({ threads: 1 });
  opened.push(backend);
  setBackend(backend);
  manualSeed(1);
  const net = new Net();
  const optimizer = new Adam(net.parameters(), { lr: 1e-3 });
  const plain = (x: Tensor, y: Tensor): Tensor => optimizer.minimize(() => mse(net.forward(x), y));
  const step = mode === "compiled" ? compile(plain) : plain;
  const [x, y] = [rand([16, 3]), rand([16, 1])];
  const now = () => ({ ...memory(), pages: backend.memory.buffer.byteLength / 65536 });
  let before = now();
  for (let i = 0; i < STEPS; i++) {
    step(x, y).dispose();
    if (i === 99) before = now();
  }
  console.log(
    `${STEPS} ${mode} steps: ${JSON.stringify(before)} after the hundredth, ${JSON.stringify(now())} at the end`,
  );
  expect(now()).toEqual(before);
});
