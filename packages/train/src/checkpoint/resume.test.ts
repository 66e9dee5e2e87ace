// Resuming: from a checkpoint at any step, a run ends with the same bits as one that was never stopped.

import { wasm } from "@nn/backend-wasm";
import { saveSafetensors } from "@nn/io";
import { BatchNorm1d, crossEntropy, Dropout, Linear } from "@nn/layers";
import { AdamW, CosineAnnealingLR, OneCycleLR, ReduceLROnPlateau, SGD } from "@nn/optim";
import { Module, manualSeed, randn, reference, setBackend, type Tensor } from "@nn/tensor";
import { afterAll, describe, expect, it } from "vitest";
import { EarlyStopping } from "../callbacks/early-stopping.js";
import { saveBest, saveLast } from "../callbacks/save.js";
import { dataset } from "../data/dataset.js";
import { type Loader, loader } from "../data/loader.js";
import { stream } from "../data/stream.js";
import { fit, type Training } from "../fit/fit.js";
import type { FitOptions } from "../fit/options.js";
import { Accuracy, F1 } from "../metrics/classification.js";
import { type Checkpoint, loadCheckpoint, modelState, saveCheckpoint } from "./checkpoint.js";
import { memoryStore } from "./store.js";

class Net extends Module {
  fc1 = new Linear(2, 8);
  norm = new BatchNorm1d(8);
  drop = new Dropout(0.3);
  fc2 = new Linear(8, 3);
  forward(x: Tensor): Tensor {
    return this.fc2.forward(this.drop.forward(this.norm.forward(this.fc1.forward(x)).relu()));
  }
}

const N = 30;
const xs = Float32Array.from({ length: 2 * N }, (_, i) => Math.sin(i * i));
const ys = Int32Array.from({ length: N }, (_, i) => i % 3);
const data = dataset({ data: xs, shape: [2] }, ys);
const noisy = (): Loader =>
  loader(data, {
    batchSize: 8,
    shuffle: true,
    seed: 4,
    prefetch: 2,
    map: ([x, y], { generator }) => [(x as Tensor).add(randn((x as Tensor).shape, { generator }).mul(0.1)), y],
  });

/** What differs from case to case. */
const cases: Record<string, (model: Net) => Omit<FitOptions, "loss" | "epochs">> = {
  "AdamW, cosine, mapped batches, early stopping": (model) => {
    const optimizer = new AdamW(model.parameters(), { lr: 0.05 });
    return {
      optimizer,
      data: noisy(),
      validation: data,
      schedule: new CosineAnnealingLR(optimizer, { tMax: 4 }),
      metrics: { accuracy: new Accuracy(), f1: new F1() },
      callbacks: [new EarlyStopping({ monitor: "valAccuracy", patience: 1 })],
    };
  },
  "SGD, one cycle that turns the momentum, accumulated and clipped": (model) => {
    const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    return {
      optimizer,
      data: noisy(),
      schedule: (optimizer, { steps }) => new OneCycleLR(optimizer, { maxLr: 0.3, totalSteps: steps }),
      accumulate: 2,
      clip: 1,
    };
  },
  "a plateau of a training metric, a stream": (model) => {
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    return {
      optimizer,
      data: stream(
        function* (epoch) {
          for (let i = 0; i < 29; i++) yield [[Math.sin(i + epoch), i / 29], i % 3];
        },
        { batchSize: 8, shuffle: 6, dtypes: ["f32", "i32"] },
      ),
      schedule: new ReduceLROnPlateau(optimizer, { patience: 0, factor: 0.3, mode: "max" }),
      monitor: "accuracy",
      metrics: { accuracy: new Accuracy() },
    };
  },
};

const setUp = (options: (model: Net) => Omit<FitOptions, "loss" | "epochs">) => {
  manualSeed(9);
  const model = new Net();
  const own = options(model);
  const callbacks = own.callbacks ?? [];
  return {
    model,
    callbacks,
    run: (more: Partial<FitOptions>) => fit(model, { loss: crossEntropy, epochs: 4, ...own, ...more }),
  };
};

const bytes = async (model: Module) => Buffer.from(await saveSafetensors(model.stateDict())).toString("base64");

const backends = { reference: async () => reference(), wasm: () => wasm({ threads: 1 }) };

