// In a browser: the same training, and the page gets its turns.

import { Linear, mse, Sequential, Tanh } from "@nn/layers";
import { Adam } from "@nn/optim";
import { manualSeed, tensor } from "@nn/tensor";
import { expect, it } from "vitest";
import { dataset, fit, gunzip, loadCheckpoint, loader, memoryStore, saveLast } from "../index.js";

it("learns, saves, and lets the page have its turns", async () => {
  manualSeed(1);
  const model = new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 1));
  const xor = dataset(tensor([[0, 0], [0, 1], [1, 0], [1, 1]]), tensor([[0], [1], [1], [0]])); // biome-ignore format: a table
  const store = memoryStore();
  let frames = 0;
  const count = () => {
    frames++;
    requestAnimationFrame(count);
  };
  requestAnimationFrame(count);
  const { epochs, steps } = await fit(model, {
    loss: mse,
    optimizer: new Adam(model.parameters(), { lr: 0.05 }),
    data: loader(xor, { batchSize: 2, shuffle: true }),
    epochs: 200,
    callbacks: [saveLast(store)],
  });
  expect(steps).toBe(400);
  expect(epochs.at(-1)!["loss"]).toBeLessThan(0.05);
  expect((await loadCheckpoint(store, "last"))!.progress.epoch).toBe(200);
  expect(frames).toBeGreaterThan(1);
});

it("unpacks gzip", async () => {
  const packed = new Blob([Uint8Array.of(1, 2, 3)]).stream().pipeThrough(new CompressionStream("gzip"));
  expect([...(await gunzip(await new Response(packed).arrayBuffer()))]).toEqual([1, 2, 3]);
});
