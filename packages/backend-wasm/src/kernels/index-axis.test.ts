// An index out of range in a compiled training step: the error names it, and nothing has been learned from the rest.

import { crossEntropy, Embedding, Linear } from "@nn/layers";
import { SGD } from "@nn/optim";
import { compile, Module, manualSeed, setBackend, type Tensor, tensor } from "@nn/tensor";
import { expect, it } from "vitest";
import { wasm } from "../wasm.js";

class Net extends Module {
  table = new Embedding(5, 8);
  head = new Linear(8, 3);
  override forward(x: Tensor): Tensor {
    return this.head.forward(this.table.forward(x));
  }
}

it.each([1, 2])("leaves Variables as they were, with %i threads", async (threads) => {
  const backend = await wasm({ threads, parallelFrom: 0 });
  setBackend(backend);
  manualSeed(1);
  const net = new Net();
  const optimizer = new SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
  const step = compile((x: Tensor, y: Tensor) => optimizer.minimize(() => crossEntropy(net.forward(x), y)));
  const ids = (...values: number[]) => tensor(values, { dtype: "i32" });
  const weights = () => Promise.all(net.parameters().map(async (p) => [...(await p.value.read())]));
  step(ids(0, 1, 2), ids(0, 1, 2)).dispose();
  const before = await weights();
  expect(() => step(ids(0, 5, 2), ids(0, 1, 2))).toThrow(
    'Embedding "table": gather: expected indices 0…4 on axis 0, got 5',
  );
  expect(await weights()).toEqual(before);
  step(ids(0, 4, 2), ids(0, 1, 2)).dispose();
  expect(await weights()).not.toEqual(before);
  backend.dispose();
});