describe.each(Object.entries(cases))("%s", (_, options) => {
  afterAll(() => setBackend(reference()));
  it.each(Object.keys(backends) as (keyof typeof backends)[])(
    "on %s, goes on from any step as if it had never stopped",
    async (backend) => {
      setBackend(await backends[backend]());
      const store = memoryStore();
      const taken: string[] = [];
      const take = async (event: { type: string; step: number }, run: Training) => {
        taken.push(`${event.type} ${event.step}`);
        await saveCheckpoint(store, taken.at(-1)!, run.checkpoint());
      };
      const keepAll = { step: take, epoch: take, order: 9 };
      const fresh = setUp(options);
      const history = await fresh.run({ callbacks: [...fresh.callbacks, keepAll] });
      const want = await bytes(fresh.model);
      expect(taken.length).toBeGreaterThan(8);

      for (const name of backend === "wasm" ? taken.filter((_, i) => i % 4 === 1) : taken) {
        const again = setUp(options);
        manualSeed(1234); // whatever happened before
        const callbacks = [...again.callbacks, {}];
        const resume = await loadCheckpoint(store, name);
        const resumed = await again.run({ resume, callbacks });
        expect([name, await bytes(again.model)]).toEqual([name, want]);
        expect(resumed).toEqual(history);
      }
    },
  );
});

describe("checkpoints", () => {
  const plain = (model: Net) => ({ optimizer: new AdamW(model.parameters()), data: loader(data, { batchSize: 8 }) });

  it("last and best are saved, and found again", async () => {
    const store = memoryStore();
    const { run, model } = setUp(plain);
    const callbacks = [saveLast(store, { everySteps: 3 }), saveBest(store, { monitor: "loss" })];
    const { epochs } = await run({ callbacks });
    const lowest = Math.min(...epochs.map((e) => e["loss"] as number));
    const last = (await loadCheckpoint(store, "last"))!;
    expect(last.progress).toMatchObject({ epoch: 4, batch: 0, step: 16, callbacks: [lowest, null] });
    expect(Object.keys(modelState(last))).toEqual(expect.arrayContaining(Object.keys(model.stateDict())));
    const best = (await loadCheckpoint(store, "best"))!;
    expect(best.progress.history.at(-1)!["loss"]).toBe(lowest);
    model.loadStateDict(modelState(best));
    expect(await loadCheckpoint(store, "none")).toBeNull();
  });

  it("of a run that somebody stopped go on; those of one that stopped by itself do not", async () => {
    const store = memoryStore();
    const stop = (event: { step: number }, run: Training) => (event.step === 5 ? run.stop("enough") : undefined);
    const first = setUp(plain);
    await first.run({ callbacks: [{ step: stop }, saveLast(store, { everySteps: 1 })] });
    const resume = await loadCheckpoint(store, "last");
    const callbacks = () => [{}, saveLast(store, { everySteps: 1 })];
    expect(await setUp(plain).run({ callbacks: callbacks(), resume })).toMatchObject({ steps: 16, stopped: null });

    const early = () => [new EarlyStopping({ monitor: "loss", minDelta: 100, patience: 0 }), saveLast(store)];
    const history = await setUp(plain).run({ callbacks: early() });
    expect(history).toMatchObject({ steps: 8, stopped: "loss has not improved since epoch 1" });
    const again = await setUp(plain).run({ callbacks: early(), resume: await loadCheckpoint(store, "last") });
    expect(again).toEqual(history);
  });

  it("keep NaN and infinities", async () => {
    const store = memoryStore();
    const { run } = setUp(plain);
    const training = run({ epochs: 0 });
    const { tensors, progress } = training.checkpoint();
    const odd = { ...progress, loss: { sum: Number.NaN, samples: 1 }, metrics: { m: [Infinity, -Infinity] } };
    await saveCheckpoint(store, "odd", { tensors, progress: odd });
    expect((await loadCheckpoint(store, "odd"))!.progress).toEqual(odd);
  });

  it("of other data, callbacks or schedules are refused, damaged ones too", async () => {
    const store = memoryStore();
    const { run, model } = setUp(plain);
    const first = run({ epochs: 1 });
    await first;
    const checkpoint: Checkpoint = first.checkpoint();
    const otherData = { data: loader(data, { batchSize: 4 }), resume: checkpoint };
    await expect(run(otherData)).rejects.toThrow('the data that the checkpoint was made with: {"samples":30');
    await expect(run({ resume: checkpoint, callbacks: [{}] })).rejects.toThrow("expected 0 callbacks");
    const schedule = new CosineAnnealingLR(new AdamW(model.parameters()), { tMax: 3 });
    await expect(run({ resume: checkpoint, schedule })).rejects.toThrow("expected no schedule");

    await saveCheckpoint(store, "a", checkpoint);
    const file = (await store.read("a"))!;
    await store.write("cut", file.subarray(0, file.length - 5));
    await expect(loadCheckpoint(store, "cut")).rejects.toThrow("safetensors");
    await store.write("weights", await saveSafetensors(model.stateDict()));
    await expect(loadCheckpoint(store, "weights")).rejects.toThrow('"weights" to be a checkpoint of saveCheckpoint');
    const meta = (text: string) => saveSafetensors({}, { metadata: { "nn.checkpoint": text } });
    for (const text of ["{", "null", '{"version":2}', '{"version":1,"epoch":0}']) {
      await store.write("odd", await meta(text));
      await expect(loadCheckpoint(store, "odd")).rejects.toThrow("a checkpoint of version 1");
    }
  });
});
